package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protosvc/protosvc/svc/internal/gateway"
	"github.com/protosvc/protosvc/svc/propagate"
)

const shop = "https://shop.example"

// crossed are the headers of an answer that browsers go by.
func crossed(w *httptest.ResponseRecorder) map[string]string {
	out := map[string]string{}
	for name, values := range w.Header() {
		if short, ok := strings.CutPrefix(name, "Access-Control-"); ok || name == "Vary" {
			out[short] = strings.Join(values, "|")
		}
	}
	return out
}

func TestPreflights(t *testing.T) {
	const headers = "Accept-Language, Authorization, Baggage, Content-Encoding, Content-Type, Grpc-Timeout, Idempotency-Key, Traceparent, Tracestate, X-Own, X-Request-Id, X-Tenant-Id"
	listed := gateway.CORS{Origins: []string{"https://other.example:8443", shop}, Credentials: true, MaxAge: 90 * time.Minute}
	everybody := gateway.CORS{Origins: []string{"*"}}
	refused := map[string]string{"Vary": "Origin"}
	for name, test := range map[string]struct {
		cors                 gateway.CORS
		origin, method, path string
		status               int
		want                 map[string]string
	}{
		"off":           {gateway.CORS{}, shop, "POST", "/v1/echo", 204, map[string]string{}},
		"listed":        {listed, shop, "POST", "/v1/echo", 204, map[string]string{"Vary": "Origin", "Allow-Origin": shop, "Allow-Credentials": "true", "Allow-Methods": "GET, HEAD, POST", "Allow-Headers": headers, "Max-Age": "5400"}},
		"other method":  {listed, shop, "DELETE", "/v1/echo", 204, map[string]string{"Vary": "Origin", "Allow-Origin": shop, "Allow-Credentials": "true", "Allow-Methods": "GET, HEAD, POST", "Allow-Headers": headers, "Max-Age": "5400"}},
		"any method":    {listed, shop, "PURGE", "/v1/any", 204, map[string]string{"Vary": "Origin", "Allow-Origin": shop, "Allow-Credentials": "true", "Allow-Methods": "PURGE", "Allow-Headers": headers, "Max-Age": "5400"}},
		"everybody":     {everybody, shop, "GET", "/v1/echo/1", 204, map[string]string{"Allow-Origin": "*", "Allow-Methods": "GET, HEAD", "Allow-Headers": headers}},
		"no origin":     {listed, "", "POST", "/v1/echo", 204, refused},
		"no page":       {everybody, "", "POST", "/v1/echo", 204, map[string]string{}},
		"not listed":    {listed, "https://evil.example", "POST", "/v1/echo", 204, refused},
		"other scheme":  {listed, "http://shop.example", "POST", "/v1/echo", 204, refused},
		"other port":    {listed, shop + ":8443", "POST", "/v1/echo", 204, refused},
		"as a prefix":   {listed, shop + ".evil.example", "POST", "/v1/echo", 204, refused},
		"opaque":        {listed, "null", "POST", "/v1/echo", 204, refused},
		"no route":      {listed, shop, "POST", "/v2/echo", 404, map[string]string{"Vary": "Origin", "Allow-Origin": shop, "Allow-Credentials": "true"}},
		"only options":  {listed, shop, "", "/v1/echo", 204, map[string]string{"Vary": "Origin", "Allow-Origin": shop, "Allow-Credentials": "true", "Expose-Headers": "Retry-After, WWW-Authenticate"}},
		"method itself": {listed, shop, "OPTIONS", "/v1/echo", 204, map[string]string{"Vary": "Origin", "Allow-Origin": shop, "Allow-Credentials": "true", "Allow-Methods": "GET, HEAD, POST", "Allow-Headers": headers, "Max-Age": "5400"}},
	} {
		t.Run(name, func(t *testing.T) {
			methods := gateway.NewMethods()
			methods.RegisterService(&echoDesc, &echo{unary: same})
			mux, err := gateway.NewMux(methods, append(routes[:len(routes):len(routes)], gateway.Route{Method: "*", Path: "/v1/any", RPC: unaryMethod}),
				gateway.Options{CORS: test.cors, Headers: []string{"x-own"}, Propagate: propagate.Keys{{Name: "x-tenant-id", MaxBytes: 8}}})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodOptions, test.path, nil)
			for header, value := range map[string]string{"Origin": test.origin, "Access-Control-Request-Method": test.method} {
				if value != "" {
					r.Header.Set(header, value)
				}
			}
			w := recorded(mux, r)
			if w.Code != test.status {
				t.Errorf("%d %s, want %d", w.Code, w.Body, test.status)
			}
			if diff := cmp.Diff(test.want, crossed(w)); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

// What answers requests of pages: handlers, streams, and errors of all kinds.
func TestAnswersForPages(t *testing.T) {
	mux := newMux(t, &echo{unary: same, server: count}, gateway.Options{CORS: gateway.CORS{Origins: []string{shop}}})
	for _, test := range []struct{ method, path, origin, vary string }{
		{"GET", "/v1/echo", shop, "Origin"},
		{"GET", "/v1/echo", "https://evil.example", "Origin"},
		{"GET", "/v1/echo?request_id=" + strings.Repeat("x", 2<<10), shop, "Origin|Accept-Encoding"},
		{"GET", "/v1/echo/1", shop, "Origin|Accept"},
		{"GET", "/v1/echo/x", shop, "Origin|Accept"},
		{"DELETE", "/v1/echo", shop, "Origin"},
		{"GET", "/v2/echo", shop, "Origin"},
	} {
		r := httptest.NewRequest(test.method, test.path, nil)
		r.Header.Set("Origin", test.origin)
		want := map[string]string{"Vary": test.vary}
		if test.origin == shop {
			want["Allow-Origin"], want["Expose-Headers"] = shop, "Retry-After, WWW-Authenticate"
		}
		if diff := cmp.Diff(want, crossed(recorded(mux, r))); diff != "" {
			t.Errorf("%.20s from %s (-want +got):\n%s", test.path, test.origin, diff)
		}
	}
}

func TestMistakesOfOrigins(t *testing.T) {
	for _, test := range []struct {
		cors gateway.CORS
		want string
	}{
		{gateway.CORS{Origins: []string{shop, "http://localhost:8080", "http://[::1]:8080", "https://xn--bcher-kva.example"}, Credentials: true}, "<nil>"},
		{gateway.CORS{Origins: []string{"*"}}, "<nil>"},
		{gateway.CORS{Origins: []string{"*"}, Credentials: true}, `CORS: origin "*" is not for requests with credentials`},
		{gateway.CORS{Origins: []string{shop, "*"}}, `CORS: origin "*" leaves nothing for others`},
		{gateway.CORS{Origins: []string{shop, "null"}}, `CORS: "null" is no origin, as browsers write it (want for example "https://shop.example")`},
	} {
		if _, err := gateway.NewMux(gateway.NewMethods(), nil, gateway.Options{CORS: test.cors}); fmt.Sprint(err) != test.want {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}
