package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
)

// Calls over HTTP/JSON pass the limits of the contract too, each caller by the
// address that it comes from.
func TestLimitsOverHTTP(t *testing.T) {
	b := server.New(server.Options{})
	m := server.BindUnary(b, policy.Method{Name: unaryMethod, RateLimit: policy.RateLimit{PerSecond: .1, Burst: 2}}, nil,
		func(_ context.Context, in *text) (*text, error) { return wrapperspb.String(in.GetValue()), nil })
	url := serve(t, &echo{unary: m.Call})
	for i, want := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests} {
		response := do(t, request(t, http.MethodPost, url+"/v1/echo", strings.NewReader(`{"requestId":"hello"}`)))
		if response.StatusCode != want {
			t.Errorf("call %d: %s, want %d", i, response.Status, want)
		}
		if wait := response.Header.Get("Retry-After"); want == http.StatusTooManyRequests && wait != "10" {
			t.Errorf("call %d: Retry-After is %q, want 10", i, wait)
		}
	}
}

// A stream over HTTP/JSON ends at its bounds too, with the reason in its last line.
func TestStreamBoundsOverHTTP(t *testing.T) {
	b := server.New(server.Options{})
	m := server.BindServerStream(b, policy.Method{Name: serverMethod, Stream: policy.Stream{MaxAge: 100 * time.Millisecond}}, nil,
		func(in *text, s grpc.ServerStreamingServer[text]) error {
			if err := s.Send(in); err != nil {
				return err
			}
			<-s.Context().Done()
			return s.Context().Err()
		})
	url := serve(t, &echo{server: m.Call})
	response := do(t, request(t, http.MethodGet, url+"/v1/echo/hello", nil))
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), "hello") || !strings.Contains(string(body), "STREAM_MAX_AGE") {
		t.Errorf("%s, %v:\n%s", response.Status, err, body)
	}
	if err := b.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}
