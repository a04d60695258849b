package otel_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/svc/client"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svctest"
)

// The ids of the orders, which decide how a call ends.
const (
	succeeds = "017f22e2-79b0-7cc3-98c4-000000000000"
	notFound = "017f22e2-79b0-7cc3-98c4-000000000404"
	fails    = "017f22e2-79b0-7cc3-98c4-000000000500"
)

// startTimeout is how long a service may take to be ready.
const startTimeout = 20 * time.Second

// handler answers as the id of the order asks.
type handler struct {
	orderv1.UnimplementedOrderServiceServer
}

func (handler) GetOrder(_ context.Context, req *orderv1.GetOrderRequest) (*orderv1.GetOrderResponse, error) {
	return &orderv1.GetOrderResponse{}, outcome(req.GetOrderId())
}

func (handler) WatchOrder(req *orderv1.WatchOrderRequest, stream grpc.ServerStreamingServer[orderv1.WatchOrderResponse]) error {
	if err := stream.Send(&orderv1.WatchOrderResponse{}); err != nil {
		return err
	}
	return outcome(req.GetOrderId())
}

func outcome(orderID string) error {
	switch orderID {
	case notFound:
		return orderv1svc.NewOrderErrorNotFound(orderID)
	case fails:
		return errors.New("the disk is full")
	}
	return nil
}

// bare is the same handler for a server without our runtime: its errors are made
// into statuses as the runtime makes them.
type bare struct{ handler }

func (b bare) GetOrder(ctx context.Context, req *orderv1.GetOrderRequest) (*orderv1.GetOrderResponse, error) {
	res, err := b.handler.GetOrder(ctx, req)
	return res, svcerrors.ToStatus(err).Err()
}

func (b bare) WatchOrder(req *orderv1.WatchOrderRequest, stream grpc.ServerStreamingServer[orderv1.WatchOrderResponse]) error {
	return svcerrors.ToStatus(b.handler.WatchOrder(req, stream)).Err()
}

// ourServer runs the generated service around the handler.
func ourServer(t *testing.T) string {
	t.Helper()
	service := orderv1svc.OrderService(func(orderv1svc.OrderServiceDeps) (orderv1.OrderServiceServer, error) { return handler{}, nil }, nil)
	// The callees: nobody is there, nobody is called.
	callees := svctest.Config("callees: {user_service: {target: \"passthrough:///127.0.0.1:1\"}, payment_service: {target: \"passthrough:///127.0.0.1:1\"}}")
	return strings.TrimPrefix(svctest.Start(t, service, callees).Target, "passthrough:///")
}

// ourClient is the generated client.
func ourClient(t *testing.T, address string) orderv1.OrderServiceClient {
	t.Helper()
	provider, err := tracing.New(t.Context(), tracing.Options{Service: "our-client", SampleRatio: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, provider.Shutdown) })
	dialer := &client.Dialer{Options: client.Options{Target: "passthrough:///" + address, TracerProvider: provider.TracerProvider()}}
	t.Cleanup(func() {
		if err := dialer.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := orderv1svc.DialOrderService(dialer)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if err := dialer.Check(ctx); err != nil { // the client looks at the service's health
		t.Fatal(err)
	}
	return c
}

// oracleServer is grpc-go's server with otelgrpc.
func oracleServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.StatsHandler(otelgrpc.NewServerHandler(oracleOptions(t, "oracle-server")...)))
	orderv1.RegisterOrderServiceServer(server, bare{})
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.GracefulStop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// oracleClient is grpc-go's client with otelgrpc.
func oracleClient(t *testing.T, address string) orderv1.OrderServiceClient {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(oracleOptions(t, "oracle-client")...)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return orderv1.NewOrderServiceClient(conn)
}

// oracleOptions give otelgrpc a provider that records everything.
func oracleOptions(t *testing.T, service string) []otelgrpc.Option {
	t.Helper()
	exporter, err := otlptracegrpc.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(resource.NewSchemaless(semconv.ServiceName(service))))
	t.Cleanup(func() { shutdown(t, provider.Shutdown) })
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(provider),
		otelgrpc.WithPropagators(propagation.TraceContext{}),
	}
}

func shutdown(t *testing.T, stop func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := stop(ctx); err != nil {
		t.Error(err)
	}
}

// ended is nil for the ordinary end of a stream.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
