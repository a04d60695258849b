package rpcmetrics

import "github.com/prometheus/client_golang/prometheus"

// breakerSeries are the series about circuit breakers of clients.
type breakerSeries struct {
	state, ejected *prometheus.GaugeVec
	refused        *prometheus.CounterVec
}

func newBreakerSeries() breakerSeries {
	labels := []string{"grpc_service"}
	return breakerSeries{
		state: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "grpc_client_breaker_state",
			Help: "Circuit breaker of a callee: 0 closed, 1 half open, 2 open.",
		}, labels),
		ejected: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "grpc_client_ejected_backends",
			Help: "Backends of a callee that are left out because their calls failed.",
		}, labels),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "grpc_client_breaker_refused_total",
			Help: "RPCs that were not made because the circuit breaker was open.",
		}, labels),
	}
}

func (s breakerSeries) collectors() []prometheus.Collector {
	return []prometheus.Collector{s.state, s.ejected, s.refused}
}

// Breaker counts what the circuit breaker of one callee does. It is made by
// [Series.Breaker].
type Breaker struct {
	state, ejected prometheus.Gauge
	refused        prometheus.Counter
}

// Breaker binds the series of a callee, by the full name of its service.
func (r *Series) Breaker(service string) *Breaker {
	return &Breaker{
		state:   r.breaker.state.WithLabelValues(service),
		ejected: r.breaker.ejected.WithLabelValues(service),
		refused: r.breaker.refused.WithLabelValues(service),
	}
}

// State records the state: 0 closed, 1 half open, 2 open.
func (b *Breaker) State(state int) { b.state.Set(float64(state)) }

// Refused counts a call that was not made.
func (b *Breaker) Refused() { b.refused.Inc() }

// Ejected counts a backend that is left out, or one that is back.
func (b *Breaker) Ejected(out bool) {
	if out {
		b.ejected.Inc()
	} else {
		b.ejected.Dec()
	}
}
