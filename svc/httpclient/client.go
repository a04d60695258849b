// Package httpclient calls services outside of the system over HTTP.
//
// A [Client] belongs to one of them. It keeps idle connections, limits time and
// size, tries again what may be tried again, and tells metrics and traces of
// each request. A handler gets one for each http_callees of its contract:
//
//	req, err := deps.FraudCheck.NewRequest(ctx, http.MethodGet, "/scores/"+id, nil)
//	if err != nil { … }
//	res, err := deps.FraudCheck.Do(req)
//	if err != nil { return nil, err } // typed: Unavailable, DeadlineExceeded, Canceled
//	defer res.Body.Close()
//
// No redirect is followed and no cookie kept: what comes back is the answer.
package httpclient

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
	"github.com/protosvc/protosvc/svc/internal/throttle"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svc/metrics"
)

// Options are the settings of a client. Zero means the default.
type Options struct {
	// Name is what metrics call the service: "fraud_check". Required.
	Name string

	// URL is what the paths of requests are appended to, http or https. Required.
	URL string

	// Timeout is the deadline of a request with all its attempts and the reading
	// of the response; a context with an earlier one wins. Default 5 seconds.
	Timeout time.Duration

	// Attempts counts all tries of a request that may be repeated. Default 3.
	Attempts int

	// IdleConnections are kept open to the host of the URL. Default 16.
	IdleConnections int

	// MaxResponseBytes limits the body of a response: reading more is an error.
	// Default 4 MiB.
	MaxResponseBytes int64

	// Metrics gets http_client_request_duration_seconds. Nil: nobody sees it.
	Metrics *metrics.Registry

	// TracerProvider makes the spans. Nil: none, but the trace of the context is
	// passed on.
	TracerProvider trace.TracerProvider
}

// Client calls one service. It is safe for concurrent use.
type Client struct {
	name      string
	base      string
	timeout   time.Duration
	attempts  int
	limit     int64
	transport *http.Transport
	metrics   *rpcmetrics.HTTPClient
	tracing   *tracing.HTTPClient
	tokens    throttle.Bucket
}

// New returns a client, which connects when it is used. The URL is the only
// thing that can be wrong. Close it after use.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		// Not shown: it may hold a password.
		return nil, fmt.Errorf("client of %s: its URL is not one of http or https (want for example %q)", o.Name, "https://host/path")
	}
	idle := cmp.Or(o.IdleConnections, defaults.HTTPIdleConnections)
	return &Client{
		name:     o.Name,
		base:     strings.TrimSuffix(o.URL, "/"),
		timeout:  cmp.Or(o.Timeout, defaults.HTTPTimeout),
		attempts: cmp.Or(o.Attempts, defaults.HTTPAttempts),
		limit:    cmp.Or(o.MaxResponseBytes, 4<<20),
		metrics:  o.Metrics.RPC().HTTPClient(o.Name),
		tracing:  tracing.HTTP(o.TracerProvider),
		transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           idle,
			MaxIdleConnsPerHost:    idle,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}, nil
}

// NewRequest returns a request of the service: the path, which begins with a
// slash and may have a query, is appended to the client's URL. A body that is a
// *bytes.Buffer, *bytes.Reader or *strings.Reader can be sent again.
func (c *Client) NewRequest(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, method, c.base+path, body)
}

// Do sends a request and returns the response, whose body must be closed.
//
// A request whose method is idempotent (GET, HEAD, OPTIONS, PUT, DELETE) and
// whose body can be sent again is tried again when the connection fails and
// upon the statuses 429, 502, 503 and 504: after the response's Retry-After, or
// after a growing and jittered wait, but never after the deadline, and rarely
// while few requests succeed.
//
// An error is *errors.Error: [errors.Unavailable] where there was no answer or
// one of these statuses at last, which its cause, a [*StatusError], has;
// [errors.DeadlineExceeded] and [errors.Canceled]. Any other status is an answer.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), c.timeout)
	res, err := c.try(ctx, req)
	if err != nil {
		err = c.typed(ctx, req, err)
		cancel()
		return nil, err
	}
	res.Body = &body{ReadCloser: res.Body, client: c, ctx: ctx, req: req, cancel: cancel, left: c.limit}
	return res, nil
}

// Close closes the connections that are idle.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}

// once sends the request, for the n-th time after the first.
func (c *Client) once(ctx context.Context, req *http.Request, n int) (*http.Response, error) {
	start := time.Now()
	ctx, span := c.tracing.Start(ctx, req, n)
	attempt := req.Clone(ctx)
	c.tracing.Inject(ctx, attempt.Header)
	if n > 0 && req.GetBody != nil {
		again, err := req.GetBody()
		if err != nil {
			c.tracing.End(span, 0, err)
			return nil, err
		}
		attempt.Body = again
	}
	res, err := c.transport.RoundTrip(attempt)
	status := 0
	if err == nil {
		status = res.StatusCode
	}
	c.metrics.End(req.Method, status, time.Since(start))
	c.tracing.End(span, status, err)
	return res, err
}
