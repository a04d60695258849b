package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/gateway"
)

// count answers with the numbers below the one in the request.
func count(in *text, s grpc.ServerStreamingServer[text]) error {
	n, err := strconv.Atoi(in.GetRequestId())
	if err != nil {
		return notFound.New("id", in.GetRequestId())
	}
	for i := range n {
		if err := s.Send(newText(strconv.Itoa(i))); err != nil {
			return err
		}
	}
	return nil
}

func same(_ context.Context, in *text) (*text, error) { return in, nil }

// recorded answers a request without a server.
func recorded(mux http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

func TestContextOfHandler(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var after context.Context
		mux := newMux(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
			after = ctx
			if md, ok := metadata.FromOutgoingContext(ctx); ok {
				t.Errorf("the caller's metadata %v leak into the handler's calls", md)
			}
			if got, ok := ctx.Deadline(); !ok || time.Until(got) != 2*time.Second {
				t.Errorf("deadline = %v %t", got, ok)
			}
			if name, _ := grpc.Method(ctx); name != unaryMethod {
				t.Errorf("method = %q", name)
			}
			if _, ok := peer.FromContext(ctx); !ok {
				t.Error("the handler has no peer")
			}
			_ = grpc.SetHeader(ctx, metadata.Pairs("h", "1", "b-bin", "\x00\xff"))
			_ = grpc.SendHeader(ctx, metadata.Pairs("h", "2"))
			if err := grpc.SetHeader(ctx, metadata.Pairs("h", "3")); err == nil {
				t.Error("the header can be set after it was sent")
			}
			if err := grpc.SendHeader(ctx, nil); err == nil {
				t.Error("the header can be sent twice")
			}
			_ = grpc.SetTrailer(ctx, metadata.Pairs("t", "1"))
			return in, nil
		}}, gateway.Options{})
		r := httptest.NewRequest(http.MethodPost, "/v1/echo", strings.NewReader(`{"requestId":"hello"}`))
		r.Header.Set("Grpc-Timeout", "2000m")
		r.Header.Set("TE", "trailers")
		w := recorded(mux, r)
		result := w.Result()
		if got := fmt.Sprint(result.Header["Grpc-Metadata-H"], result.Header["Grpc-Metadata-B-Bin"], result.Trailer); got != "[1 2] [AP8=] map[Grpc-Trailer-T:[1]]" {
			t.Errorf("headers and trailers are %s", got)
		}
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "hello") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if after.Err() != context.Canceled {
			t.Errorf("the context of a call that is over ends with %v", after.Err())
		}
	})
}

// The spans of calls have the template of the path, which the way back knows.
func TestRouteOfCall(t *testing.T) {
	var got []string
	note := func(ctx context.Context) {
		stream, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ Route() string })
		if !ok {
			t.Fatal("the way back knows no route")
		}
		got = append(got, stream.Route())
	}
	mux := newMux(t, &echo{
		unary:  func(ctx context.Context, in *text) (*text, error) { note(ctx); return in, nil },
		server: func(_ *text, s grpc.ServerStreamingServer[text]) error { note(s.Context()); return nil },
	}, gateway.Options{})
	recorded(mux, httptest.NewRequest(http.MethodGet, "/v1/echo", nil))
	recorded(mux, httptest.NewRequest(http.MethodGet, "/v1/echo/7", nil))
	if diff := cmp.Diff([]string{"/v1/echo", "/v1/echo/{request_id}"}, got); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}

