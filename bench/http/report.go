package main

import (
	"bytes"
	"fmt"
	"runtime"

	"github.com/protosvc/protosvc/svc/bench/internal/page"
)

// report is the section of docs/benchmarks.md.
func report(rows []row, rounds int) string {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("## HTTP/JSON\n")
	p("From a request over HTTP/JSON to the handler and back, on the contract of the flagship's orders. The handler is the same")
	p("everywhere: it has its answer ready. No side has interceptors, a deadline or a compressed answer. protosvc is what a service")
	p("serves, the pace of bodies and the checks of headers included, without what the server around the handler does to a call")
	p("(admission, validation, metrics) and without the budget of memory; grpc-gateway is v2.33.0, with the handler in the")
	p("process or as the proxy of a gRPC server on loopback; kratos is v2.8.3. All are at their defaults, but that kratos has its")
	p("deadline of 1 s switched off.\n")
	p("Time is what passes, processor what all of the process uses of it, the collector of garbage included. The ratio is that of")
	p("protosvc to the other, taken in each round and given as median [smallest–largest];")
	p("%d rounds on %d processors, all sides in one process and ten times in turn in each round.", rounds, runtime.GOMAXPROCS(0))
	way := ""
	for _, r := range rows {
		if r.way != way {
			way = r.way
			p("\n%s\n", abouts[way])
			p("| Request | Side | Time | Ratio | Processor | Ratio | Allocations | Memory |")
			p("|---|---|---|---|---|---|---|---|")
		}
		p("| %s | %s | %.1f µs | %s | %.1f µs | %s | %.0f | %.1f kB |", r.call, r.side, r.median(elapsed)/1e3, r.ratio(elapsed),
			r.median(processorTime)/1e3, r.ratio(processorTime), r.median(allocations), r.median(bytesOf)/1e3)
	}
	return b.String()
}

// abouts say what the tables are of.
var abouts = map[string]string{
	inProcess:      "Through `http.Handler`, with a request and a response writer that are used again:",
	overConnection: "Over a connection on loopback, net/http and the client included:",
}

func elapsed(s sample) float64       { return s.elapsed }
func processorTime(s sample) float64 { return s.processor }
func allocations(s sample) float64   { return s.allocations }
func bytesOf(s sample) float64       { return s.bytes }

func (r row) median(of func(sample) float64) float64 {
	var values []float64
	for _, s := range r.all {
		values = append(values, of(s))
	}
	return page.Median(values)
}

// ratio is that of our time to the side's; empty for ourselves.
func (r row) ratio(of func(sample) float64) string {
	if &r.own[0] == &r.all[0] {
		return ""
	}
	var ratios []float64
	for i := range r.all {
		ratios = append(ratios, of(r.own[i])/of(r.all[i]))
	}
	return page.Spread(ratios)
}
