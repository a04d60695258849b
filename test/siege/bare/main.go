// Command bare serves the contract of order as grpc-go and grpc-gateway do by default:
// without a limit, a timeout or a check that is not theirs. It keeps orders in memory, and
// takes its addresses from the variables of the order service. What is in orderhttp, the
// plugin of grpc-gateway wrote, with standalone=true.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sync"

	gateway "github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	orderhttp "github.com/protosvc/protosvc/test/siege/bare/orderhttp"
)

func main() {
	log.Fatal(serve(os.Getenv("ORDER_LISTEN_GRPC"), os.Getenv("ORDER_LISTEN_HTTP"), os.Getenv("ORDER_LISTEN_ADMIN")))
}

func serve(grpcAddress, httpAddress, adminAddress string) error {
	listener, err := net.Listen("tcp", grpcAddress)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	orderv1.RegisterOrderServiceServer(server, &orders{})
	healthv1.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	mux := gateway.NewServeMux()
	if err := orderhttp.RegisterOrderServiceHandlerFromEndpoint(context.Background(), mux, "passthrough:///"+grpcAddress,
		[]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}); err != nil {
		return err
	}
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()
	go func() { ended <- http.ListenAndServe(httpAddress, mux) }()
	go func() { ended <- http.ListenAndServe(adminAddress, nil) }()
	return <-ended
}

// The pages of the admin port that are asked for. Profiles have registered themselves.
func init() {
	for _, page := range []string{"/livez", "/readyz"} {
		http.HandleFunc(page, func(http.ResponseWriter, *http.Request) {})
	}
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "# TYPE go_goroutines gauge\ngo_goroutines %d\n", runtime.NumGoroutine())
	})
}

// orders keeps orders in memory.
type orders struct {
	orderv1.UnimplementedOrderServiceServer
	all sync.Map
}

func (o *orders) CreateOrder(_ context.Context, req *orderv1.CreateOrderRequest) (*orderv1.CreateOrderResponse, error) {
	order := &orderv1.Order{OrderId: req.GetRequestId(), UserId: req.GetUserId(), Items: req.GetItems(), State: orderv1.OrderState_ORDER_STATE_CONFIRMED}
	o.all.Store(order.GetOrderId(), order)
	return &orderv1.CreateOrderResponse{Order: order}, nil
}

func (o *orders) find(id string) (*orderv1.Order, error) {
	order, ok := o.all.Load(id)
	if !ok {
		return nil, status.Error(codes.NotFound, "no such order")
	}
	return order.(*orderv1.Order), nil
}

func (o *orders) GetOrder(_ context.Context, req *orderv1.GetOrderRequest) (*orderv1.GetOrderResponse, error) {
	order, err := o.find(req.GetOrderId())
	return &orderv1.GetOrderResponse{Order: order}, err
}

// WatchOrder sends the order once and waits for the end: nothing here changes it.
func (o *orders) WatchOrder(req *orderv1.WatchOrderRequest, stream grpc.ServerStreamingServer[orderv1.WatchOrderResponse]) error {
	order, err := o.find(req.GetOrderId())
	if err != nil {
		return err
	}
	if err := stream.Send(&orderv1.WatchOrderResponse{Order: order}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}
