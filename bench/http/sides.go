package main

import (
	"context"
	"net"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/svc/internal/gateway"
	orderhttp "github.com/protosvc/protosvc/test/siege/bare/orderhttp"
)

// side is one way from HTTP/JSON to the handler.
type side struct {
	name    string
	handler http.Handler
}

// sides are all of them, ours first. What they start lasts as long as the process.
func sides(handler orderv1.OrderServiceServer) ([]side, error) {
	var out []side
	for _, s := range []struct {
		name  string
		serve func(orderv1.OrderServiceServer) (http.Handler, error)
	}{
		{"protosvc", ownOf},
		{"grpc-gateway", gatewayOf},
		{"grpc-gateway over gRPC", proxyOf},
		{"kratos", kratosOf},
	} {
		h, err := s.serve(handler)
		if err != nil {
			return nil, err
		}
		out = append(out, side{s.name, h})
	}
	return out, nil
}

// ownOf is what a generated service serves, but with the handler as it is: without what
// the server around it does to a call, and without the budget of memory.
func ownOf(handler orderv1.OrderServiceServer) (http.Handler, error) {
	service := orderv1svc.OrderService(nil, nil)
	var routes []gateway.Route
	for _, r := range service.HTTP {
		routes = append(routes, gateway.Route(r))
	}
	methods := gateway.NewMethods()
	orderv1.RegisterOrderServiceServer(methods, handler)
	return gateway.NewMux(methods, routes, gateway.Options{Errors: service.Errors, Propagate: service.Propagate})
}

func gatewayOf(handler orderv1.OrderServiceServer) (http.Handler, error) {
	mux := runtime.NewServeMux()
	return mux, orderhttp.RegisterOrderServiceHandlerServer(context.Background(), mux, handler)
}

func proxyOf(handler orderv1.OrderServiceServer) (http.Handler, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := grpc.NewServer()
	orderv1.RegisterOrderServiceServer(server, handler)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///"+listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	mux := runtime.NewServeMux()
	return mux, orderhttp.RegisterOrderServiceHandlerClient(context.Background(), mux, orderv1.NewOrderServiceClient(conn))
}