// What a client may not say of itself, and how it says bytes.
func TestHeadersOfCaller(t *testing.T) {
	var got metadata.MD
	mux := newMux(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
		got, _ = metadata.FromIncomingContext(ctx)
		return in, nil
	}}, gateway.Options{})
	r := httptest.NewRequest(http.MethodGet, "http://host/v1/echo", nil)
	r.Header["X-Forwarded-For"] = []string{"10.0.0.1", "\xff"}
	r.Header.Set("Grpc-Metadata-X-Forwarded-For", "10.0.0.2")
	r.Header.Set("Grpc-Metadata-Grpcgateway-Cookie", "no")
	r.Header.Set("Grpc-Metadata-A!", "no")
	r.Header.Set("Grpc-Metadata-B", "\xff")
	r.Header.Set("Grpc-Metadata-C-Bin", "AP8")
	recorded(mux, r)
	want := metadata.Pairs("x-forwarded-for", "10.0.0.1, 192.0.2.1", "x-forwarded-host", "host", "c-bin", "\x00\xff")
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("metadata %q, want %q", got, want)
	}
	r.Header.Set("Grpc-Metadata-C-Bin", "?")
	if w := recorded(mux, r); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "header Grpc-Metadata-C-Bin is not in base64") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestTimeouts(t *testing.T) {
	for value, want := range map[string]string{
		"1H": "1h0m0s", "3M": "3m0s", "1S": "1s", "5m": "5ms", "7u": "7µs", "9n": "9ns", "0S": "none", "": "none",
		"9999999999999H": "2562047h47m16.854775807s", "S": "400", "1": "400", "-1S": "400", "1.5S": "400", "1h": "400",
	} {
		bubble.Test(t, func(t *testing.T) {
			got := "none"
			mux := newMux(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
				if deadline, ok := ctx.Deadline(); ok {
					got = time.Until(deadline).String()
				}
				return in, nil
			}}, gateway.Options{})
			r := httptest.NewRequest(http.MethodGet, "/v1/echo", nil)
			r.Header.Set("Grpc-Timeout", value)
			if w := recorded(mux, r); w.Code != http.StatusOK {
				got = strconv.Itoa(w.Code)
			}
			if got != want {
				t.Errorf("%q is %s, want %s", value, got, want)
			}
		})
	}
}

func TestMethodsOfPath(t *testing.T) {
	called := ""
	mux := newMux(t, &echo{
		unary: func(_ context.Context, in *text) (*text, error) {
			called += in.GetRequestId() + " "
			return in, nil
		},
		server: count,
	}, gateway.Options{})
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
		body         bool
	}{
		{"GET", "/v1/echo?request_id=get", 200, "", true},
		{"OPTIONS", "/v1/echo", 204, "GET, HEAD, OPTIONS, POST", false},
		{"DELETE", "/v1/echo", 405, "GET, HEAD, OPTIONS, POST", true},
		{"PUT", "/v1/raw", 405, "GET, HEAD, OPTIONS, POST", true},
		{"POST", "/v1/echo/1", 405, "GET, HEAD, OPTIONS", true},
		{"OPTIONS", "/v2/echo", 404, "", true},
	} {
		w := recorded(mux, httptest.NewRequest(test.method, test.path, nil))
		if got := w.Header().Get("Allow"); w.Code != test.status || got != test.allow || w.Body.Len() > 0 != test.body {
			t.Errorf("%s %s: %d, Allow %q, body %q; want %d, %q", test.method, test.path, w.Code, got, w.Body, test.status, test.allow)
		}
	}
	server := httptest.NewServer(mux) // it leaves the body out
	defer server.Close()
	response := do(t, request(t, http.MethodHead, server.URL+"/v1/echo?request_id=head", nil))
	if body, err := io.ReadAll(response.Body); response.StatusCode != 200 || response.ContentLength != 38 || len(body) > 0 || err != nil {
		t.Errorf("HEAD: %s, %d bytes, %q, %v", response.Status, response.ContentLength, body, err)
	}
	response = do(t, request(t, http.MethodHead, server.URL+"/v1/echo/1000000", nil))
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("HEAD of a stream: %s, %v", response.Status, response.Header)
	}
	http.DefaultClient.CloseIdleConnections()
	if called != "get head " {
		t.Errorf("called: %s", called)
	}
}

