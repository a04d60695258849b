package client_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/policy"
)

func named(name string) *echo {
	return &echo{unary: func(context.Context, *text) (*text, error) { return wrapperspb.String(name), nil }}
}

func TestBalanceAndHealth(t *testing.T) {
	for _, balance := range []string{"round_robin", "least_request"} {
		t.Run(balance, func(t *testing.T) {
			a, b := startBackend(t, named("a")), startBackend(t, named("b"))
			conn := dial(t, echoSpec(), client.Options{Balance: balance}, a, b)
			ctx := soon(t)
			awaitAnswers(t, ctx, conn, "ab")
			b.health.SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
			awaitAnswers(t, ctx, conn, "a")
			b.health.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
			awaitAnswers(t, ctx, conn, "ab")
		})
	}
}

// awaitAnswers calls until forty calls in a row were answered by just these
// backends: connecting and health checks take their time.
func awaitAnswers(t *testing.T, ctx context.Context, conn *client.Conn, want string) {
	t.Helper()
	got := map[string]int{}
	for ctx.Err() == nil {
		clear(got)
		for range 40 {
			name, err := unary(ctx, conn, "")
			if err != nil {
				t.Fatal(err)
			}
			got[name]++
		}
		if len(got) == len(want) && got[want[:1]] > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond) // or the clock of a bubble would stand still
	}
	t.Fatalf("answers %v, want those of %q", got, want)
}

func TestRetry(t *testing.T) {
	retry := policy.Retry{
		Attempts: 3, InitialBackoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond,
		Codes: []codes.Code{codes.Unavailable},
	}
	tests := map[string]struct {
		fails    int64
		err      error
		attempts int64
		want     codes.Code
	}{
		"succeeds at last":  {2, errors.Unavailable, 3, codes.OK},
		"gives up":          {9, errors.Unavailable, 3, codes.Unavailable},
		"not for the code":  {9, notFound, 1, codes.NotFound},
		"no failure at all": {0, nil, 1, codes.OK},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var attempts atomic.Int64
			b := startBackend(t, &echo{unary: func(context.Context, *text) (*text, error) {
				if attempts.Add(1) <= test.fails {
					return nil, test.err
				}
				return &text{}, nil
			}})
			spec := echoSpec()
			spec.Methods = []policy.Method{{Name: unaryMethod, Retry: retry}}
			_, err := unary(soon(t), dial(t, spec, client.Options{}, b), "")
			if status.Code(err) != test.want || attempts.Load() != test.attempts {
				t.Errorf("error %v after %d attempts, want %v after %d", err, attempts.Load(), test.want, test.attempts)
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		left := make(chan time.Duration, 2)
		wait := func(ctx context.Context) error {
			deadline, _ := ctx.Deadline()
			left <- time.Until(deadline)
			<-ctx.Done()
			return ctx.Err()
		}
		b := startInMemory(t, &echo{
			unary:  func(ctx context.Context, _ *text) (*text, error) { return nil, wait(ctx) },
			stream: func(s grpc.ServerStream) error { return wait(s.Context()) },
		})
		const timeout = 50 * time.Millisecond
		spec := echoSpec()
		spec.Methods = []policy.Method{{Name: unaryMethod, Timeout: timeout}, {Name: bidiMethod, Timeout: timeout}}
		conn := dial(t, spec, client.Options{}, b)

		_, unaryErr := unary(context.Background(), conn, "")
		s, err := conn.NewStream(context.Background(), &echoDesc.Streams[2], bidiMethod)
		if err != nil {
			t.Fatal(err)
		}
		for kind, err := range map[string]error{"unary": unaryErr, "stream": s.RecvMsg(&text{})} {
			if status.Code(err) != codes.DeadlineExceeded {
				t.Errorf("%s: error = %v, want DeadlineExceeded", kind, err)
			}
			if got := <-left; got != timeout {
				t.Errorf("the handler has %v left, want %v", got, timeout)
			}
		}
	})
}

func TestTypedErrors(t *testing.T) {
	b := startBackend(t, &echo{
		unary: func(context.Context, *text) (*text, error) { return nil, fmt.Errorf("x: %w", notFound.New("id", "7")) },
		stream: func(s grpc.ServerStream) error {
			for range 2 { // a request, and its end
				_ = s.RecvMsg(&text{})
			}
			return notFound.New("id", "7")
		},
	})
	conn := dial(t, echoSpec(), client.Options{}, b)
	calls := map[string]func() error{
		unaryMethod: func() error { return conn.Invoke(soon(t), unaryMethod, &text{}, &text{}) },
		otherMethod: func() error { return conn.Invoke(soon(t), otherMethod, &text{}, &text{}) }, // not in the spec
	}
	for i, name := range []string{serverMethod, clientMethod, bidiMethod} {
		calls[name] = func() error {
			s, err := conn.NewStream(soon(t), &echoDesc.Streams[i], name)
			if err != nil {
				return err
			}
			if err := stderrors.Join(s.SendMsg(&text{}), s.CloseSend()); err != nil {
				return err
			}
			return s.RecvMsg(&text{})
		}
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			err := call()
			var typed *errors.Error
			if !stderrors.As(err, &typed) || typed.Code != notFound || typed.Metadata["id"] != "7" {
				t.Errorf("error = %#v, want notFound with its metadata", err)
			}
			if !stderrors.Is(err, notFound) {
				t.Error("errors.Is does not find it")
			}
		})
	}
}

