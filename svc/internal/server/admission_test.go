package server_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/pushback"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
)

// waiting is an echo of which every handler waits for release, and tells that it
// has been reached.
func waiting(reached chan<- struct{}, release <-chan struct{}) echo {
	e := failing(func() error { reached <- struct{}{}; <-release; return nil })
	e.unary = func(_ context.Context, in *text) (*text, error) {
		reached <- struct{}{}
		<-release
		return in, nil
	}
	return e
}

// Whichever limit is reached, unary calls and streams of any kind are refused at
// once, with the time after which to try again, and let in when there is room.
func TestCallsAreRefused(t *testing.T) {
	perMethod := func(m *policy.Method) { m.Concurrency = 1 }
	for _, test := range []struct {
		name   string
		method string
		setup  setup
		limit  string
	}{
		{"unary by the method", unaryName, setup{policy: perMethod}, "method"},
		{"unary by the server", unaryName, setup{options: server.Options{Concurrency: 1}}, "server"},
		{"unary by an adaptive limit of the server", unaryName, setup{options: server.Options{Concurrency: 1, Adaptive: true}}, "server"},
		{"server stream", serverName, setup{policy: perMethod}, "method"},
		{"client stream", clientName, setup{policy: perMethod}, "method"},
		{"bidi stream", bidiName, setup{policy: perMethod}, "method"},
	} {
		t.Run(test.name, func(t *testing.T) {
			reached, release := make(chan struct{}, 10), make(chan struct{})
			test.setup.echo = waiting(reached, release)
			test.setup.validate = func(in *text) error {
				if in.GetValue() == "bad" {
					t.Error("a refused request is validated")
				}
				return nil
			}
			f := start(t, test.setup)
			first := make(chan error, 1)
			go func() { _, err := call(within(t), f.conn, test.method, "hello"); first <- err }()
			<-reached
			_, err := call(within(t), f.conn, test.method, "bad")
			assertRefused(t, err, svcerrors.Overloaded, time.Second, time.Second)
			if got := f.value(t, "grpc_server_refused_total", test.method, ""); got != 1 {
				t.Errorf("%v refusals are counted, want 1", got)
			}
			if got := f.value(t, "grpc_server_handled_total", test.method, "ResourceExhausted"); got != 1 {
				t.Errorf("%v calls ended with ResourceExhausted, want 1", got)
			}
			close(release)
			if err := <-first; err != nil {
				t.Errorf("the first call: %v", err)
			}
			f.settle(t)
			if _, err := call(within(t), f.conn, test.method, "hello"); err != nil {
				t.Errorf("with room again: %v", err)
			}
			if lines := f.log.lines(t, "calls refused"); len(lines) != 1 || lines[0]["limit"] != test.limit {
				t.Errorf("logged: %v", lines)
			}
		})
	}
}

func assertRefused(t *testing.T, err error, want *svcerrors.Code, least, most time.Duration) {
	t.Helper()
	if status.Code(err) != codes.ResourceExhausted || !want.Is(svcerrors.FromStatus(err, nil)) {
		t.Fatalf("got %v, want %s", err, want.Reason)
	}
	if wait := pushback.Delay(status.Convert(err)); wait < least || wait > most {
		t.Errorf("to be tried again after %v, want %v to %v", wait, least, most)
	}
}

// The limit of the server is about unary methods: streams stay for long and do
// little, so they have limits of their own.
func TestServerLimitLeavesStreamsOut(t *testing.T) {
	f := start(t, setup{options: server.Options{Concurrency: 1}})
	for range 3 {
		stream, err := f.conn.NewStream(within(t), &echoDesc.Streams[2], bidiName)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.SendMsg(wrapperspb.String("hello")); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(new(text)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = stream.CloseSend() }()
	}
	if _, err := call(within(t), f.conn, unaryName, "hello"); err != nil {
		t.Error(err)
	}
}

// A call that the server's limit refuses gives back its place in that of its method.
func TestRefusalLeavesNoTrace(t *testing.T) {
	b := server.New(server.Options{Concurrency: 1})
	reached, release := make(chan struct{}), make(chan struct{})
	other := server.BindUnary(b, policy.Method{Name: "/test.v1.EchoService/Other"}, nil, func(_ context.Context, in *text) (*text, error) {
		close(reached)
		<-release
		return in, nil
	})
	m := server.BindUnary(b, policy.Method{Name: unaryName, Concurrency: 1}, nil,
		func(_ context.Context, in *text) (*text, error) { return in, nil })
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := other.Call(t.Context(), wrapperspb.String("hello")); err != nil {
			t.Error(err)
		}
	})
	<-reached
	_, err := m.Call(t.Context(), wrapperspb.String("hello"))
	assertRefused(t, err, svcerrors.Overloaded, time.Second, time.Second)
	close(release)
	wg.Wait()
	if _, err := m.Call(t.Context(), wrapperspb.String("hello")); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// A panic gives the place back, too.
