package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/protosvc/protosvc/internal/system"
)

// process is one run of a replica: they come and go under one address.
type process struct {
	admin string
	born  float64 // seconds
}

// counts are the calls that payments have seen, by process and method. A process
// that is killed takes its count with it, so they are read again and again.
type counts struct {
	mu sync.Mutex
	of map[process]map[string]float64
}

func (c *counts) set(p process, calls map[string]float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[p] = calls
}

// total counts the calls of a method, by the address of the replica.
func (c *counts) total(method string) map[string]float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]float64{}
	for p, calls := range c.of {
		out[p.admin] += calls[method]
	}
	return out
}

// usage is what the order processes hold, after a garbage collection.
type usage struct{ goroutines, heap float64 }

func (c *cluster) usage(ctx context.Context) (u usage) {
	for _, o := range c.orders {
		for range 2 { // finalizers take two
			if res, err := http.Get("http://" + o.Admin + "/debug/pprof/heap?gc=1"); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		}
		if families, err := scrape(ctx, o); err == nil {
			u.goroutines += families["go_goroutines"].GetMetric()[0].GetGauge().GetValue()
			u.heap += families["go_memstats_heap_alloc_bytes"].GetMetric()[0].GetGauge().GetValue()
		}
	}
	return u
}

// watch reads the counts until ctx ends, and closes done then.
func (c *cluster) watch(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	for ctx.Err() == nil {
		c.count(ctx)
		_ = sleep(ctx, 100*time.Millisecond)
	}
}

// count reads the counts of all who answer.
func (c *cluster) count(ctx context.Context) {
	for _, p := range c.payments {
		if families, err := scrape(ctx, p); err == nil {
			born := families["process_start_time_seconds"].GetMetric()[0].GetGauge().GetValue()
			c.counts.set(process{p.Admin, born}, started(families))
		}
	}
}

// warm returns when the load has reached every payment, and often enough for order
// to know them.
func (c *cluster) warm(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, warmLimit, errCold)
	defer cancel()
	for {
		seen := c.counts.total(authorize)
		if !slices.ContainsFunc(c.payments[:c.shape.payments], func(p *system.Service) bool { return seen[p.Admin] < warmCalls }) {
			return nil
		}
		if sleep(ctx, 20*time.Millisecond) != nil {
			return context.Cause(ctx)
		}
	}
}

const (
	authorize = "Authorize" // what each order calls once
	warmCalls = 20
	warmLimit = 20 * time.Second
)

var errCold = errors.New("the load does not reach every payment")

// scrape reads the metrics of a process.
func scrape(ctx context.Context, s *system.Service) (map[string]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(bytes.NewReader(text))
}

// started are the calls that a process has seen, by method.
func started(families map[string]*dto.MetricFamily) map[string]float64 {
	out := map[string]float64{}
	for _, m := range families["grpc_server_started_total"].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == "grpc_method" {
				out[l.GetValue()] += m.GetCounter().GetValue()
			}
		}
	}
	return out
}
