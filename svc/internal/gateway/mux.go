package gateway

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/internal/httprule"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/budget"
	"github.com/protosvc/protosvc/svc/internal/cut"
	"github.com/protosvc/protosvc/svc/internal/propagation"
	"github.com/protosvc/protosvc/svc/propagate"
)

// Options are the settings of a [Mux]. The zero value is ready for use.
type Options struct {
	// Errors are the codes of the service and of its callees, which give
	// errors their HTTP status. A reason that is not here has the one that
	// follows from its gRPC code.
	Errors errors.Table

	// BodyLimit is the size of the largest request body in bytes; a larger one
	// is answered with 413. Zero: 4 MiB, as for a message of gRPC.
	BodyLimit int64

	// BodyPause is how long a request body may pause, and BodyRate how many bytes of
	// it a client must send per second beside that; one that is slower is answered
	// with 408, and its connection ends. Zero: 10 s and 32 KiB, with which a body of
	// 4 MiB has 138 s at the most.
	BodyPause time.Duration
	BodyRate  int

	// Memory is the budget of request bodies; nil: no limit. One that is evicted is
	// answered with 429, and its connection ends; Refused is called for it.
	Memory  *budget.Budget
	Refused func()

	// Patience is how long a client may take to accept the next piece of a message;
	// then the connection ends. Zero: [DefaultPatience].
	Patience time.Duration

	// Headers are names of further request headers that handlers get as
	// metadata, under the same name in lower case.
	Headers []string

	// Propagate are the metadata that travel. Their headers pass too, and a
	// request with one that is not printable ASCII is answered with 400.
	Propagate propagate.Keys

	// CORS are the pages of browsers that may call.
	CORS CORS
}

// Mux is the HTTP handler.
type Mux struct {
	answerer
	router    *httprule.Router
	endpoints []endpoint // by the rules of the router
	headers   headers
	limit     int64
	pause     time.Duration
	rate      int
	patience  time.Duration
	memory    *budget.Budget
	refused   func()
	keys      propagate.Keys
	carriers  map[string]string // the headers of the keys, as Go has them
	crossing  crossing
}

// NewMux returns a Mux that serves the methods by the routes. Its errors are mistakes
// of the contract, or of code that does not belong to it.
func NewMux(methods *Methods, routes []Route, o Options) (*Mux, error) {
	if err := o.CORS.check(); err != nil {
		return nil, err
	}
	router, endpoints, err := compile(methods, routes)
	if err != nil {
		return nil, err
	}
	headers := newHeaders(slices.Concat(o.Headers, names(o.Propagate)))
	return &Mux{
		answerer:  answerer{o.Errors},
		router:    router,
		endpoints: endpoints,
		headers:   headers,
		crossing:  newCrossing(o.CORS, headers),
		limit:     cmp.Or(o.BodyLimit, defaults.MessageBytes),
		pause:     cmp.Or(o.BodyPause, defaults.Handshake),
		rate:      cmp.Or(o.BodyRate, defaults.UploadRate),
		patience:  cmp.Or(o.Patience, DefaultPatience),
		memory:    o.Memory,
		refused:   o.Refused,
		keys:      o.Propagate,
		carriers:  carriersOf(o.Propagate),
	}, nil
}

// ServeHTTP limits the body, and answers the request.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.cross(w, r) {
		return
	}
	control := http.NewResponseController(w)
	if r.Body == nil {
		r.Body = http.NoBody // only in tests of others: a server has set it
	}
	if r.Body != http.NoBody {
		limited := &body{
			ReadCloser: http.MaxBytesReader(w, r.Body, m.limit), tooLarge: r.ContentLength > m.limit,
			limit: m.limit, control: control, pause: m.pause, rate: m.rate,
		}
		limited.account = m.memory.Open(func() { limited.evict(); m.refused() })
		defer limited.done()
		r.Body = limited.start()
	}
	c := &call{Request: r, w: newPatient(w, control, m.patience)}
	if err := m.serve(c); err != nil {
		m.fail(c, err)
	}
}

// call is a request that has a route, or that is looking for one.
type call struct {
	*http.Request
	w http.ResponseWriter

	*endpoint
	captures []string
	silent   bool        // of what its body is
	back     *returnPath // nil until the handler is called
}

func (m *Mux) serve(c *call) error {
	if c.ContentLength > m.limit {
		return errTooLarge
	}
	if err := propagation.CheckPrintable(m.keys, func(key string) []string { return c.Header[m.carriers[key]] }); err != nil {
		return err
	}
	match := m.router.Match(c.Method, c.URL.EscapedPath())
	if match.Outcome != httprule.Found {
		return m.unrouted(c, match)
	}
	c.endpoint, c.captures = &m.endpoints[match.Rule], match.Captures
	if err := c.checkContentType(); err != nil {
		return err
	}
	if err := c.checkContentEncoding(); err != nil {
		return err
	}
	ctx, cancel, err := m.context(c.Request)
	if err != nil {
		return err
	}
	defer cancel()
	return c.serve(ctx, c)
}

// context is the context that a handler gets, but for its way back.
func (m *Mux) context(r *http.Request) (context.Context, context.CancelFunc, error) {
	timeout, err := timeoutOf(r.Header)
	if err != nil {
		return nil, nil, err
	}
	md, err := m.headers.metadata(r)
	if err != nil {
		return nil, nil, err
	}
	ctx := metadata.NewIncomingContext(peer.NewContext(r.Context(), clientOf(r)), md)
	if timeout > 0 {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		return ctx, cancel, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	return ctx, cancel, nil
}

// How many bytes of a request line an answer shows.
const (
	maxMethod = 16
	maxPath   = 128
)

// unrouted answers a request that no route is for.
func (m *Mux) unrouted(c *call, match httprule.Match) error {
	path := cut.Text(c.URL.Path, maxPath)
	switch match.Outcome {
	case httprule.NotAllowed:
		c.w.Header().Set("Allow", allow(match.Allow))
		if c.Method == http.MethodOptions {
			c.w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return fixed(http.StatusMethodNotAllowed, codes.Unimplemented, "method %s is not allowed for path %q", cut.Text(c.Method, maxMethod), path)
	case httprule.Malformed:
		return fixed(http.StatusBadRequest, codes.InvalidArgument, "malformed path %q", path)
	}
	return fixed(http.StatusNotFound, codes.NotFound, "no route for path %q", path)
}

// allow are the methods of a path, sorted. OPTIONS is one always.
func allow(methods []string) string {
	all := append(slices.Clone(methods), http.MethodOptions)
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

func clientOf(r *http.Request) *peer.Peer {
	p := &peer.Peer{}
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		p.Addr = net.TCPAddrFromAddrPort(addr)
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		p.LocalAddr = local
	}
	return p
}

func names(keys propagate.Keys) []string {
	var names []string
	for _, key := range keys {
		names = append(names, key.Name)
	}
	return names
}

func carriersOf(keys propagate.Keys) map[string]string {
	out := map[string]string{}
	for _, name := range names(keys) {
		out[name] = http.CanonicalHeaderKey(name)
	}
	return out
}
