package idempotency

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/protosvc/protosvc/svc/internal/rpcname"
	"github.com/protosvc/protosvc/svc/metrics"
)

// series are the metrics of all methods.
type series struct{ calls, waits *prometheus.CounterVec }

func newSeries() series {
	method := []string{"grpc_service", "grpc_method"}
	return series{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "svc_idempotency_calls_total",
			Help: "Calls with an idempotency key: executed by the handler, replayed from the store, refused since the key was used for a different request.",
		}, append(method, "result")),
		waits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "svc_idempotency_waits_total",
			Help: "Calls that waited for the same request under way.",
		}, method),
	}
}

func (s series) register(r *metrics.Registry) error {
	return errors.Join(r.Register(s.calls), r.Register(s.waits))
}

// counters are the series of one method.
type counters struct{ executed, replayed, refused, waits prometheus.Counter }

func (s series) bind(name string) counters {
	service, method := rpcname.Split(name)
	return counters{
		executed: s.calls.WithLabelValues(service, method, "executed"),
		replayed: s.calls.WithLabelValues(service, method, "replayed"),
		refused:  s.calls.WithLabelValues(service, method, "refused"),
		waits:    s.waits.WithLabelValues(service, method),
	}
}