func TestStreamEndsWithEOF(t *testing.T) {
	conn := dial(t, echoSpec(), client.Options{}, startBackend(t, &echo{stream: sendBack}))
	s, err := conn.NewStream(soon(t), &echoDesc.Streams[2], bidiMethod)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := s.RecvMsg(&text{}); err != io.EOF {
		t.Errorf("end = %v, want EOF itself", err)
	}
}

// What is not in the contract, such as the health of the callee, is called too.
func TestStreamBesideTheContract(t *testing.T) {
	b := startBackend(t, named("a"))
	conn := dial(t, echoSpec(), client.Options{}, b)
	watch := func() (healthpb.HealthCheckResponse_ServingStatus, error) {
		s, err := healthpb.NewHealthClient(conn).Watch(soon(t), &healthpb.HealthCheckRequest{Service: service})
		if err != nil {
			return 0, err
		}
		answer, err := s.Recv()
		return answer.GetStatus(), err
	}
	if got, err := watch(); got != healthpb.HealthCheckResponse_SERVING || err != nil {
		t.Errorf("health = %v, %v", got, err)
	}
	_ = conn.Close()
	if _, err := watch(); status.Code(err) != codes.Canceled {
		t.Errorf("health over a closed connection = %v", err)
	}
}

func TestCheck(t *testing.T) {
	b := startBackend(t, named("a"))
	b.health.SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
	conn := dial(t, echoSpec(), client.Options{}, b)

	if err := conn.Check(soon(t)); err == nil || err.Error() != "test.v1.Echo at echo:///: connection active but health check failed. status=NOT_SERVING" {
		t.Errorf("Check of a backend that does not serve = %v", err)
	}

	b.health.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
	for end := soon(t); conn.Check(end) != nil; time.Sleep(time.Millisecond) {
		if end.Err() != nil {
			t.Fatalf("Check = %v", conn.Check(context.Background()))
		}
	}
	_ = conn.Close()
	if err := conn.Check(soon(t)); err == nil || err.Error() != "test.v1.Echo at echo:/// is not reachable (SHUTDOWN)" {
		t.Errorf("Check of a closed connection = %v", err)
	}
}

func TestTargetOfOptions(t *testing.T) {
	b := startBackend(t, named("a"))
	conn := dial(t, echoSpec(), client.Options{Target: "dns:///" + b.address})
	if got, err := unary(soon(t), conn, ""); err != nil || got != "a" {
		t.Errorf("answer %q, %v", got, err)
	}
}

func TestConcurrentCalls(t *testing.T) {
	conn := dial(t, echoSpec(), client.Options{},
		startBackend(t, &echo{unary: same, stream: sendBack}), startBackend(t, &echo{unary: same, stream: sendBack}))
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			want := fmt.Sprint(i)
			if got, err := unary(soon(t), conn, want); err != nil || got != want {
				t.Errorf("unary answer %q, %v", got, err)
			}
			ctx, cancel := context.WithCancel(soon(t))
			defer cancel()
			s, err := conn.NewStream(ctx, &echoDesc.Streams[2], bidiMethod)
			if err != nil {
				t.Error(err)
				return
			}
			out := new(text)
			if err := stderrors.Join(s.SendMsg(wrapperspb.String(want)), s.RecvMsg(out)); err != nil || out.GetValue() != want {
				t.Errorf("stream answer %q, %v", out.GetValue(), err)
			}
		})
	}
	group.Wait()
}

// A generated client takes the connection as it takes grpc's own.
func ExampleDial() {
	conn, err := client.Dial(client.Spec{
		Service: "grpc.health.v1.Health",
		Target:  "dns:///user-headless:9090",
		Methods: []policy.Method{{Name: healthpb.Health_Check_FullMethodName, Timeout: time.Second}},
	}, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	health := healthpb.NewHealthClient(conn)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = health.Check(ctx, &healthpb.HealthCheckRequest{})
	fmt.Println(status.Code(err))
	// Output: Canceled
}
