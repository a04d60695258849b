// Package metrics counts what a service does, for Prometheus to scrape.
//
// A [Registry] is made once, at start. The runtime counts calls in it by itself.
// Metrics of the business, declared in the contract, take their labels from
// closed lists ([Label]): the number of series is known before the first call.
package metrics

import (
	"net/http"
	"regexp"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
)

// BuildInfo says which program is running. It becomes the labels of the
// series build_info, whose value is always 1.
type BuildInfo struct {
	Service  string // name of the service, for example "order"
	Version  string // released version, for example "v1.4.2"
	System   string // what the service is a part of, for example "shop"
	Team     string // who answers for the service, for example "commerce"
	Revision string // commit the binary was built from
}

// Registry holds every series of one process. Make one with [New].
// It is safe for concurrent use.
type Registry struct {
	prometheus *prometheus.Registry
	rpc        *rpcmetrics.Series
}

// New returns a registry that has the Go runtime's series (goroutines, heap,
// garbage collection, scheduler latency), the process's (CPU, memory, open
// files), build_info, and the RPC series without any method yet.
func New(info BuildInfo) *Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(
			// How long goroutines wait for a CPU: the first thing to look at
			// when a service is slow and its CPU limit is low.
			collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/sched/latencies:seconds$`)},
		)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(info),
	)
	return &Registry{r, rpcmetrics.New(r)}
}

// RPC returns the series of calls, which the runtime counts. Without a registry they are
// series that nobody reads.
func (r *Registry) RPC() *rpcmetrics.Series {
	if r == nil {
		return rpcmetrics.New(prometheus.NewRegistry())
	}
	return r.rpc
}

func buildInfo(info BuildInfo) prometheus.Collector {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "build_info",
		Help: "Always 1; the labels say which program is running.",
		ConstLabels: prometheus.Labels{
			"service":   info.Service,
			"version":   info.Version,
			"system":    info.System,
			"team":      info.Team,
			"revision":  info.Revision,
			"goversion": runtime.Version(),
		},
	})
	gauge.Set(1)
	return gauge
}

// Handler serves the series in Prometheus's text format, or in OpenMetrics
// with its exemplars when the scraper asks for that. A collector that fails
// loses its own series only.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.prometheus, promhttp.HandlerOpts{
		EnableOpenMetrics: true,
		ErrorHandling:     promhttp.ContinueOnError,
	})
}

// Register adds a collector made elsewhere, for example that of a database's
// connection pool. It returns an error when one of its series exists already.
func (r *Registry) Register(c prometheus.Collector) error {
	return r.prometheus.Register(c)
}

// Gather returns the present value of every series. It makes a Registry a
// [prometheus.Gatherer].
func (r *Registry) Gather() ([]*dto.MetricFamily, error) {
	return r.prometheus.Gather()
}
