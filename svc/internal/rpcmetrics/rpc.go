// Package rpcmetrics counts calls: those that a server answers, and those that clients
// make. Methods are bound to their series once ([Series.ServerMethod],
// [Series.ClientMethod]), so that a call pays for a few atomic adds and never for a
// lookup of labels.
//
// The names of the series are those of go-grpc-middleware's Prometheus provider where it
// has them, so dashboards made for it work here.
package rpcmetrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/internal/rpcname"
	"github.com/protosvc/protosvc/svc/policy"
)

// Series are the series of all calls of one process. Make them with [New]. They are
// safe for concurrent use.
type Series struct {
	registerer prometheus.Registerer
	server     serverSeries
	client     rpcSeries
	breaker    breakerSeries
	hedges     hedgeSeries
	http       *prometheus.HistogramVec
	limits     limitSeries
}

// New registers the series, without any method yet. It panics when one exists already.
func New(r prometheus.Registerer) *Series {
	s := &Series{
		registerer: r,
		server:     newServerSeries(),
		client:     newRPCSeries("client"),
		breaker:    newBreakerSeries(),
		hedges:     newHedgeSeries(),
		http:       newHTTPSeries(),
		limits:     newLimitSeries(),
	}
	for _, collectors := range [][]prometheus.Collector{
		s.server.collectors(), s.client.collectors(), s.breaker.collectors(), s.hedges.collectors(), {s.http}, s.limits.collectors(),
	} {
		r.MustRegister(collectors...)
	}
	return s
}

// Kind is the kind of an RPC: which side sends many messages. It is the value
// of the label grpc_type.
type Kind string

// The four kinds of an RPC.
const (
	Unary        Kind = "unary"
	ClientStream Kind = "client_stream"
	ServerStream Kind = "server_stream"
	BidiStream   Kind = "bidi_stream"
)

// StreamKind is the kind of the RPC that a stream's descriptor describes.
func StreamKind(desc grpc.StreamDesc) Kind {
	switch {
	case desc.ClientStreams && desc.ServerStreams:
		return BidiStream
	case desc.ClientStreams:
		return ClientStream
	default:
		return ServerStream
	}
}

// codeCount is the number of gRPC status codes; they are numbered from 0 (OK)
// to 16 (Unauthenticated).
const codeCount = int(codes.Unauthenticated) + 1

// handlingBuckets are the upper bounds of grpc_*_handling_seconds. They lie
// close where deadlines and latency objectives usually are, since a quantile
// is only as good as the buckets around it.
func handlingBuckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .2, .3, .5, .8, 1, 2, 5, 10, 30}
}

// methodLabels are the labels that every RPC series has.
func methodLabels() []string { return []string{"grpc_service", "grpc_method", "grpc_type"} }

func methodValues(m policy.Method, kind Kind) []string {
	service, method := rpcname.Split(m.Name)
	return []string{service, method, string(kind)}
}

// rpcSeries are the series that servers and clients both have.
type rpcSeries struct {
	started, handled, received, sent *prometheus.CounterVec
	seconds                          *prometheus.HistogramVec
}

// newRPCSeries makes the series of one side, "server" or "client".
func newRPCSeries(side string) rpcSeries {
	return rpcSeries{
		started:  rpcCounter(side, "started_total", "RPCs started."),
		handled:  rpcCounter(side, "handled_total", "RPCs completed, by status code.", "grpc_code"),
		received: rpcCounter(side, "msg_received_total", "Messages received."),
		sent:     rpcCounter(side, "msg_sent_total", "Messages sent."),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "grpc_" + side + "_handling_seconds",
			Help:    "Time from the start of an RPC to its end, in seconds.",
			Buckets: handlingBuckets(),
		}, methodLabels()),
	}
}

func rpcCounter(side, name, help string, extra ...string) *prometheus.CounterVec {
	opts := prometheus.CounterOpts{Name: "grpc_" + side + "_" + name, Help: help}
	return prometheus.NewCounterVec(opts, append(methodLabels(), extra...))
}

func (s rpcSeries) collectors() []prometheus.Collector {
	return []prometheus.Collector{s.started, s.handled, s.received, s.sent, s.seconds}
}

// bind resolves the series of one method. All of them exist at 0 from then on,
// for every status code, so that rate() sees the first failure too.
func (s rpcSeries) bind(m policy.Method, kind Kind) method {
	values := methodValues(m, kind)
	bound := method{
		started:  s.started.WithLabelValues(values...),
		received: s.received.WithLabelValues(values...),
		sent:     s.sent.WithLabelValues(values...),
		seconds:  s.seconds.WithLabelValues(values...),
	}
	for code := range bound.handled {
		bound.handled[code] = s.handled.WithLabelValues(append(values, codes.Code(code).String())...)
	}
	return bound
}

// method holds the bound series of one method that both sides have.
type method struct {
	started, received, sent prometheus.Counter
	seconds                 prometheus.Observer
	handled                 [codeCount]prometheus.Counter
}

// Received counts one message received from the other side.
func (m *method) Received() { m.received.Inc() }

// Sent counts one message sent to the other side.
func (m *method) Sent() { m.sent.Inc() }

// end counts a completed RPC. A code that gRPC does not define counts as
// Unknown, as the other side would take it.
func (m *method) end(code codes.Code, took time.Duration, traceID string) {
	if int(code) >= codeCount {
		code = codes.Unknown
	}
	m.handled[code].Inc()
	if traceID == "" {
		m.seconds.Observe(took.Seconds())
		return
	}
	// Histograms of the client library always take exemplars.
	m.seconds.(prometheus.ExemplarObserver).
		ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": traceID})
}

// ClientMethod counts the calls of one method that a client makes. It is made
// by [Series.ClientMethod].
type ClientMethod struct{ method }

// ClientMethod binds the grpc_client_ series of a method. Binding a method
// again returns handles to the same series.
func (r *Series) ClientMethod(m policy.Method, kind Kind) *ClientMethod {
	return &ClientMethod{r.client.bind(m, kind)}
}

// Start counts a call that begins.
func (m *ClientMethod) Start() { m.started.Inc() }

// End counts a call that ended with code after the time took. A traceID that is
// not empty becomes the exemplar of the latency: give it for sampled calls.
func (m *ClientMethod) End(code codes.Code, took time.Duration, traceID string) {
	m.end(code, took, traceID)
}
