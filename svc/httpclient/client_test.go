package httpclient_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/httpclient"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svc/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reply is how the server treats one request.
type reply func(http.ResponseWriter, *http.Request)

func answer(status int, header ...string) reply {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, "%s %s", r.URL.RequestURI(), body)
	}
}

// cut ends the connection without an answer, hang leaves it without one.
func cut(http.ResponseWriter, *http.Request)      { panic(http.ErrAbortHandler) }
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// server is an external service. It treats requests in this order, and answers
// those after with 200.
type server struct {
	*httptest.Server
	requests, connections atomic.Int64
	mu                    sync.Mutex
	seen                  []http.Header
}

func start(t *testing.T, list ...reply) *server {
	t.Helper()
	s := new(server)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := int(s.requests.Add(1)) - 1
		s.mu.Lock()
		s.seen = append(s.seen, r.Header)
		s.mu.Unlock()
		if i < len(list) {
			list[i](w, r)
			return
		}
		answer(http.StatusOK)(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func newClient(t *testing.T, o httpclient.Options) *httpclient.Client {
	t.Helper()
	o.Name = "bank"
	c, err := httpclient.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// send makes a request and returns the status and the body.
func send(ctx context.Context, c *httpclient.Client, method, path, body string) (int, string, error) {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := c.NewRequest(ctx, method, path, reader)
	if err != nil {
		return 0, "", err
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

func TestRetry(t *testing.T) {
	const down = http.StatusServiceUnavailable
	tests := map[string]struct {
		method, body string
		list         []reply
		status       int // 0: an error
		requests     int64
	}{
		"an answer":                      {"GET", "", nil, 200, 1},
		"a client's mistake is answered": {"GET", "", []reply{answer(404)}, 404, 1},
		"a server's fault too":           {"GET", "", []reply{answer(500)}, 500, 1},
		"a redirect too":                 {"GET", "", []reply{answer(302, "Location", "/else")}, 302, 1},
		"succeeds at last":               {"GET", "", []reply{answer(down), answer(http.StatusBadGateway)}, 200, 3},
		"gives up":                       {"GET", "", []reply{answer(down), answer(down), answer(down)}, 0, 3},
		"connections that break":         {"GET", "", []reply{cut, cut}, 200, 3},
		"with its body":                  {"PUT", "abc", []reply{answer(down), cut}, 200, 3},
		"without a body":                 {"DELETE", "", []reply{answer(down)}, 200, 2},
		"never a POST":                   {"POST", "abc", []reply{answer(down)}, 0, 1},
		"never a PATCH":                  {"PATCH", "abc", []reply{answer(http.StatusTooManyRequests)}, 0, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t, test.list...)
			c := newClient(t, httpclient.Options{URL: s.URL + "/v1/"})
			status, body, err := send(t.Context(), c, test.method, "/a?b=c", test.body)
			if s.requests.Load() != test.requests {
				t.Errorf("%d requests, want %d", s.requests.Load(), test.requests)
			}
			if test.status == 0 {
				var last *httpclient.StatusError
				if !stderrors.Is(err, errors.Unavailable) || !stderrors.As(err, &last) {
					t.Errorf("error = %v, want Unavailable with a status", err)
				}
				return
			}
			if want := "/v1/a?b=c " + test.body; err != nil || status != test.status || body != want {
				t.Errorf("answer %d %q, %v, want %d %q", status, body, err, test.status, want)
			}
		})
	}
}

// once is a body that cannot be read a second time.
type once struct{ io.Reader }

func TestBodyThatCannotBeSentAgain(t *testing.T) {
	s := start(t, answer(http.StatusServiceUnavailable))
	c := newClient(t, httpclient.Options{URL: s.URL})
	req, err := c.NewRequest(t.Context(), "PUT", "/", once{strings.NewReader("abc")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(req); !stderrors.Is(err, errors.Unavailable) || s.requests.Load() != 1 {
		t.Errorf("error %v after %d requests, want Unavailable after one", err, s.requests.Load())
	}
}

func TestRetryAfter(t *testing.T) {
	says := func(header string) func() string { return func() string { return header } }
	tests := map[string]struct {
		header   func() string
		requests int64
		atLeast  time.Duration
	}{
		"seconds":            {says("1"), 2, time.Second},
		"a date":             {func() string { return time.Now().Add(3 * time.Second).UTC().Format(http.TimeFormat) }, 2, time.Second},
		"past the deadline":  {says("60"), 1, 0},
		"what is no header":  {says("soon"), 2, 0},
		"seconds that never": {says("99999999999"), 2, 0},
		"more than 31 bits":  {says("2147483648"), 2, 0},
		"what has letters":   {says("a0"), 2, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(w http.ResponseWriter, r *http.Request) {
				answer(http.StatusTooManyRequests, "Retry-After", test.header())(w, r)
			})
			c := newClient(t, httpclient.Options{URL: s.URL, Timeout: 30 * time.Second})
			begin := time.Now()
			_, _, err := send(t.Context(), c, "GET", "/", "")
			took := time.Since(begin)
			if (err == nil) != (test.requests == 2) || s.requests.Load() != test.requests || took < test.atLeast || took > 20*time.Second {
				t.Errorf("error %v after %d requests and %v, want %d after %v", err, s.requests.Load(), took, test.requests, test.atLeast)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[string]struct {
		ctx  context.Context
		url  string
		want *errors.Code
	}{
		"nobody listens":       {t.Context(), "http://127.0.0.1:1", errors.Unavailable}, // tcpmux
		"nobody answers":       {t.Context(), start(t, hang, hang, hang).URL, errors.DeadlineExceeded},
		"the caller has gone":  {cancelled, start(t).URL, errors.Canceled},
		"the answer is cut":    {t.Context(), start(t, cut, cut, cut).URL, errors.Unavailable},
		"the body never comes": {t.Context(), start(t, func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); hang(w, r) }).URL, errors.DeadlineExceeded},
		"the body is cut":      {t.Context(), start(t, func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); cut(w, r) }).URL, errors.Unavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			timeout := 20 * time.Second
			if test.want == errors.DeadlineExceeded {
				timeout = 300 * time.Millisecond
			}
			c := newClient(t, httpclient.Options{URL: test.url, Timeout: timeout})
			begin := time.Now()
			_, _, err := send(test.ctx, c, "GET", "/secret?key=1", "")
			if !stderrors.Is(err, test.want) || time.Since(begin) > 4*time.Second {
				t.Errorf("error = %v after %v, want %v", err, time.Since(begin), test.want)
			}
			if message := errors.ToStatus(err).Message(); strings.Contains(message, "127.0.0.1") || strings.Contains(message, "secret") {
				t.Errorf("the wire would say %q", message)
			}
		})
	}
}

// held is a context that knows how many contexts below it have not ended.
type held struct {
	context.Context
	done chan struct{}
	open atomic.Int64
}

func (h *held) Done() <-chan struct{} { return h.done }

func (h *held) AfterFunc(func()) (stop func() bool) {
	h.open.Add(1)
	return func() bool { h.open.Add(-1); return true }
}

// A request without a response leaves no timer until its deadline.
func TestErrorEndsContext(t *testing.T) {
	ctx := &held{Context: t.Context(), done: make(chan struct{})}
	c := newClient(t, httpclient.Options{URL: start(t, cut).URL})
	if _, _, err := send(ctx, c, "POST", "/", "x"); !stderrors.Is(err, errors.Unavailable) {
		t.Errorf("error = %v, want %v", err, errors.Unavailable)
	}
	if n := ctx.open.Load(); n != 0 {
		t.Errorf("%d contexts have not ended, want none", n)
	}
}

func TestResponseThatIsTooLarge(t *testing.T) {
	for size, fits := range map[int]bool{99: true, 100: true, 101: false, 5000: false} {
		s := start(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", size)) })
		c := newClient(t, httpclient.Options{URL: s.URL, MaxResponseBytes: 100})
		_, body, err := send(t.Context(), c, "GET", "/", "")
		if fits && (err != nil || len(body) != size) {
			t.Errorf("a response of %d bytes: %d read, %v", size, len(body), err)
		}
		if !fits && (err == nil || !strings.Contains(err.Error(), "more than 100 bytes") || len(body) > 100) {
			t.Errorf("a response of %d bytes: %d read, %v", size, len(body), err)
		}
	}
}

func TestConnectionsAreKept(t *testing.T) {
	s := start(t)
	c := newClient(t, httpclient.Options{URL: s.URL, IdleConnections: 8})
	for range 5 {
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if _, _, err := send(t.Context(), c, "GET", "/", ""); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if got := s.connections.Load(); got > 12 { // 40 requests; net/http's own default keeps 2
		t.Errorf("40 requests, 8 at a time, made %d connections", got)
	}
}

// A service that is down gets a bounded number of requests on top, and one more for
// ten calls that succeed.
func TestRetriesAreThrottled(t *testing.T) {
	const calls, extra, succeed = 100, 20, 10
	down := slices.Repeat([]reply{cut}, calls+extra)
	up := slices.Repeat([]reply{answer(http.StatusOK)}, succeed)
	s := start(t, slices.Concat(down, up, []reply{answer(http.StatusServiceUnavailable)})...)
	c := newClient(t, httpclient.Options{URL: s.URL})
	for range calls {
		if _, _, err := send(t.Context(), c, "GET", "/", ""); err == nil {
			t.Fatal("no error")
		}
	}
	if got := s.requests.Load(); got != calls+extra {
		t.Errorf("%d calls made %d requests, want %d", calls, got, calls+extra)
	}
	for i := range succeed + 1 {
		if _, _, err := send(t.Context(), c, "GET", "/", ""); err != nil {
			t.Errorf("call %d of a service that is up again: %v", i, err)
		}
	}
}

func TestTelemetry(t *testing.T) {
	recorder, registry := tracetest.NewInMemoryExporter(), metrics.New(metrics.BuildInfo{})
	p, err := tracing.New(t.Context(), tracing.Options{Service: "caller", SampleRatio: 1, Exporter: recorder})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Shutdown(context.Background())
	s := start(t, cut, answer(http.StatusServiceUnavailable))
	c := newClient(t, httpclient.Options{URL: s.URL, Metrics: registry, TracerProvider: p.TracerProvider()})
	ctx, parent := p.TracerProvider().Tracer("test").Start(t.Context(), "handler")
	if _, _, err := send(ctx, c, "GET", "/a?key=secret", ""); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := recorder.GetSpans()
	if len(spans) != 3 {
		t.Fatalf("%d spans, want one for each attempt", len(spans))
	}
	for i, span := range spans {
		attributes := attribute.NewSet(span.Attributes...)
		if span.Name != "GET" || span.Parent.SpanID() != parent.SpanContext().SpanID() {
			t.Errorf("span %q below %v", span.Name, span.Parent.SpanID())
		}
		want := fmt.Sprintf("00-%s-%s-01", span.SpanContext.TraceID(), span.SpanContext.SpanID())
		if got := s.seen[i].Get("Traceparent"); got != want {
			t.Errorf("traceparent %q, want %q", got, want)
		}
		if full, _ := attributes.Value("url.full"); full.AsString() != s.URL+"/a" {
			t.Errorf("url.full = %q", full.AsString())
		}
		if resent, _ := attributes.Value("http.request.resend_count"); resent.AsInt64() != int64(i) {
			t.Errorf("span %d has resend count %d", i, resent.AsInt64())
		}
	}
	if got, want := durations(t, registry), map[string]uint64{"bank GET ": 1, "bank GET 503": 1, "bank GET 200": 1}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("durations %v, want %v", got, want)
	}
}

// Whatever methods and statuses there are, the series are few.
func TestLabelsAreBounded(t *testing.T) {
	registry := metrics.New(metrics.BuildInfo{})
	s := start(t, answer(299), answer(799), answer(599), answer(600))
	c := newClient(t, httpclient.Options{URL: s.URL, Metrics: registry})
	for _, method := range []string{"BREW", "PROPFIND", "BREW", "BREW"} {
		if _, _, err := send(t.Context(), c, method, "/", ""); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := durations(t, registry), map[string]uint64{"bank _OTHER 299": 1, "bank _OTHER 599": 1, "bank _OTHER ": 2}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("durations %v, want %v", got, want)
	}
}

// durations are how many requests were measured by callee, method and status.
func durations(t *testing.T, registry *metrics.Registry) map[string]uint64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, f := range families {
		if f.GetName() != "http_client_request_duration_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			got[strings.Join(labels, " ")] = m.GetHistogram().GetSampleCount()
		}
	}
	return got
}

func TestURL(t *testing.T) {
	for _, url := range []string{"", "bank.example.com", "ftp://bank.example.com", "https://", "http://[", "/v1"} {
		if _, err := httpclient.New(httpclient.Options{Name: "bank", URL: url}); err == nil || !strings.Contains(err.Error(), "client of bank: ") {
			t.Errorf("New with URL %q = %v", url, err)
		}
	}
}