func TestPanicLeaves(t *testing.T) {
	f := start(t, setup{
		policy:  func(m *policy.Method) { m.Concurrency = 1 },
		options: server.Options{Concurrency: 1},
		echo: echo{
			unary:      func(context.Context, *text) (*text, error) { panic("boom") },
			bidiStream: func(grpc.BidiStreamingServer[text, text]) error { panic("boom") },
		},
	})
	for range 3 {
		for _, name := range []string{unaryName, bidiName} {
			if _, err := call(within(t), f.conn, name, "hello"); status.Code(err) != codes.Internal {
				t.Errorf("%s: got %v, want the panic", name, err)
			}
			f.settle(t)
		}
	}
}

func TestRateLimit(t *testing.T) {
	for _, name := range []string{unaryName, serverName, clientName, bidiName} {
		t.Run(name, func(t *testing.T) {
			f := start(t, setup{policy: func(m *policy.Method) {
				m.RateLimit = policy.RateLimit{PerSecond: .01, Burst: 2, Key: "x-tenant-id"}
			}})
			as := func(tenant string) error {
				_, err := call(metadata.AppendToOutgoingContext(within(t), "x-tenant-id", tenant), f.conn, name, "hello")
				return err
			}
			for i := range 2 {
				if err := as("ada"); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			}
			assertRefused(t, as("ada"), svcerrors.RateLimited, 90*time.Second, 100*time.Second)
			if err := as("bob"); err != nil {
				t.Errorf("another caller: %v", err)
			}
			// Without the key, callers are told apart by their address: here all one.
			for i := range 2 {
				if _, err := call(within(t), f.conn, name, "hello"); err != nil {
					t.Errorf("call %d without the key: %v", i, err)
				}
			}
			_, err := call(within(t), f.conn, name, "hello")
			assertRefused(t, err, svcerrors.RateLimited, 90*time.Second, 100*time.Second)
			if got := f.value(t, "grpc_server_refused_total", name, ""); got != 2 {
				t.Errorf("%v refusals are counted, want 2", got)
			}
		})
	}
}

// Callers are told apart by address whatever their port, IPv4 written as IPv6
// included, and of IPv6 by network; those without an address share a bucket.
func TestRateLimitByAddress(t *testing.T) {
	b := server.New(server.Options{})
	m := server.BindUnary(b, policy.Method{Name: unaryName, RateLimit: policy.RateLimit{PerSecond: .001, Burst: 1}}, nil,
		func(_ context.Context, in *text) (*text, error) { return in, nil })
	for _, test := range []struct {
		from string
		code codes.Code
	}{
		{"192.0.2.1:1000", codes.OK},
		{"192.0.2.1:2000", codes.ResourceExhausted},
		{"[::ffff:192.0.2.1]:3000", codes.ResourceExhausted},
		{"192.0.2.2:1000", codes.OK},
		{"[2001:db8::1]:1000", codes.OK},
		{"[2001:db8::2]:1000", codes.ResourceExhausted},
		{"[2001:db8:0:1::1]:1000", codes.OK},
		{"", codes.OK},
		{"", codes.ResourceExhausted},
	} {
		ctx := context.Background()
		if test.from != "" {
			ctx = peer.NewContext(ctx, &peer.Peer{Addr: tcp(test.from)})
		}
		if _, err := m.Call(ctx, wrapperspb.String("hello")); status.Code(err) != test.code {
			t.Errorf("from %q: got %v, want %v", test.from, err, test.code)
		}
	}
}

// Whatever is refused, concurrent calls keep the books straight.
func TestAdmissionUnderContention(t *testing.T) {
	f := start(t, setup{
		policy:  func(m *policy.Method) { m.Concurrency = 4 },
		options: server.Options{Concurrency: 6, Adaptive: true},
	})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				for _, name := range []string{unaryName, bidiName} {
					_, err := call(within(t), f.conn, name, "hello")
					if code := status.Code(err); code != codes.OK && code != codes.ResourceExhausted {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
		})
	}
	wg.Wait()
	f.settle(t)
	for _, name := range []string{unaryName, bidiName} {
		if _, err := call(within(t), f.conn, name, "hello"); err != nil {
			t.Errorf("after it all, %s: %v", name, err)
		}
		started, handled := f.value(t, "grpc_server_started_total", name, ""), f.value(t, "grpc_server_handled_total", name, "")
		if started != handled || started != 801 {
			t.Errorf("%s: %v started, %v handled, want 801 of both", name, started, handled)
		}
	}
}

func tcp(address string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address)) }
