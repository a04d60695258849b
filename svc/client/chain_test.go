package client_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/database"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
)

// hop is a service of a chain, as generated code makes it of its contract.
type hop struct {
	name    string
	timeout time.Duration // of every method
	work    func(ctx context.Context, method string) error
}

// start serves the hop and returns a connection to it as its callers have one.
func (h hop) start(t *testing.T) *client.Conn {
	b := server.New(server.Options{})
	with := func(method string) policy.Method { return policy.Method{Name: method, Timeout: h.timeout} }
	unaryCall := server.BindUnary(b, with(unaryMethod), nil, func(ctx context.Context, in *text) (*text, error) {
		return in, h.work(ctx, unaryMethod)
	})
	streamCall := server.BindBidiStream(b, with(bidiMethod), nil, func(s grpc.BidiStreamingServer[text, text]) error {
		name, _ := grpc.MethodFromServerStream(s)
		return h.work(s.Context(), name)
	})
	at := startInMemory(t, &echo{unary: unaryCall.Call, stream: func(s grpc.ServerStream) error {
		return streamCall.Call(&grpc.GenericServerStream[text, text]{ServerStream: s})
	}})
	spec := echoSpec()
	for i := range spec.Methods {
		spec.Methods[i].Timeout = h.timeout
	}
	return dial(t, spec, client.Options{}, at)
}

// call makes a call of the method and waits for its end.
func call(ctx context.Context, conn *client.Conn, method string) error {
	for i, s := range echoDesc.Streams {
		if method != "/"+service+"/"+s.StreamName {
			continue
		}
		stream, err := conn.NewStream(ctx, &echoDesc.Streams[i], method)
		if err != nil {
			return err
		}
		if err := stream.SendMsg(&text{}); err != nil && err != io.EOF {
			return err
		}
		if !s.ClientStreams {
			_ = stream.CloseSend()
		}
		return stream.RecvMsg(&text{})
	}
	return conn.Invoke(ctx, method, &text{}, &text{})
}

var allMethods = []string{unaryMethod, serverMethod, clientMethod, bidiMethod}

// event is what a hop has to tell: how much time a call has when it arrives, or
// with which error its work ended.
type event struct {
	hop  string
	left time.Duration
	err  error
}

// chain starts three services, each of which calls the next. The last one works.
func chain(t *testing.T, timeouts [3]time.Duration, work func(ctx context.Context, method string) error) (first *client.Conn, arrived, ended <-chan event) {
	t.Helper()
	in, out := make(chan event, 10), make(chan event, 10)
	for i := 2; i >= 0; i-- {
		next, name := work, fmt.Sprint("hop ", i)
		observed := func(ctx context.Context, method string) error {
			e := event{hop: name}
			if deadline, ok := ctx.Deadline(); ok {
				e.left = time.Until(deadline)
			}
			in <- e
			e.err = next(ctx, method)
			out <- e
			return e.err
		}
		first = hop{name, timeouts[i], observed}.start(t)
		if err := first.Check(soon(t)); err != nil {
			t.Fatal(err)
		}
		conn := first
		work = func(ctx context.Context, method string) error { return call(ctx, conn, method) }
	}
	return first, in, out
}

func take(t *testing.T, events <-chan event) event {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("nothing happened for 10s")
		return event{}
	}
}

func TestDeadlineShrinksAlongTheChain(t *testing.T) {
	const no = 0
	tests := map[string]struct {
		caller   time.Duration
		timeouts [3]time.Duration
		left     [3]time.Duration // at each hop
	}{
		"the contract's where the caller has none": {no, [3]time.Duration{500 * time.Millisecond, no, no}, [3]time.Duration{500 * time.Millisecond, 500 * time.Millisecond, 500 * time.Millisecond}},
		"shorter ones further down hold":           {no, [3]time.Duration{2 * time.Second, time.Second, 400 * time.Millisecond}, [3]time.Duration{2 * time.Second, time.Second, 400 * time.Millisecond}},
		"longer ones further down do not":          {no, [3]time.Duration{500 * time.Millisecond, time.Minute, time.Hour}, [3]time.Duration{500 * time.Millisecond, 500 * time.Millisecond, 500 * time.Millisecond}},
		"the caller's is the shortest":             {400 * time.Millisecond, [3]time.Duration{time.Minute, time.Minute, time.Minute}, [3]time.Duration{400 * time.Millisecond, 400 * time.Millisecond, 400 * time.Millisecond}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				first, arrived, ended := chain(t, test.timeouts, func(ctx context.Context, _ string) error {
					<-ctx.Done()
					return ctx.Err()
				})
				for _, method := range allMethods {
					ctx, cancel := context.WithCancel(context.Background())
					if test.caller > 0 {
						ctx, cancel = context.WithTimeout(ctx, test.caller)
					}
					start := time.Now()
					err := call(ctx, first, method)
					took := time.Since(start)
					cancel()
					if status.Code(err) != codes.DeadlineExceeded || took != test.left[2] {
						t.Errorf("%s: %v after %v, want DeadlineExceeded after %v", method, err, took, test.left[2])
					}
					for i, left := range test.left {
						if e := take(t, arrived); e.left != left {
							t.Errorf("%s: %s has %v left, want %v", method, e.hop, e.left, left)
						} else if want := fmt.Sprint("hop ", i); e.hop != want {
							t.Errorf("%s: %s is called, want %s", method, e.hop, want)
						}
					}
					for range 3 { // the work has stopped everywhere
						if e := take(t, ended); e.err == nil {
							t.Errorf("%s: the work of %s ended without an error", method, e.hop)
						}
					}
				}
			})
		})
	}
}

// The work is a query that does not end by itself.
func TestWorkStopsWhenTheCallerIsGone(t *testing.T) {
	db, err := database.Open(t.Context(), database.Options{URL: "sqlite::memory:", MaxConnections: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	query := func(ctx context.Context, _ string) error {
		var n int64
		return db.QueryRowContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n").Scan(&n)
	}
	first, arrived, ended := chain(t, [3]time.Duration{time.Minute, time.Minute, time.Minute}, query)
	for _, method := range allMethods {
		t.Run(method, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			result := make(chan error, 1)
			go func() { result <- call(ctx, first, method) }()
			for range 3 {
				take(t, arrived)
			}
			select {
			case e := <-ended:
				t.Fatalf("%s ended by itself: %v", e.hop, e.err)
			case <-time.After(20 * time.Millisecond):
			}
			cancel()
			if err := <-result; status.Code(err) != codes.Canceled {
				t.Errorf("the call ended with %v, want Canceled", err)
			}
			for range 3 {
				if e := take(t, ended); e.err == nil {
					t.Errorf("the work of %s ended without an error", e.hop)
				}
			}
		})
	}
}
