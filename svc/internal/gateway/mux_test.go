package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"

	spb "google.golang.org/genproto/googleapis/rpc/status"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/gateway"
	"github.com/protosvc/protosvc/svc/propagate"
)

// serve returns the URL of a server for the service.
func serve(t *testing.T, impl *echo) string {
	t.Helper()
	server := httptest.NewServer(newMux(t, impl, gateway.Options{
		Errors:    errors.Table{notFound},
		BodyLimit: 100,
		Headers:   []string{"X-Declared"},
		Propagate: propagate.Keys{{Name: "x-tenant-id", MaxBytes: 8}},
	}))
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		server.Close()
	})
	return server.URL
}

func do(t *testing.T, r *http.Request) *http.Response {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestUnaryOverHTTP(t *testing.T) {
	var got metadata.MD
	var caller *peer.Peer
	url := serve(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
		got, _ = metadata.FromIncomingContext(ctx)
		caller, _ = peer.FromContext(ctx)
		_ = grpc.SetHeader(ctx, metadata.Pairs("x-answer", "42"))
		return in, nil
	}})
	r := request(t, http.MethodPost, url+"/v1/echo", strings.NewReader(`{"requestId":"hello"}`))
	headers := map[string]string{
		"Traceparent":                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"Tracestate":                  "a=b",
		"Baggage":                     "c=d",
		"X-Request-Id":                "r-1",
		"Accept-Language":             "de",
		"X-Declared":                  "e",
		"X-Tenant-Id":                 "acme ~",
		"Grpc-Metadata-Custom":        "f",
		"Authorization":               "Bearer g",
		"X-Other":                     "no",
		"Cookie":                      "no",
		"Grpc-Metadata-Traceparent":   "no",
		"Grpc-Metadata-Authorization": "no",
		"Grpc-Metadata-Grpc-Status":   "no",
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	response := do(t, r)
	body, _ := io.ReadAll(response.Body)
	if want := `{"requestId":"hello","servingData":""}` + "\n"; response.StatusCode != 200 || string(body) != want {
		t.Errorf("response %d %s, want 200 %s", response.StatusCode, body, want)
	}
	if response.Header.Get("Grpc-Metadata-X-Answer") != "42" || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("response headers %v", response.Header)
	}
	for name, value := range headers {
		key, _ := strings.CutPrefix(strings.ToLower(name), "grpc-metadata-")
		if value != "no" && !slices.Equal(got[key], []string{value}) {
			t.Errorf("metadata %s = %q, want %q", key, got[key], value)
		}
	}
	for key, values := range got {
		if strings.Contains(strings.Join(values, ""), "no") {
			t.Errorf("metadata %s = %q got through", key, values)
		}
	}
	if caller.Addr == nil || !strings.HasPrefix(caller.Addr.String(), "127.0.0.1:") || caller.LocalAddr.String() != strings.TrimPrefix(url, "http://") {
		t.Errorf("peer = %v", caller)
	}
}

