package rpcmetrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/protosvc/protosvc/svc/policy"
)

// hedgeSeries are the series of methods whose calls may have a second request.
type hedgeSeries struct{ sent, won, throttled *prometheus.CounterVec }

func newHedgeSeries() hedgeSeries {
	return hedgeSeries{
		sent:      rpcCounter("client", "hedges_sent_total", "Requests sent on top of the first one of a call, because it was slow or failed."),
		won:       rpcCounter("client", "hedges_won_total", "Calls that were answered by such a request first."),
		throttled: rpcCounter("client", "hedges_throttled_total", "Such requests that were not sent, because too few calls succeed."),
	}
}

func (s hedgeSeries) collectors() []prometheus.Collector {
	return []prometheus.Collector{s.sent, s.won, s.throttled}
}

// Hedges counts the further requests of one method's calls. It is made by
// [Series.Hedges].
type Hedges struct{ sent, won, throttled prometheus.Counter }

// Hedges binds the grpc_client_hedges_ series of a method, which is unary.
func (r *Series) Hedges(m policy.Method) *Hedges {
	values := methodValues(m, Unary)
	return &Hedges{
		sent:      r.hedges.sent.WithLabelValues(values...),
		won:       r.hedges.won.WithLabelValues(values...),
		throttled: r.hedges.throttled.WithLabelValues(values...),
	}
}

// Sent counts a further request.
func (h *Hedges) Sent() { h.sent.Inc() }

// Won counts a call that a further request answered first.
func (h *Hedges) Won() { h.won.Inc() }

// Throttled counts a further request that was not sent.
func (h *Hedges) Throttled() { h.throttled.Inc() }
