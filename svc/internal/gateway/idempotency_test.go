package gateway_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/protosvc/protosvc/svc/internal/gateway"
)

// The header sets the field of the key, or is at odds with it.
func TestIdempotencyKey(t *testing.T) {
	const (
		form  = `request_id: header Idempotency-Key must be printable ASCII, "in quotes" or without any`
		other = "request_id: differs from header Idempotency-Key"
	)
	var handled string
	mux := newMux(t, &echo{unary: func(_ context.Context, in *text) (*text, error) {
		handled = in.GetRequestId()
		return in, nil
	}}, gateway.Options{})
	for name, test := range map[string]struct {
		body            string
		header          []string
		want, violation string
	}{
		"none":                   {body: `{"requestId":"a"}`, want: "a"},
		"string":                 {header: []string{`"a b"`}, want: "a b"},
		"bare text":              {header: []string{"8e03978e-40d5-43dd-bc93-6894a57f9324"}, want: "8e03978e-40d5-43dd-bc93-6894a57f9324"},
		"beside other fields":    {body: `{"servingData":"x"}`, header: []string{"a"}, want: "a"},
		"escapes":                {header: []string{`"a\"\\"`}, want: `a"\`},
		"parameters":             {header: []string{`"a";v=1`}, want: "a"},
		"the same":               {body: `{"requestId":"a"}`, header: []string{`"a"`}, want: "a"},
		"empty string":           {body: `{"requestId":"a"}`, header: []string{`""`}, want: "a"},
		"empty header":           {body: `{"requestId":"a"}`, header: []string{""}, want: "a"},
		"different":              {body: `{"requestId":"a"}`, header: []string{`"b"`}, violation: other},
		"twice":                  {header: []string{"a", "a"}, violation: "request_id: header Idempotency-Key is sent more than once"},
		"no end":                 {header: []string{`"a`}, violation: form},
		"more than a string":     {header: []string{`"a" b`}, violation: form},
		"quote within bare text": {header: []string{`a"b`}, violation: form},
		"unknown escape":         {header: []string{`"\a"`}, violation: form},
		"escape of nothing":      {header: []string{`"\`}, violation: form},
		"string that is no text": {header: []string{"\"\xff\""}, violation: form},
		"bare bytes":             {header: []string{"\xff"}, violation: form},
		"a fault of the body":    {body: `{"requestId":1}`, header: []string{"a", "b"}, violation: "request_id: line 1, column 14: invalid value for string field requestId: 1"},
	} {
		t.Run(name, func(t *testing.T) {
			handled = ""
			r := httptest.NewRequest(http.MethodPost, "/v1/echo", strings.NewReader(or(test.body, "{}")))
			r.Header["Idempotency-Key"] = test.header
			w := recorded(mux, r)
			if handled != test.want {
				t.Errorf("the handler has %q, want %q", handled, test.want)
			}
			if test.violation == "" {
				if w.Code != http.StatusOK {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				return
			}
			var got spb.Status
			if err := protojson.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if violation := violationOf(t, &got); w.Code != http.StatusBadRequest || violation != test.violation {
				t.Errorf("%d %q, want %q", w.Code, violation, test.violation)
			}
		})
	}
}

// Paths set the field too, and methods without a key have no such header.
func TestIdempotencyKeyBesidePath(t *testing.T) {
	mux := newMux(t, &echo{unary: same, server: count}, gateway.Options{})
	for path, want := range map[string]string{
		"/v1/echo/1": `"differs from header Idempotency-Key"`,
		"/v1/echo/2": `{"result":"0"}`,
		"/v1/echo":   `"requestId":""`,
	} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Idempotency-Key", "2")
		body, _ := io.ReadAll(recorded(mux, r).Result().Body)
		if !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, want %s", path, body, want)
		}
	}
}