func TestErrorsOverHTTP(t *testing.T) {
	url := serve(t, &echo{
		server: count,
		unary: func(_ context.Context, in *text) (*text, error) {
			switch in.GetRequestId() {
			case "typed":
				return nil, fmt.Errorf("secret: %w", notFound.New("id", "7"))
			case "foreign detail":
				return nil, status.FromProto(&spb.Status{Code: 9, Message: "m", Details: []*anypb.Any{
					{TypeUrl: "type.googleapis.com/no.such.Message"},
				}}).Err()
			case "unknown":
				return nil, io.ErrUnexpectedEOF
			}
			return in, nil
		},
	})
	long := `{"requestId":"` + strings.Repeat("x", 100) + `"}`
	tests := []struct {
		name, method, path, body string
		chunked                  bool
		header                   string
		status                   int
		code                     codes.Code
		message, violation       string
	}{
		{name: "typed", body: `{"requestId":"typed"}`, status: 410, code: codes.NotFound, message: "7 does not exist"},
		{name: "detail that JSON cannot show", body: `{"requestId":"foreign detail"}`, status: 400, code: codes.FailedPrecondition, message: "m"},
		{name: "unknown", body: `{"requestId":"unknown"}`, status: 500, code: codes.Internal, message: "internal error"},
		{name: "unknown field", body: `{"requestIt":"x"}`, status: 400, code: codes.InvalidArgument, message: "invalid request", violation: `requestIt: line 1, column 2: unknown field "requestIt"`},
		{name: "wrong type", body: `{"requestId":1}`, status: 400, code: codes.InvalidArgument, message: "invalid request", violation: "request_id: line 1, column 14: invalid value for string field requestId: 1"},
		{name: "syntax", body: `{"requestId"`, status: 400, code: codes.InvalidArgument, message: "invalid request", violation: ": JSON ends before it is complete"},
		{name: "more than a message", body: `{} {}`, status: 400, code: codes.InvalidArgument, message: "invalid request", violation: ": line 1, column 4: unexpected token {"},
		{name: "large body", body: long, status: 413, code: codes.ResourceExhausted, message: "request body is too large"},
		{name: "large chunked body", body: long, chunked: true, status: 413, code: codes.ResourceExhausted, message: "request body is too large"},
		{name: "deadline", header: "Grpc-Timeout: soon", status: 400, code: codes.InvalidArgument, message: "invalid grpc-timeout: soon"},
		{name: "no route", path: "/v2/echo", status: 404, code: codes.NotFound, message: `no route for path "/v2/echo"`},
		{name: "wrong method", method: "PUT", status: 405, code: codes.Unimplemented, message: `method PUT is not allowed for path "/v1/echo"`},
		{name: "unknown parameter", method: "GET", path: "/v1/echo?color=red", status: 400, code: codes.InvalidArgument, message: "invalid request", violation: "color: query parameter fits no field of the request"},
		{name: "bytes in a path that are no text", method: "GET", path: "/v1/echo/%ff", status: 400, code: codes.InvalidArgument, message: "invalid request", violation: "request_id: must be text in UTF-8"},
		{name: "text", body: "{}", header: "Content-Type: text/plain", status: 415, code: codes.InvalidArgument, message: `request body must be application/json, not "text/plain"`},
		{name: "JSON of curl", body: `{"requestId":"typed"}`, header: "Content-Type: application/x-www-form-urlencoded", status: 410, code: codes.NotFound, message: "7 does not exist"},
		{name: "form of a page", body: "{}", header: "Content-Type: application/x-www-form-urlencoded\nOrigin: https://elsewhere.example", status: 415, code: codes.InvalidArgument, message: `request body must be application/json, not "application/x-www-form-urlencoded"`},
		{name: "form", body: "a=b", header: "Content-Type: application/x-www-form-urlencoded", status: 415, code: codes.InvalidArgument, message: `request body must be application/json, not "application/x-www-form-urlencoded"`},
		{name: "malformed media type", body: "{}", header: "Content-Type: application/json; x", status: 415, code: codes.InvalidArgument, message: `request body must be application/json, not "application/json; x"`},
		{name: "no form posts", path: "/v1/echo/7", header: "Content-Type: application/x-www-form-urlencoded", status: 405, code: codes.Unimplemented, message: `method POST is not allowed for path "/v1/echo/7"`},
		{name: "stream that fails at once", method: "GET", path: "/v1/echo/x", status: 410, code: codes.NotFound, message: "x does not exist"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var body io.Reader = strings.NewReader(test.body)
			if test.chunked {
				body = io.MultiReader(body) // hides the length
			}
			r := request(t, or(test.method, http.MethodPost), url+or(test.path, "/v1/echo"), body)
			for line := range strings.SplitSeq(test.header, "\n") {
				if name, value, ok := strings.Cut(line, ": "); ok {
					r.Header.Set(name, value)
				}
			}
			response := do(t, r)
			data, _ := io.ReadAll(response.Body)
			var got spb.Status
			if err := protojson.Unmarshal(data, &got); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			if response.StatusCode != test.status || codes.Code(got.GetCode()) != test.code || got.GetMessage() != test.message {
				t.Errorf("%d %s, want %d code %d %q", response.StatusCode, data, test.status, test.code, test.message)
			}
			if violation := violationOf(t, &got); violation != test.violation {
				t.Errorf("violation %q, want %q", violation, test.violation)
			}
			if response.Header.Get("Content-Type") != "application/json" {
				t.Errorf("content type %q", response.Header.Get("Content-Type"))
			}
		})
	}
}

