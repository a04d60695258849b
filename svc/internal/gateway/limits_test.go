package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// Calls over HTTP/JSON pass the limits of the contract too, each caller by the
// address that it comes from.
func TestLimitsOverHTTP(t *testing.T) {
	b := server.New(server.Options{})
	m := server.BindUnary(b, policy.Method{Name: unaryMethod, RateLimit: policy.RateLimit{PerSecond: .1, Burst: 2}}, nil,
		func(_ context.Context, in *text) (*text, error) { return newText(in.GetRequestId()), nil })
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

// A response is encoded as a part of its call: whoever returned it may change it then.
func TestResponseIsEncodedInCall(t *testing.T) {
	m := server.BindUnary(server.New(server.Options{}), policy.Method{Name: unaryMethod}, nil, same)
	url := serve(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
		out, err := m.Call(ctx, in)
		out.RequestId = "changed"
		return out, err
	}})
	response := do(t, request(t, http.MethodGet, url+"/v1/echo?request_id=first", nil))
	if body, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(body), "first") {
		t.Errorf("%s, %v", body, err)
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

// A response that cannot be written is the outcome of its call, for metrics and the log too.
func TestOutcomeOfResponseThatJSONCannotShow(t *testing.T) {
	registry, log := metrics.New(metrics.BuildInfo{}), new(strings.Builder)
	b := server.New(server.Options{Metrics: registry, Log: slog.New(slog.NewTextHandler(log, nil))})
	bad := func(context.Context, *text) (*text, error) { return newText("\xff"), nil }
	inner := server.BindUnary(b, policy.Method{Name: "/test.v1.Echo/Inner"}, nil, bad)
	unary := server.BindUnary(b, policy.Method{Name: unaryMethod}, nil, func(ctx context.Context, in *text) (*text, error) {
		if in.GetRequestId() == "inner" {
			_, err := inner.Call(ctx, in) // which is not the answer
			return in, err
		}
		return bad(ctx, in)
	})
	stream := server.BindServerStream(b, policy.Method{Name: serverMethod}, nil, func(_ *text, s grpc.ServerStreamingServer[text]) error {
		return s.Send(newText("\xff"))
	})
	url := serve(t, &echo{unary: unary.Call, server: stream.Call})
	for path, want := range map[string]int{"/v1/echo": 500, "/v1/echo/x": 500, "/v1/echo?request_id=inner": 200} {
		if response := do(t, request(t, http.MethodGet, url+path, nil)); response.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, response.Status, want)
		}
	}
	if err := b.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	page := httptest.NewRecorder()
	registry.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`grpc_server_handled_total{grpc_code="Internal",grpc_method="Unary",grpc_service="test.v1.Echo",grpc_type="unary"} 1`,
		`grpc_server_handled_total{grpc_code="OK",grpc_method="Unary",grpc_service="test.v1.Echo",grpc_type="unary"} 1`,
		`grpc_server_handled_total{grpc_code="OK",grpc_method="Inner",grpc_service="test.v1.Echo",grpc_type="unary"} 1`,
		`grpc_server_handled_total{grpc_code="Internal",grpc_method="Server",grpc_service="test.v1.Echo",grpc_type="server_stream"} 1`,
	} {
		if !strings.Contains(page.Body.String(), "\n"+want+"\n") {
			t.Errorf("the metrics do not say %s", want)
		}
	}
	for _, rpc := range []string{unaryMethod, serverMethod} {
		if lines := strings.Count(log.String(), "msg=\"call failed\" rpc="+rpc+" code=Internal"); lines != 1 {
			t.Errorf("%d lines say that %s failed:\n%s", lines, rpc, log)
		}
	}
	if strings.Count(log.String(), "contains invalid UTF-8") != 2 {
		t.Errorf("the log does not say why:\n%s", log)
	}
}
