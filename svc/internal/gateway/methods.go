package gateway

import (
	"fmt"

	"google.golang.org/grpc"
)

var _ grpc.ServiceRegistrar = (*Methods)(nil)

// Methods are the methods of services in this process, by their full names. Register
// the same implementations as with the grpc.Server, and everything before the first
// Mux is made.
//
// A panic of a handler is not recovered here: the decorated server does that.
type Methods struct {
	unary    map[string]unary
	streams  map[string]streaming
	services map[string]bool
}

type unary struct {
	impl   any
	handle grpc.MethodHandler
}

type streaming struct {
	impl any
	desc grpc.StreamDesc
}

// NewMethods returns Methods without any.
func NewMethods() *Methods {
	return &Methods{unary: map[string]unary{}, streams: map[string]streaming{}, services: map[string]bool{}}
}

// RegisterService adds a service. Like grpc.Server it does not accept a service
// twice: that is a mistake of the program, and it panics.
func (m *Methods) RegisterService(desc *grpc.ServiceDesc, impl any) {
	if m.services[desc.ServiceName] {
		panic(fmt.Sprintf("gateway: service %q is registered twice", desc.ServiceName))
	}
	m.services[desc.ServiceName] = true
	for _, method := range desc.Methods {
		m.unary["/"+desc.ServiceName+"/"+method.MethodName] = unary{impl, method.Handler}
	}
	for _, stream := range desc.Streams {
		m.streams["/"+desc.ServiceName+"/"+stream.StreamName] = streaming{impl, stream}
	}
}
