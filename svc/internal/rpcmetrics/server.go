package rpcmetrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/policy"
)

// serverSeries are the series of a server: those of both sides and its own.
type serverSeries struct {
	rpcSeries
	inFlight            *prometheus.GaugeVec
	panics, undecodable *prometheus.CounterVec
	undeclared          *prometheus.CounterVec
	unknown             prometheus.Counter
}

func newServerSeries() serverSeries {
	return serverSeries{
		rpcSeries: newRPCSeries("server"),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "grpc_server_in_flight",
			Help: "Handlers running now, those included whose caller has gone.",
		}, methodLabels()),
		panics:      rpcCounter("server", "panics_total", "Panics of handlers, each answered with Internal."),
		undecodable: rpcCounter("server", "undecodable_total", "Messages that could not be decoded and never reached a handler."),
		undeclared:  rpcCounter("server", "undeclared_errors_total", "Errors of handlers that the contract of the method does not declare."),
		unknown: prometheus.NewCounter(prometheus.CounterOpts{
			// Without labels: the names are whatever callers make up.
			Name: "grpc_server_unknown_method_total",
			Help: "RPCs of a service or a method that this server does not have.",
		}),
	}
}

func (s serverSeries) collectors() []prometheus.Collector {
	return append(s.rpcSeries.collectors(), s.inFlight, s.panics, s.undecodable, s.undeclared, s.unknown)
}

// ServerMethod counts the calls of one method that a server answers. It is
// made by [Series.ServerMethod].
type ServerMethod struct {
	method
	inFlight            prometheus.Gauge
	panics, undecodable prometheus.Counter
	undeclared          prometheus.Counter
}

// ServerMethod binds the grpc_server_ series of a method. Binding a method
// again returns handles to the same series.
func (r *Series) ServerMethod(m policy.Method, kind Kind) *ServerMethod {
	values := methodValues(m, kind)
	return &ServerMethod{
		method:      r.server.bind(m, kind),
		inFlight:    r.server.inFlight.WithLabelValues(values...),
		panics:      r.server.panics.WithLabelValues(values...),
		undecodable: r.server.undecodable.WithLabelValues(values...),
		undeclared:  r.server.undeclared.WithLabelValues(values...),
	}
}

// UnknownMethod counts one RPC of a service or a method that the server does
// not have.
func (r *Series) UnknownMethod() { r.server.unknown.Inc() }

// Start counts a call that begins, and its handler as in flight until [ServerMethod.Left].
func (m *ServerMethod) Start() {
	m.started.Inc()
	m.inFlight.Inc()
}

// Left counts the handler as no longer in flight. It may come after End: a
// stream's handler can outlive its call.
func (m *ServerMethod) Left() { m.inFlight.Dec() }

// End counts a call that ended with code after the time took. A traceID that is
// not empty becomes the exemplar of the latency: give it for sampled calls.
func (m *ServerMethod) End(code codes.Code, took time.Duration, traceID string) {
	m.end(code, took, traceID)
}

// Panicked counts a panic of the handler.
func (m *ServerMethod) Panicked() { m.panics.Inc() }

// Undeclared counts an error of the handler that its contract does not declare.
func (m *ServerMethod) Undeclared() { m.undeclared.Inc() }

// Undecodable counts a message that could not be decoded.
func (m *ServerMethod) Undecodable() { m.undecodable.Inc() }
