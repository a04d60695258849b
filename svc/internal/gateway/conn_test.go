package gateway_test

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
)

var notFound = &errors.Code{
	Domain: "test", Reason: "NOT_FOUND", GRPC: codes.NotFound, HTTP: 410, Message: "{id} does not exist",
}

func TestUnaryCallCarriesEverything(t *testing.T) {
	deadline := time.Now().Add(time.Minute)
	client, _ := newEcho(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
		if md, _ := metadata.FromIncomingContext(ctx); fmt.Sprint(md["a"]) != "[1]" {
			t.Errorf("incoming metadata a = %v, want [1]", md["a"])
		}
		if md, _ := metadata.FromOutgoingContext(ctx); len(md) != 0 {
			t.Errorf("the caller's metadata %v leak into the handler's calls", md)
		}
		if got, ok := ctx.Deadline(); !ok || !got.Equal(deadline) {
			t.Errorf("deadline = %v %t, want %v", got, ok, deadline)
		}
		if name, _ := grpc.Method(ctx); name != unaryMethod {
			t.Errorf("method = %q", name)
		}
		if _, ok := peer.FromContext(ctx); !ok {
			t.Error("the handler has no peer")
		}
		_ = grpc.SetHeader(ctx, metadata.Pairs("h", "1"))
		_ = grpc.SendHeader(ctx, metadata.Pairs("h", "2"))
		if err := grpc.SetHeader(ctx, metadata.Pairs("h", "3")); err == nil {
			t.Error("the header can be set after it was sent")
		}
		_ = grpc.SetTrailer(ctx, metadata.Pairs("t", "1"))
		return wrapperspb.String(in.GetValue() + "!"), nil
	}})

	ctx, cancel := context.WithDeadline(metadata.AppendToOutgoingContext(context.Background(), "A", "1"), deadline)
	defer cancel()
	var header, trailer metadata.MD
	var server peer.Peer
	got, err := client.Unary(ctx, "hello", grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&server))
	if err != nil || got != "hello!" {
		t.Errorf("Unary = %q, %v", got, err)
	}
	if fmt.Sprint(header["h"], trailer["t"], server.Addr) != "[1 2] [1] inprocess" {
		t.Errorf("header %v, trailer %v, server %v", header, trailer, server.Addr)
	}
}

func TestMessagesAreCopies(t *testing.T) {
	kept := wrapperspb.String("kept by the handler")
	_, conn := newEcho(t, &echo{unary: func(_ context.Context, in *text) (*text, error) {
		in.Value = "changed by the handler"
		return kept, nil
	}})
	in, out := wrapperspb.String("in"), wrapperspb.String("left over")
	if err := conn.Invoke(context.Background(), unaryMethod, in, out); err != nil {
		t.Fatal(err)
	}
	if in.GetValue() != "in" || out == kept || out.GetValue() != kept.GetValue() {
		t.Errorf("in = %v, out = %v", in, out)
	}
}

func TestUnaryErrors(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want codes.Code
	}{
		{"typed", fmt.Errorf("secret: %w", notFound.New("id", "7")), codes.NotFound},
		{"status", status.Error(codes.Aborted, "conflict"), codes.Aborted},
		{"unknown", io.ErrUnexpectedEOF, codes.Internal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, _ := newEcho(t, &echo{unary: func(context.Context, *text) (*text, error) { return nil, test.err }})
			_, err := client.Unary(context.Background(), "")
			if st, ok := status.FromError(err); !ok || st.Code() != test.want {
				t.Errorf("error = %v, want code %v", err, test.want)
			}
		})
	}
}

