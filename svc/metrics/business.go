package metrics

import (
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// other is the value recorded for a label value that is not in its list.
const other = "other"

// Label is a label of a business metric with the values it may have. The list
// must not be empty, and any value outside it is recorded as "other": what
// callers send can never grow the number of series.
type Label struct {
	Name   string
	Values []string
}

// Counter is a business metric that only grows, such as orders created.
type Counter struct {
	labels labels
	vec    *prometheus.CounterVec
}

// Counter registers a counter; by convention its name ends in "_total". Each of
// its series exists at 0 from the start, so rate() sees the first increment.
//
// Counter, [Registry.Gauge] and [Registry.Histogram] are called by generated
// code with names that were checked when it was generated. They panic when a
// name is not valid or is taken, or when a label has no values.
func (r *Registry) Counter(name, help string, ls []Label) *Counter {
	checked := newLabels(name, ls)
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, checked.names())
	r.prometheus.MustRegister(vec)
	checked.each(nil, func(values []string) { vec.WithLabelValues(values...) })
	return &Counter{checked, vec}
}

// With returns the counter for one value of each label, in the order of the
// labels. It panics when their number is wrong.
func (c *Counter) With(values ...string) prometheus.Counter {
	return c.vec.WithLabelValues(c.labels.bounded(values)...)
}

// Gauge is a business metric that goes up and down, such as the length of a queue.
type Gauge struct {
	labels labels
	vec    *prometheus.GaugeVec
}

// Gauge registers a gauge. Its series appear when they are first used, since a
// value of 0 that nobody measured would be a lie.
func (r *Registry) Gauge(name, help string, ls []Label) *Gauge {
	checked := newLabels(name, ls)
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, checked.names())
	r.prometheus.MustRegister(vec)
	return &Gauge{checked, vec}
}

// With returns the gauge for one value of each label, in the order of the
// labels. It panics when their number is wrong.
func (g *Gauge) With(values ...string) prometheus.Gauge {
	return g.vec.WithLabelValues(g.labels.bounded(values)...)
}

// Histogram is a business metric of which the distribution matters, such as
// the value of an order.
type Histogram struct {
	labels labels
	vec    *prometheus.HistogramVec
}

// Histogram registers a histogram with the given upper bounds of its buckets,
// in ascending order; nil means Prometheus's default, made for latencies of
// 5 ms to 10 s given in seconds.
func (r *Registry) Histogram(name, help string, buckets []float64, ls []Label) *Histogram {
	checked := newLabels(name, ls)
	opts := prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}
	vec := prometheus.NewHistogramVec(opts, checked.names())
	r.prometheus.MustRegister(vec)
	return &Histogram{checked, vec}
}

// With returns the observer for one value of each label, in the order of the
// labels. It panics when their number is wrong.
func (h *Histogram) With(values ...string) prometheus.Observer {
	return h.vec.WithLabelValues(h.labels.bounded(values)...)
}

// labels are the labels of one metric, in the order of its values.
type labels []Label

func newLabels(metric string, ls []Label) labels {
	for _, l := range ls {
		if len(l.Values) == 0 {
			panic(fmt.Sprintf("metric %q: label %q has no values", metric, l.Name))
		}
	}
	return slices.Clone(ls)
}

func (ls labels) names() []string {
	names := make([]string, len(ls))
	for i, l := range ls {
		names[i] = l.Name
	}
	return names
}

// bounded replaces every value that is not in its label's list by "other".
// Values without a label are kept: the vector refuses them by their number.
func (ls labels) bounded(values []string) []string {
	bounded := values
	for i, value := range values {
		if i >= len(ls) || slices.Contains(ls[i].Values, value) {
			continue
		}
		if &bounded[0] == &values[0] { // the slice is the caller's
			bounded = slices.Clone(values)
		}
		bounded[i] = other
	}
	return bounded
}

// each calls f with every combination of listed values that starts with prefix.
func (ls labels) each(prefix []string, f func(values []string)) {
	if len(prefix) == len(ls) {
		f(prefix)
		return
	}
	for _, value := range ls[len(prefix)].Values {
		ls.each(append(prefix, value), f)
	}
}
