package rpcmetrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/policy"
)

// limitSeries are the series about what a server refuses and ends.
type limitSeries struct {
	refused, ended *prometheus.CounterVec
	open           *prometheus.GaugeVec
	age            *prometheus.HistogramVec
	connections    prometheus.Counter
	cut            *prometheus.CounterVec
	bodies         prometheus.Counter
}

func newLimitSeries() limitSeries {
	s := limitSeries{
		refused: rpcCounter("server", "refused_total", "RPCs refused before any work was done for them, by the limit that was reached.", "limit"),
		ended:   rpcCounter("server", "stream_ended_total", "Streams that the server ended at one of their bounds, by reason.", "reason"),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "grpc_server_streams_open",
			Help: "Streams that are open now.",
		}, methodLabels()),
		age: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "grpc_server_stream_age_seconds",
			Help:    "Age of streams at their end, in seconds.",
			Buckets: []float64{1, 10, 60, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600},
		}, methodLabels()),
		connections: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "grpc_server_connections_refused_total",
			Help: "Connections that were closed at once because there were too many.",
		}),
		cut: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "grpc_server_connections_ended_total",
			Help: "Connections that the server ended for what their clients did, by reason.",
		}, []string{"reason"}),
		bodies: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "http_server_bodies_refused_total",
			Help: "Request bodies of HTTP that were not read to their end because those on their way took too much memory.",
		}),
	}
	for _, why := range []End{EndResets, EndMemory, EndStreams, EndIdle} {
		s.cut.WithLabelValues(string(why)) // exists at 0 from now on
	}
	return s
}

func (s limitSeries) collectors() []prometheus.Collector {
	return []prometheus.Collector{s.refused, s.ended, s.open, s.age, s.connections, s.cut, s.bodies}
}

// Limit is a limit of a server, the value of the label "limit".
type Limit string

// The limits of a server.
const (
	LimitServer Limit = "server" // calls in progress of all methods
	LimitMethod Limit = "method" // calls in progress of one method
	LimitRate   Limit = "rate"   // calls of one caller in a time
)

// Refused binds the count of a method's calls that one limit refuses. The
// series exists at 0 from then on. Such a call counts as started and as ended
// with ResourceExhausted too, but not in the latency, which it would embellish.
func (r *Series) Refused(m policy.Method, kind Kind, limit Limit) (count func()) {
	bound := r.server.bind(m, kind)
	refused := r.limits.refused.WithLabelValues(append(methodValues(m, kind), string(limit))...)
	return func() {
		bound.started.Inc()
		bound.handled[codes.ResourceExhausted].Inc()
		refused.Inc()
	}
}

// ConnectionRefused counts a connection that was closed at once.
func (r *Series) ConnectionRefused() { r.limits.connections.Inc() }

// End is why a server ends a connection, the value of the label "reason".
type End string

// What clients do that ends their connections.
const (
	EndResets  End = "resets"  // they reset streams too fast
	EndMemory  End = "memory"  // what they have sent of their messages takes too much memory
	EndStreams End = "streams" // they have too many streams open
	EndIdle    End = "idle"    // they do nothing while there are as many as may be open
)

// ConnectionEnded counts a connection that was ended for what its client did.
func (r *Series) ConnectionEnded(why End) { r.limits.cut.WithLabelValues(string(why)).Inc() }

// BodyRefused counts a request body that was not read to its end.
func (r *Series) BodyRefused() { r.limits.bodies.Inc() }

// Concurrency adds a gauge of the limit of calls in progress, for limits that move.
func (r *Series) Concurrency(limit func() int) {
	r.registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "grpc_server_concurrency_limit",
		Help: "Calls in progress above which further ones are refused.",
	}, func() float64 { return float64(limit()) }))
}

// Streams counts the streams of one method. It is made by [Series.Streams].
type Streams struct {
	open  prometheus.Gauge
	age   prometheus.Observer
	ended map[string]prometheus.Counter
}

// Streams binds the series of a streaming method. The reasons are those with
// which the server may end its streams.
func (r *Series) Streams(m policy.Method, kind Kind, reasons []string) *Streams {
	values := methodValues(m, kind)
	s := &Streams{
		open:  r.limits.open.WithLabelValues(values...),
		age:   r.limits.age.WithLabelValues(values...),
		ended: map[string]prometheus.Counter{},
	}
	for _, reason := range reasons {
		s.ended[reason] = r.limits.ended.WithLabelValues(append(values, reason)...)
	}
	return s
}

// Opened counts a stream that begins.
func (s *Streams) Opened() { s.open.Inc() }

// Closed counts a stream that is over.
func (s *Streams) Closed(age time.Duration) {
	s.open.Dec()
	s.age.Observe(age.Seconds())
}

// Ended counts a stream that the server ends, for one of the reasons given to
// [Series.Streams].
func (s *Streams) Ended(reason string) { s.ended[reason].Inc() }