func TestMisuse(t *testing.T) {
	client, conn := newEcho(t, newFullEcho())
	ctx := t.Context()
	stream, err := client.Client(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, streamErr := conn.NewStream(ctx, &echoDesc.Streams[0], "/test.v1.Echo/Other")
	errs := map[string]struct {
		err  error
		want codes.Code
	}{
		"unknown method":   {conn.Invoke(ctx, "/test.v1.Echo/Other", &text{}, &text{}), codes.Unimplemented},
		"unknown stream":   {streamErr, codes.Unimplemented},
		"other request":    {conn.Invoke(ctx, unaryMethod, &errdetails.RetryInfo{}, &text{}), codes.Internal},
		"other response":   {conn.Invoke(ctx, unaryMethod, &text{}, &errdetails.RetryInfo{}), codes.Internal},
		"not a message":    {conn.Invoke(ctx, unaryMethod, "text", &text{}), codes.Internal},
		"send not a proto": {stream.SendMsg("text"), codes.Internal},
	}
	for name, test := range errs {
		if status.Code(test.err) != test.want {
			t.Errorf("%s: error %v, want code %v", name, test.err, test.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a service can be registered twice")
		}
	}()
	conn.RegisterService(&echoDesc, &echo{})
}

// sum is how the client stream of these tests answers: with all it got.
func sum(s grpc.ClientStreamingServer[text, text]) error {
	var all string
	for {
		in, err := s.Recv()
		if err == io.EOF {
			return s.SendAndClose(wrapperspb.String(all))
		}
		if err != nil {
			return err
		}
		all += in.GetValue()
	}
}

// count answers with the numbers below the one in the request.
func count(in *text, s grpc.ServerStreamingServer[text]) error {
	n, err := strconv.Atoi(in.GetValue())
	if err != nil {
		return notFound.New("id", in.GetValue())
	}
	for i := range n {
		if err := s.Send(wrapperspb.String(strconv.Itoa(i))); err != nil {
			return err
		}
	}
	return nil
}

func reflectAll(s grpc.BidiStreamingServer[text, text]) error {
	for {
		in, err := s.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(in); err != nil {
			return err
		}
	}
}

func same(_ context.Context, in *text) (*text, error) { return in, nil }

func newFullEcho() *echo { return &echo{unary: same, server: count, client: sum, bidi: reflectAll} }

func TestServerStream(t *testing.T) {
	client, _ := newEcho(t, newFullEcho())
	s, err := client.Server(context.Background(), "100")
	if err != nil {
		t.Fatal(err)
	}
	for want := range 100 {
		if got, err := s.Recv(); err != nil || got.GetValue() != strconv.Itoa(want) {
			t.Fatalf("message %d = %v, %v", want, got, err)
		}
	}
	if _, err := s.Recv(); err != io.EOF {
		t.Errorf("end = %v, want EOF", err)
	}
}

func TestServerStreamFailsAtOnce(t *testing.T) {
	client, _ := newEcho(t, newFullEcho())
	s, err := client.Server(context.Background(), "no number")
	if err != nil {
		t.Fatal(err)
	}
	_, headerErr := s.Header()
	_, recvErr := s.Recv()
	for where, err := range map[string]error{"Header": headerErr, "Recv": recvErr} {
		if status.Code(err) != codes.NotFound {
			t.Errorf("%s returns %v, want NotFound", where, err)
		}
	}
}

func TestClientStream(t *testing.T) {
	client, _ := newEcho(t, newFullEcho())
	s, err := client.Client(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	reused := new(text) // as grpc allows
	for i := range 3 {
		reused.Value = strconv.Itoa(i)
		if err := s.Send(reused); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.CloseAndRecv(); err != nil || got.GetValue() != "012" {
		t.Errorf("CloseAndRecv = %v, %v", got, err)
	}
	if err := s.Send(reused); status.Code(err) != codes.Internal {
		t.Errorf("Send after CloseSend = %v, want Internal", err)
	}
	if err := s.CloseSend(); err != nil {
		t.Errorf("second CloseSend = %v", err)
	}
}

func TestClientStreamStatusComesWithResponse(t *testing.T) {
	tests := map[string]struct {
		handler func(grpc.ClientStreamingServer[text, text]) error
		want    codes.Code
	}{
		"error after response": {func(s grpc.ClientStreamingServer[text, text]) error {
			_ = s.SendAndClose(&text{})
			return notFound.New()
		}, codes.NotFound},
		"no response": {func(grpc.ClientStreamingServer[text, text]) error { return nil }, codes.Internal},
		"two responses": {func(s grpc.ClientStreamingServer[text, text]) error {
			_ = s.SendMsg(&text{})
			return s.SendMsg(&text{})
		}, codes.Internal},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, _ := newEcho(t, &echo{client: test.handler})
			s, err := client.Client(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.CloseAndRecv(); status.Code(err) != test.want {
				t.Errorf("error = %v, want %v", err, test.want)
			}
		})
	}
}

func TestBidiStream(t *testing.T) {
	client, _ := newEcho(t, &echo{bidi: func(s grpc.BidiStreamingServer[text, text]) error {
		_ = s.SetHeader(metadata.Pairs("h", "1"))
		s.SetTrailer(metadata.Pairs("t", "1"))
		return reflectAll(s)
	}})
	var trailer metadata.MD
	s, err := client.Bidi(context.Background(), grpc.Trailer(&trailer))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := s.Send(wrapperspb.String(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Recv(); err != nil || got.GetValue() != strconv.Itoa(i) {
			t.Fatalf("message %d = %v, %v", i, got, err)
		}
	}
	if err := s.CloseSend(); err != nil {
		t.Error(err)
	}
	if _, err := s.Recv(); err != io.EOF {
		t.Errorf("end = %v, want EOF", err)
	}
	header, err := s.Header()
	if err != nil || fmt.Sprint(header["h"], trailer["t"], s.Trailer()["t"]) != "[1] [1] [1]" {
		t.Errorf("header %v, trailer %v, %v", header, trailer, err)
	}
}

func TestSendAfterHandlerReturned(t *testing.T) {
	client, _ := newEcho(t, &echo{bidi: func(grpc.BidiStreamingServer[text, text]) error { return notFound.New() }})
	s, err := client.Bidi(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; { // fills the window at most
		err = s.Send(&text{})
	}
	if err != io.EOF {
		t.Errorf("Send = %v, want EOF", err)
	}
	if _, err := s.Recv(); status.Code(err) != codes.NotFound {
		t.Errorf("Recv = %v, want NotFound", err)
	}
}

// The decorated server may return while the handler of the stream still runs.
func TestHandlerOutlivesCall(t *testing.T) {
	late := make(chan error, 2)
	client, _ := newEcho(t, &echo{bidi: func(s grpc.BidiStreamingServer[text, text]) error {
		go func() {
			_, err := s.Recv()
			late <- err
			late <- s.Send(&text{})
		}()
		return notFound.New()
	}})
	s, err := client.Bidi(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); status.Code(err) != codes.NotFound {
		t.Errorf("Recv = %v, want NotFound", err)
	}
	for range 2 {
		if err := <-late; status.Code(err) != codes.Canceled {
			t.Errorf("the handler's call returns %v, want Canceled", err)
		}
	}
}

func TestCancelWakesBothEnds(t *testing.T) {
	ended := make(chan error, 1)
	handlers := map[string]func(grpc.BidiStreamingServer[text, text]) error{
		"receiving": func(s grpc.BidiStreamingServer[text, text]) error {
			_ = s.SendHeader(nil)
			_, err := s.Recv()
			ended <- err
			return err
		},
		"sending": func(s grpc.BidiStreamingServer[text, text]) error {
			for {
				if err := s.Send(&text{}); err != nil {
					ended <- err
					return err
				}
			}
		},
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			client, _ := newEcho(t, &echo{bidi: handler})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			s, err := client.Bidi(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Header(); err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := <-ended; status.Code(err) != codes.Canceled {
				t.Errorf("the handler's call returns %v, want Canceled", err)
			}
			for err = nil; err == nil; {
				_, err = s.Recv()
			}
			if status.Code(err) != codes.Canceled {
				t.Errorf("Recv = %v, want Canceled", err)
			}
		})
	}
}

func TestDeadlineEndsStream(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		client, _ := newEcho(t, newFullEcho())
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		s, err := client.Bidi(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recv(); status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("Recv = %v, want DeadlineExceeded", err)
		}
	})
}

func TestConcurrentCalls(t *testing.T) {
	client, _ := newEcho(t, newFullEcho())
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			want := strconv.Itoa(i)
			if got, err := client.Unary(context.Background(), want); err != nil || got != want {
				t.Errorf("Unary = %q, %v", got, err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel() // half of the streams are left in the middle
			s, err := client.Server(ctx, "50")
			for n := 0; err == nil && n < 25+i; n++ {
				_, err = s.Recv()
			}
			if err != nil && err != io.EOF {
				t.Errorf("Server = %v", err)
			}
			b, err := client.Bidi(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			_ = b.Send(wrapperspb.String(want))
			if got, err := b.Recv(); err != nil || got.GetValue() != want {
				t.Errorf("Bidi = %v, %v", got, err)
			}
		})
	}
	group.Wait()
}