func TestMediaTypesOfBodies(t *testing.T) {
	mux := newMux(t, &echo{unary: same}, gateway.Options{})
	for _, contentType := range []string{"", "application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"} {
		r := httptest.NewRequest(http.MethodPost, "/v1/echo", strings.NewReader(`{"requestId":"x"}`))
		r.Header.Set("Content-Type", contentType)
		if w := recorded(mux, r); w.Code != http.StatusOK || w.Body.String() != `{"requestId":"x","servingData":""}`+"\n" {
			t.Errorf("%q: %d %s", contentType, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/echo", nil)
	r.Header.Set("Content-Type", "text/plain") // of nothing
	if w := recorded(mux, r); w.Code != http.StatusOK {
		t.Errorf("without a body: %d %s", w.Code, w.Body)
	}
}

func TestBytesOverHTTP(t *testing.T) {
	mux := newMux(t, &echo{
		raw: func(_ context.Context, in *httpbody.HttpBody) (*httpbody.HttpBody, error) {
			return &httpbody.HttpBody{ContentType: in.GetContentType(), Data: append(in.GetData(), '!')}, nil
		},
		download: func(in *text, s grpc.ServerStreamingServer[httpbody.HttpBody]) error {
			for _, part := range []string{"one", "two"} {
				if err := s.Send(&httpbody.HttpBody{ContentType: "text/csv", Data: []byte(part)}); err != nil {
					return err
				}
			}
			if in.GetRequestId() != "" {
				return notFound.New("id", in.GetRequestId())
			}
			return nil
		},
	}, gateway.Options{})
	for contentType, want := range map[string]string{
		"text/plain": "text/plain", "application/x-www-form-urlencoded": "application/x-www-form-urlencoded", "": "application/octet-stream",
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/raw", strings.NewReader("a=b"))
		r.Header.Set("Content-Type", contentType)
		if w := recorded(mux, r); w.Header().Get("Content-Type") != want || w.Body.String() != "a=b!" {
			t.Errorf("%q: %d %v %s", contentType, w.Code, w.Header(), w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/v1/raw", nil)
	r.Header.Set("Accept", "text/event-stream") // bytes are no events
	if w := recorded(mux, r); w.Header().Get("Content-Type") != "text/csv" || w.Body.String() != "onetwo" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	response := do(t, request(t, http.MethodGet, server.URL+"/v1/raw?request_id=7", nil))
	if data, err := io.ReadAll(response.Body); err != io.ErrUnexpectedEOF || string(data) != "onetwo" {
		t.Errorf("a download that fails is %q, %v; want an unexpected end", data, err)
	}
	response = do(t, request(t, http.MethodHead, server.URL+"/v1/raw", nil))
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/csv" {
		t.Errorf("HEAD: %s, %v", response.Status, response.Header)
	}
}

func TestEvents(t *testing.T) {
	mux := newMux(t, &echo{server: func(in *text, s grpc.ServerStreamingServer[text]) error {
		if err := count(in, s); err != nil {
			return err
		}
		return errors.RateLimited.New()
	}}, gateway.Options{})
	for accept, events := range map[string]bool{
		"":                                    false,
		"*/*":                                 false,
		"text/event-stream":                   true,
		"Text/Event-Stream, */*":              true,
		"application/json, text/event-stream": false,
		"application/x-ndjson;q=0.5, text/event-stream":  true,
		"application/json, text/event-stream; q=0.9":     false,
		"application/json;q=0, text/event-stream; q=0.1": true,
		"text/event-stream; q=0":                         false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/echo/2", nil)
		r.Header.Set("Accept", accept)
		w := recorded(mux, r)
		contentType, prefix, end := "application/x-ndjson", "", "\n"
		if events {
			contentType, prefix, end = "text/event-stream", "data: ", "\n\n"
		}
		want := prefix + `{"result":"0"}` + end + prefix + `{"result":"1"}` + end + prefix + `{"error":{"code":8,`
		if got := w.Body.String(); w.Header().Get("Content-Type") != contentType || !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "}"+end) {
			t.Errorf("%q: %v %s", accept, w.Header(), got)
		}
		if w.Header().Get("Vary") != "Accept" {
			t.Errorf("%q: Vary is %q", accept, w.Header().Get("Vary"))
		}
	}
}

func TestStreamWithoutMessages(t *testing.T) {
	mux := newMux(t, &echo{server: func(in *text, s grpc.ServerStreamingServer[text]) error {
		if err := s.RecvMsg(in); err != io.EOF {
			t.Errorf("after the request: %v, want EOF", err)
		}
		s.SetTrailer(metadata.Pairs("t", "1"))
		return s.SendHeader(metadata.Pairs("h", "1"))
	}}, gateway.Options{})
	w := recorded(mux, httptest.NewRequest(http.MethodGet, "/v1/echo/x", nil))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/x-ndjson" || w.Header().Get("Grpc-Metadata-H") != "1" || w.Body.Len() > 0 {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

// The decorated server may return while the handler of the stream still runs.
func TestHandlerOutlivesCall(t *testing.T) {
	late, returned := make(chan error), make(chan struct{})
	mux := newMux(t, &echo{server: func(in *text, s grpc.ServerStreamingServer[text]) error {
		go func() {
			<-returned
			late <- s.Send(in)
		}()
		return notFound.New("id", "7")
	}}, gateway.Options{Errors: errors.Table{notFound}})
	w := recorded(mux, httptest.NewRequest(http.MethodGet, "/v1/echo/x", nil))
	before := w.Body.String()
	close(returned)
	if err := <-late; fmt.Sprint(err) != "rpc error: code = Canceled desc = context canceled" || w.Body.String() != before {
		t.Errorf("the handler's call returns %v, and the answer is %s", err, w.Body)
	}
}

// deaf is a response whose client is gone.
type deaf struct{ http.ResponseWriter }

func (deaf) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestStreamWhoseClientIsGone(t *testing.T) {
	mux := newMux(t, &echo{server: func(in *text, s grpc.ServerStreamingServer[text]) error {
		for range 2 {
			if err := s.Send(in); fmt.Sprint(err) != "rpc error: code = Canceled desc = context canceled" {
				t.Errorf("Send returns %v", err)
			}
		}
		return s.Context().Err()
	}}, gateway.Options{})
	mux.ServeHTTP(deaf{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/v1/echo/x", nil))
}

// What cannot be written is the server's fault.
func TestResponseThatJSONCannotShow(t *testing.T) {
	bad := newText("\xff")
	mux := newMux(t, &echo{
		unary:  func(context.Context, *text) (*text, error) { return bad, nil },
		server: func(_ *text, s grpc.ServerStreamingServer[text]) error { return s.Send(bad) },
	}, gateway.Options{})
	for _, path := range []string{"/v1/echo", "/v1/echo/x"} {
		w := recorded(mux, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusInternalServerError || !strings.HasPrefix(w.Body.String(), `{"code":13,"message":"internal error"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestMistakesOfContracts(t *testing.T) {
	methods := gateway.NewMethods()
	methods.RegisterService(&echoDesc, &echo{})
	other := echoDesc
	other.ServiceName = "test.v1.Other"
	methods.RegisterService(&other, &echo{})
	for want, r := range map[string]gateway.Route{
		`route GET v1: at offset 0: a path begins with "/"`:                                              {Method: "GET", Path: "v1", RPC: unaryMethod},
		`route GET /v1: no contract has the method /test.v1.Other/Unary`:                                 {Method: "GET", Path: "/v1", RPC: "/test.v1.Other/Unary"},
		`route GET /v1: google.rpc.RequestInfo is not a method`:                                          {Method: "GET", Path: "/v1", RPC: "google.rpc.RequestInfo"},
		`route POST /v1: the request of /test.v1.Echo/Client is a stream, which HTTP/JSON does not have`: {Method: "POST", Path: "/v1", RPC: "/test.v1.Echo/Client"},
		`route GET /{id}: path variable "id": message google.rpc.RequestInfo has no field "id"`:          {Method: "GET", Path: "/{id}", RPC: unaryMethod},
		`route GET /v1: response_body: message google.rpc.RequestInfo has no field "id"`:                 {Method: "GET", Path: "/v1", RPC: unaryMethod, ResponseBody: "id"},
		`route GET /v1: google.rpc.RequestInfo has no text field "id" for the idempotency key`:           {Method: "GET", Path: "/v1", RPC: unaryMethod, IdempotencyKey: "id"},
		`route GET /v1: google.api.HttpBody has no text field "data" for the idempotency key`:            {Method: "GET", Path: "/v1", RPC: "/test.v1.Echo/Raw", IdempotencyKey: "data"},
		`route GET /v1: google.api.HttpBody has no text field "extensions" for the idempotency key`:      {Method: "GET", Path: "/v1", RPC: "/test.v1.Echo/Raw", IdempotencyKey: "extensions"},
	} {
		if _, err := gateway.NewMux(methods, []gateway.Route{r}, gateway.Options{}); fmt.Sprint(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := gateway.NewMux(gateway.NewMethods(), routes, gateway.Options{}); fmt.Sprint(err) != "route POST /v1/echo: no service has the method /test.v1.Echo/Unary" {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a service can be registered twice")
		}
	}()
	methods.RegisterService(&echoDesc, &echo{})
}

func TestConcurrentCalls(t *testing.T) {
	mux := newMux(t, &echo{unary: same, server: count}, gateway.Options{})
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			id := strconv.Itoa(i)
			want := `{"requestId":"` + id + `","servingData":""}` + "\n"
			if w := recorded(mux, httptest.NewRequest(http.MethodGet, "/v1/echo?request_id="+id, nil)); w.Body.String() != want {
				t.Errorf("the answer is %s, want %s", w.Body, want)
			}
			if w := recorded(mux, httptest.NewRequest(http.MethodGet, "/v1/echo/"+id, nil)); strings.Count(w.Body.String(), "\n") != i {
				t.Errorf("the stream is %s, want %d lines", w.Body, i)
			}
		})
	}
	group.Wait()
}
