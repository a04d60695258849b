package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/internal/rpcname"
	"github.com/protosvc/protosvc/svc/internal/sleep"
	"github.com/protosvc/protosvc/svc/metrics"
)

// measureInterval is how often the gauges are read from the database.
const measureInterval = 5 * time.Second

// series are the metrics of all methods. The gauges are about the table, which
// all replicas share, so aggregate them with max.
type series struct {
	attempts        *prometheus.CounterVec
	pending, parked *prometheus.GaugeVec
	oldest          *prometheus.GaugeVec
}

func newSeries() series {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"grpc_service", "grpc_method"})
	}
	return series{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "svc_outbox_attempts_total",
			Help: "Attempts to deliver a message, by the code with which the call ended.",
		}, []string{"grpc_service", "grpc_method", "grpc_code"}),
		pending: gauge("svc_outbox_pending", "Messages not yet delivered, parked ones included. The same in all replicas."),
		parked:  gauge("svc_outbox_parked", "Messages given up after too many failures. The same in all replicas."),
		oldest:  gauge("svc_outbox_oldest_seconds", "Age of the oldest message not yet delivered. The same in all replicas."),
	}
}

func (s series) register(r *metrics.Registry) error {
	return errors.Join(r.Register(s.attempts), r.Register(s.pending), r.Register(s.parked), r.Register(s.oldest))
}

// gauges are the series of one method.
type gauges struct {
	attempts                func(codes.Code) prometheus.Counter
	pending, parked, oldest prometheus.Gauge
}

func (s series) bind(name string) gauges {
	service, method := rpcname.Split(name)
	return gauges{
		attempts: func(c codes.Code) prometheus.Counter { return s.attempts.WithLabelValues(service, method, c.String()) },
		pending:  s.pending.WithLabelValues(service, method),
		parked:   s.parked.WithLabelValues(service, method),
		oldest:   s.oldest.WithLabelValues(service, method),
	}
}

// measure keeps the gauges until ctx ends.
func (o *Outbox) measure(ctx context.Context) {
	for ctx.Err() == nil {
		for _, m := range o.methods {
			if err := m.measure(ctx); err != nil && ctx.Err() == nil {
				m.log.WarnContext(ctx, "messages cannot be counted", "error", err)
			}
		}
		sleep.For(ctx, measureInterval)
	}
}

func (m *method) measure(ctx context.Context) error {
	var pending, parked, first int64
	err := m.outbox.store.db.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN parked THEN 1 ELSE 0 END), 0),
		COALESCE(MIN(enqueue_time), 0) FROM svc_outbox WHERE method = $1`, m.name).Scan(&pending, &parked, &first)
	if err != nil {
		return err
	}
	m.pending.Set(float64(pending))
	m.parked.Set(float64(parked))
	m.oldest.Set(0)
	if pending > 0 {
		m.oldest.Set(time.Since(time.UnixMicro(first)).Seconds())
	}
	return nil
}
