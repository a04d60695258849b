package client_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
)

var thrice = policy.Retry{
	Attempts: 3, InitialBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond, Codes: []codes.Code{codes.Unavailable},
}

// retried starts a server as generated code makes it, and returns a connection to it.
func retried(t *testing.T, retry policy.Retry, answer func(attempt int64) error) (conn *client.Conn, attempts *atomic.Int64) {
	t.Helper()
	attempts = new(atomic.Int64)
	m := policy.Method{Name: unaryMethod, Timeout: 5 * time.Second, Retry: retry}
	bound := server.BindUnary(server.New(server.Options{}), m, nil, func(_ context.Context, in *text) (*text, error) {
		return in, answer(attempts.Add(1))
	})
	spec := echoSpec()
	spec.Methods = []policy.Method{m}
	conn = dial(t, spec, client.Options{}, startInMemory(t, &echo{unary: bound.Call}))
	if err := conn.Check(soon(t)); err != nil {
		t.Fatal(err)
	}
	return conn, attempts
}

func after(delay time.Duration) error {
	return errors.Unavailable.New().WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(delay)})
}

func TestRetryWaitsAsTheServerSays(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		conn, attempts := retried(t, thrice, func(n int64) error {
			if n == 1 {
				return after(100 * time.Millisecond)
			}
			return nil
		})
		start := time.Now()
		_, err := unary(soon(t), conn, "")
		if took := time.Since(start); err != nil || attempts.Load() != 2 || took != 100*time.Millisecond {
			t.Errorf("error %v after %d attempts and %v, want the second one after 100ms", err, attempts.Load(), took)
		}
	})
}

func TestRetryNeverAfterTheDeadline(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		conn, attempts := retried(t, thrice, func(int64) error { return after(time.Minute) })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := unary(ctx, conn, "")
		if took := time.Since(start); err == nil || attempts.Load() != 1 || took != 100*time.Millisecond {
			t.Errorf("error %v after %d attempts and %v, want one until the deadline", err, attempts.Load(), took)
		}
	})
}

func TestNoRetryWithoutPolicy(t *testing.T) {
	conn, attempts := retried(t, policy.Retry{}, func(int64) error { return after(time.Millisecond) })
	_, err := unary(soon(t), conn, "")
	if status.Code(err) != codes.Unavailable || attempts.Load() != 1 {
		t.Errorf("error %v after %d attempts, want Unavailable after one", err, attempts.Load())
	}
}

// A callee that fails gets half of the 100 tokens on top of the calls.
func TestRetriesAreThrottled(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const calls = 200
		conn, attempts := retried(t, thrice, func(int64) error { return errors.Unavailable })
		for range calls {
			_, _ = unary(soon(t), conn, "")
		}
		if got := attempts.Load(); got <= calls || got > calls+50 {
			t.Errorf("%d calls made %d attempts, want up to %d", calls, got, calls+50)
		}
	})
}
