package gateway

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/peer"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/budget"
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
}

// Mux is the HTTP handler. Register routes at the embedded ServeMux, with
// generated code or with HandlePath.
type Mux struct {
	*runtime.ServeMux
	limit    int64
	pause    time.Duration
	rate     int
	patience time.Duration
	memory   *budget.Budget
	refused  func()
	keys     propagate.Keys
}

// NewMux returns a Mux without routes.
func NewMux(o Options) *Mux {
	answer := answerer{o.Errors}
	return &Mux{
		limit:    cmp.Or(o.BodyLimit, defaults.MessageBytes),
		pause:    cmp.Or(o.BodyPause, defaults.Handshake),
		rate:     cmp.Or(o.BodyRate, defaults.UploadRate),
		patience: cmp.Or(o.Patience, DefaultPatience),
		memory:   o.Memory,
		refused:  o.Refused,
		keys:     o.Propagate,
		ServeMux: runtime.NewServeMux(
			runtime.WithMarshalerOption(runtime.MIMEWildcard, newJSON()),
			runtime.WithIncomingHeaderMatcher(headerMatcher(slices.Concat(o.Headers, names(o.Propagate)))),
			runtime.WithErrorHandler(answer.failure),
			runtime.WithStreamErrorHandler(answer.streamFailure),
			runtime.WithRoutingErrorHandler(answer.routingFailure),
			// Both let a form post reach what the contract declares as GET or
			// DELETE.
			runtime.WithDisablePathLengthFallback(),
			runtime.WithDisableHTTPMethodOverride(),
		),
	}
}

// ServeHTTP limits the body, notes the address of the client as the peer of the
// call, and routes the request.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(peer.NewContext(r.Context(), clientOf(r)))
	control := http.NewResponseController(w)
	if r.Body != http.NoBody {
		limited := &body{
			ReadCloser: http.MaxBytesReader(w, r.Body, m.limit), tooLarge: r.ContentLength > m.limit,
			control: control, pause: m.pause, rate: m.rate,
		}
		limited.account = m.memory.Open(func() { limited.evict(); m.refused() })
		defer limited.done()
		r.Body = limited.start()
	}
	w = newPatient(w, control, m.patience)
	if r.ContentLength > m.limit {
		m.refuse(w, r, errTooLarge)
	} else if err := propagation.CheckPrintable(m.keys, r.Header.Values); err != nil {
		m.refuse(w, r, err)
	} else {
		m.ServeMux.ServeHTTP(w, r)
	}
}

func (m *Mux) refuse(w http.ResponseWriter, r *http.Request, err error) {
	_, marshaler := runtime.MarshalerForRequest(m.ServeMux, r)
	runtime.HTTPError(r.Context(), m.ServeMux, marshaler, w, r, err)
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

// passed are the request headers that handlers get as metadata.
var passed = []string{"traceparent", "tracestate", "baggage", "x-request-id", "accept-language"}

// headerMatcher passes the headers above, the declared ones, and what a client
// prefixes with Grpc-Metadata-. The prefix does not reach the names that mean
// something to gRPC or to the gateway, nor a header that passes by itself. The
// gateway adds authorization, x-forwarded-for and x-forwarded-host.
func headerMatcher(declared []string) runtime.HeaderMatcherFunc {
	own := map[string]bool{}
	for _, names := range [][]string{passed, declared} {
		for _, name := range names {
			own[strings.ToLower(name)] = true
		}
	}
	prefix := strings.ToLower(runtime.MetadataHeaderPrefix)
	return func(header string) (string, bool) {
		name := strings.ToLower(header)
		if own[name] {
			return name, true
		}
		key, prefixed := strings.CutPrefix(name, prefix)
		return key, prefixed && !own[key] && !reserved(key)
	}
}

func reserved(key string) bool {
	return key == "authorization" || strings.HasPrefix(key, "grpc-") || strings.HasPrefix(key, runtime.MetadataPrefix)
}

func names(keys propagate.Keys) []string {
	var names []string
	for _, key := range keys {
		names = append(names, key.Name)
	}
	return names
}
