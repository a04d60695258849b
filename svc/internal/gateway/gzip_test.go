package gateway_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/httpbody"

	"github.com/protosvc/protosvc/svc/internal/budget"
	"github.com/protosvc/protosvc/svc/internal/gateway"
)

func TestCompressedAnswers(t *testing.T) {
	mux := newMux(t, &echo{unary: same, raw: func(_ context.Context, in *httpbody.HttpBody) (*httpbody.HttpBody, error) { return in, nil }}, gateway.Options{})
	const short = 1<<10 - len(`{"requestId":"","servingData":""}`+"\n") - 1
	for name, test := range map[string]struct {
		method, path, accept string
		bytes                int
		compressed, vary     bool
	}{
		"long":           {"GET", "/v1/echo?request_id=", "br, GZIP;q=0.5", short + 1, true, true},
		"not asked for":  {"GET", "/v1/echo?request_id=", "br", short + 1, false, true},
		"not wanted":     {"GET", "/v1/echo?request_id=", "gzip;q=0", short + 1, false, true},
		"short":          {"GET", "/v1/echo?request_id=", "gzip", short, false, false},
		"not ours":       {"POST", "/v1/raw?", "gzip", 2000, false, false},
		"what is failed": {"GET", "/v1/echo?", "gzip", 2000, false, false},
	} {
		text := strings.Repeat("x", test.bytes)
		r := httptest.NewRequest(test.method, test.path+text, strings.NewReader(text))
		r.Header.Set("Accept-Encoding", test.accept)
		w := recorded(mux, r)
		if got := w.Header().Get("Vary") == "Accept-Encoding"; got != test.vary {
			t.Errorf("%s: Vary is %q", name, w.Header().Get("Vary"))
		}
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != test.compressed {
			t.Errorf("%s: %d, %v", name, w.Code, w.Header())
		}
		if !test.compressed {
			continue
		}
		gz, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(gz); err != nil || string(data) != `{"requestId":"`+text+`","servingData":""}`+"\n" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

func zipped(text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return out.Bytes()
}

func TestCompressedRequests(t *testing.T) {
	memory := budget.New(5000)
	mux := newMux(t, &echo{unary: same}, gateway.Options{BodyLimit: 2000, Memory: memory, Refused: func() {}})
	for name, test := range map[string]struct {
		encoding string
		body     []byte
		status   int
		want     string
	}{
		"as it is":       {"identity", []byte(padded(50)), 200, `{"requestId":"x`},
		"the largest":    {"GZip", zipped(padded(2000)), 200, `{"requestId":"x`},
		"too large":      {"gzip", zipped(padded(2001)), 413, `{"code":8,"message":"request body is too large"}`},
		"no gzip":        {"gzip", []byte(padded(50)), 400, `{"code":3,"message":"request body cannot be read to its end"}`},
		"a part of gzip": {"gzip", zipped(padded(50))[:30], 400, `{"code":3,"message":"request body cannot be read to its end"}`},
		"unknown":        {"br", []byte("x"), 415, `{"code":3,"message":"request body may be in gzip, not in \"br\""}`},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/echo", bytes.NewReader(test.body))
		r.Header.Set("Content-Encoding", test.encoding)
		w := recorded(mux, r)
		if w.Code != test.status || !strings.HasPrefix(w.Body.String(), test.want) {
			t.Errorf("%s: %d %s, want %d %s", name, w.Code, w.Body, test.status, test.want)
		}
		if got := w.Header().Get("Accept-Encoding"); (got == "gzip") != (test.status == 415) {
			t.Errorf("%s: Accept-Encoding is %q", name, got)
		}
		if memory.Held() != 0 {
			t.Errorf("%s: bodies hold %d bytes afterwards", name, memory.Held())
		}
	}
}