// violationOf is what the error says of a field; empty: it says nothing of fields.
func violationOf(t *testing.T, st *spb.Status) string {
	t.Helper()
	for _, detail := range st.GetDetails() {
		var bad errdetails.BadRequest
		if detail.MessageIs(&bad) {
			if err := detail.UnmarshalTo(&bad); err != nil || len(bad.GetFieldViolations()) != 1 {
				t.Fatalf("%v, %v", &bad, err)
			}
			v := bad.GetFieldViolations()[0]
			return v.GetField() + ": " + v.GetDescription()
		}
	}
	return ""
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

func TestErrorDetailsOverHTTP(t *testing.T) {
	url := serve(t, &echo{unary: func(context.Context, *text) (*text, error) { return nil, notFound.New("id", "7") }})
	response := do(t, request(t, http.MethodPost, url+"/v1/echo", nil)) // an empty body is the empty message
	data, _ := io.ReadAll(response.Body)
	var got spb.Status
	var info errdetails.ErrorInfo
	if err := protojson.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if err := got.GetDetails()[0].UnmarshalTo(&info); err != nil {
		t.Fatal(err)
	}
	if info.GetReason() != "NOT_FOUND" || info.GetDomain() != "test" || info.GetMetadata()["id"] != "7" {
		t.Errorf("error info %v", &info)
	}
}

func TestHeaderThatMayNotTravel(t *testing.T) {
	url := serve(t, &echo{unary: func(_ context.Context, in *text) (*text, error) { return in, nil }})
	for _, value := range []string{"é", "a\tb"} {
		r := request(t, http.MethodPost, url+"/v1/echo", strings.NewReader(`{}`))
		r.Header.Set("X-Tenant-Id", value)
		response := do(t, r)
		data, _ := io.ReadAll(response.Body)
		if response.StatusCode != 400 || !strings.Contains(string(data), `"INVALID_METADATA"`) || strings.Contains(string(data), value) {
			t.Errorf("%q is answered with %d %s", value, response.StatusCode, data)
		}
	}
}

func TestRetryAfterOverHTTP(t *testing.T) {
	for delay, want := range map[time.Duration]string{0: "", 200 * time.Millisecond: "1", 2 * time.Second: "2"} {
		busy := &errors.Code{Domain: "test", Reason: "BUSY", GRPC: codes.Unavailable, Retryable: true, RetryDelay: delay}
		url := serve(t, &echo{unary: func(context.Context, *text) (*text, error) { return nil, busy }})
		response := do(t, request(t, http.MethodPost, url+"/v1/echo", nil))
		if got := response.Header.Get("Retry-After"); got != want || response.StatusCode != 503 {
			t.Errorf("a delay of %v gives %d, Retry-After %q, want %q", delay, response.StatusCode, got, want)
		}
	}
}

func TestServerStreamOverHTTP(t *testing.T) {
	next := make(chan struct{})
	url := serve(t, &echo{server: func(in *text, s grpc.ServerStreamingServer[text]) error {
		for i := range 2 {
			if err := s.Send(newText(fmt.Sprint(in.GetRequestId(), i))); err != nil {
				return err
			}
			<-next // the client has read this one
		}
		return notFound.New("id", "7")
	}})
	response := do(t, request(t, http.MethodGet, url+"/v1/echo/m", nil))
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("status %d, headers %v", response.StatusCode, response.Header)
	}
	lines := bufio.NewScanner(response.Body)
	for _, want := range []string{`{"result":"m0"}`, `{"result":"m1"}`} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("line %q, want %q", lines.Text(), want)
		}
		next <- struct{}{}
	}
	var last struct {
		Error struct {
			Code    int
			Message string
			Details []map[string]any
		}
	}
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &last) != nil {
		t.Fatalf("last line %q", lines.Text())
	}
	if last.Error.Code != 5 || last.Error.Message != "7 does not exist" || last.Error.Details[0]["reason"] != "NOT_FOUND" {
		t.Errorf("last line %q", lines.Text())
	}
	if lines.Scan() {
		t.Errorf("line %q after the error", lines.Text())
	}
}

func TestClientThatGoesAwayEndsHandler(t *testing.T) {
	handled := make(chan error, 1)
	started := make(chan struct{}, 1)
	url := serve(t, &echo{
		unary: func(ctx context.Context, _ *text) (*text, error) {
			started <- struct{}{}
			<-ctx.Done()
			handled <- ctx.Err()
			return nil, ctx.Err()
		},
		server: func(_ *text, s grpc.ServerStreamingServer[text]) error {
			if err := s.Send(&text{}); err != nil {
				return err
			}
			started <- struct{}{}
			<-s.Context().Done()
			handled <- s.Context().Err()
			return s.Context().Err()
		},
	})
	for method, path := range map[string]string{http.MethodPost: "/v1/echo", http.MethodGet: "/v1/echo/x"} {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			<-started
			cancel()
		}()
		response, err := http.DefaultClient.Do(request(t, method, url+path, nil).WithContext(ctx))
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
		if err == nil {
			t.Errorf("%s %s ended without an error", method, path)
		}
		if err := <-handled; err != context.Canceled {
			t.Errorf("%s %s: the handler's context ends with %v", method, path, err)
		}
		cancel()
	}
}

// A service is served over HTTP by the routes of its contract.
func ExampleMux() {
	methods := gateway.NewMethods()
	methods.RegisterService(&echoDesc, &echo{server: count})
	mux, err := gateway.NewMux(methods, routes, gateway.Options{Errors: errors.Table{notFound}})
	if err != nil {
		fmt.Println(err)
	}

	for _, path := range []string{"/v1/echo/2", "/v1/echo/two"} {
		response := httptest.NewRecorder()
		mux.ServeHTTP(response, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Println(response.Code)
		if response.Code == http.StatusOK {
			fmt.Print(response.Body)
		}
	}
	// Output:
	// 200
	// {"result":"0"}
	// {"result":"1"}
	// 410
}
