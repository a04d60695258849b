package gateway_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type text = wrapperspb.StringValue

// echo is a service with all four kinds of RPC; each test says what they do.
type echo struct {
	unary  func(context.Context, *text) (*text, error)
	server func(*text, grpc.ServerStreamingServer[text]) error
	client func(grpc.ClientStreamingServer[text, text]) error
	bidi   func(grpc.BidiStreamingServer[text, text]) error
}

const (
	unaryMethod  = "/test.v1.Echo/Unary"
	serverMethod = "/test.v1.Echo/Server"
	clientMethod = "/test.v1.Echo/Client"
	bidiMethod   = "/test.v1.Echo/Bidi"
)

// echoDesc is what protoc-gen-go-grpc would generate.
var echoDesc = grpc.ServiceDesc{
	ServiceName: "test.v1.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: handleUnary}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Server", Handler: handleServer, ServerStreams: true},
		{StreamName: "Client", Handler: handleClient, ClientStreams: true},
		{StreamName: "Bidi", Handler: handleBidi, ServerStreams: true, ClientStreams: true},
	},
}

func handleUnary(impl any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	in := new(text)
	if err := decode(in); err != nil {
		return nil, err
	}
	return impl.(*echo).unary(ctx, in)
}

func handleServer(impl any, s grpc.ServerStream) error {
	in := new(text)
	if err := s.RecvMsg(in); err != nil {
		return err
	}
	return impl.(*echo).server(in, &grpc.GenericServerStream[text, text]{ServerStream: s})
}

func handleClient(impl any, s grpc.ServerStream) error {
	return impl.(*echo).client(&grpc.GenericServerStream[text, text]{ServerStream: s})
}

func handleBidi(impl any, s grpc.ServerStream) error {
	return impl.(*echo).bidi(&grpc.GenericServerStream[text, text]{ServerStream: s})
}

// echoClient is what protoc-gen-go-grpc would generate.
type echoClient struct{ conn grpc.ClientConnInterface }

func (c echoClient) Unary(ctx context.Context, in string, opts ...grpc.CallOption) (string, error) {
	out := new(text)
	err := c.conn.Invoke(ctx, unaryMethod, wrapperspb.String(in), out, opts...)
	return out.GetValue(), err
}

func (c echoClient) stream(ctx context.Context, index int, method string, opts ...grpc.CallOption) (*grpc.GenericClientStream[text, text], error) {
	s, err := c.conn.NewStream(ctx, &echoDesc.Streams[index], method, opts...)
	if err != nil {
		return nil, err
	}
	return &grpc.GenericClientStream[text, text]{ClientStream: s}, nil
}

func (c echoClient) Server(ctx context.Context, in string, opts ...grpc.CallOption) (grpc.ServerStreamingClient[text], error) {
	s, err := c.stream(ctx, 0, serverMethod, opts...)
	if err != nil {
		return nil, err
	}
	if err := s.SendMsg(wrapperspb.String(in)); err != nil {
		return nil, err
	}
	return s, s.CloseSend()
}

func (c echoClient) Client(ctx context.Context, opts ...grpc.CallOption) (grpc.ClientStreamingClient[text, text], error) {
	return c.stream(ctx, 1, clientMethod, opts...)
}

func (c echoClient) Bidi(ctx context.Context, opts ...grpc.CallOption) (grpc.BidiStreamingClient[text, text], error) {
	return c.stream(ctx, 2, bidiMethod, opts...)
}

// newEcho returns a client of the service in process.
func newEcho(t *testing.T, impl *echo) (echoClient, *gateway.Conn) {
	t.Helper()
	conn := gateway.NewConn()
	conn.RegisterService(&echoDesc, impl)
	return echoClient{conn}, conn
}

// registerRoutes is what protoc-gen-grpc-gateway would generate for a unary
// method (POST, the body is a RequestInfo so that it has fields) and a server
// stream (GET, what to ask for is in the path).
func registerRoutes(mux *runtime.ServeMux, client echoClient) error {
	post := mux.HandlePath(http.MethodPost, "/v1/echo", func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		in, out := runtime.MarshalerForRequest(mux, r)
		ctx, err := runtime.AnnotateContext(ctx, mux, r, unaryMethod)
		if err != nil {
			runtime.HTTPError(r.Context(), mux, out, w, r, err)
			return
		}
		msg, md, err := requestUnary(ctx, in, client, r)
		ctx = runtime.NewServerMetadataContext(ctx, md)
		if err != nil {
			runtime.HTTPError(ctx, mux, out, w, r, err)
			return
		}
		runtime.ForwardResponseMessage(ctx, mux, out, w, r, msg)
	})
	get := mux.HandlePath(http.MethodGet, "/v1/echo/{text}", func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		_, out := runtime.MarshalerForRequest(mux, r)
		ctx, err := runtime.AnnotateContext(ctx, mux, r, serverMethod)
		if err != nil {
			runtime.HTTPError(r.Context(), mux, out, w, r, err)
			return
		}
		s, err := client.Server(ctx, params["text"])
		var md runtime.ServerMetadata
		if err == nil {
			md.HeaderMD, err = s.Header()
		}
		ctx = runtime.NewServerMetadataContext(ctx, md)
		if err != nil {
			runtime.HTTPError(ctx, mux, out, w, r, err)
			return
		}
		runtime.ForwardResponseStream(ctx, mux, out, w, r, func() (proto.Message, error) { return s.Recv() })
	})
	return errors.Join(post, get)
}

func requestUnary(ctx context.Context, m runtime.Marshaler, client echoClient, r *http.Request) (proto.Message, runtime.ServerMetadata, error) {
	var in errdetails.RequestInfo
	var md runtime.ServerMetadata
	if err := m.NewDecoder(r.Body).Decode(&in); err != nil && !errors.Is(err, io.EOF) {
		return nil, md, status.Errorf(codes.InvalidArgument, "%v", err)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	out, err := client.Unary(ctx, in.GetRequestId(), grpc.Header(&md.HeaderMD), grpc.Trailer(&md.TrailerMD))
	return &errdetails.RequestInfo{RequestId: out}, md, err
}
