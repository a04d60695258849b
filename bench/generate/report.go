package main

import (
	"bytes"
	"fmt"
	"runtime"
	"time"

	"github.com/protosvc/protosvc/svc/bench/internal/page"
)

// report is the section of docs/benchmarks.md.
func report(rows []row) string {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("## Generation\n")
	p("All that protoc-gen-svc writes for a system, against protoc-gen-go on the same descriptors: contracts with %d RPCs", methods)
	p("each in %d layers, every RPC calling two of the layer below, with deadlines, errors, rules and HTTP paths. The", layers)
	p("ratio is taken in each round and given as median [smallest–largest]; %d rounds on %d processors.\n", len(rows[0].own), runtime.GOMAXPROCS(0))
	p("| Services | protoc-gen-svc | protoc-gen-go | Ratio | Memory | Output |")
	p("|---|---|---|---|---|---|")
	for _, r := range rows {
		name := fmt.Sprint(r.services)
		if !r.annotated {
			name += ", without annotations"
		}
		var ratios []float64
		for i := range r.own {
			ratios = append(ratios, r.own[i].took.Seconds()/r.peer[i].took.Seconds())
		}
		p("| %s | %.2f s | %.2f s | %s | %d against %d MB | %.0f MB |", name, page.Median(seconds(r.own)), page.Median(seconds(r.peer)), page.Spread(ratios),
			most(r.own)/1e6, most(r.peer)/1e6, float64(r.own[0].bytes)/1e6)
	}
	small, large := rows[0], rows[1]
	var growth []float64
	for i := range small.own {
		per := func(r row) float64 { return r.own[i].took.Seconds() / float64(r.services) }
		growth = append(growth, per(large)/per(small))
	}
	p("\nTime for each service at %d services, against that at %d: %s.", large.services, small.services, page.Spread(growth))
	return b.String()
}

func seconds(runs []run) (out []float64) {
	for _, r := range runs {
		out = append(out, r.took.Round(time.Millisecond).Seconds())
	}
	return out
}

func most(runs []run) (bytes int64) {
	for _, r := range runs {
		bytes = max(bytes, r.memory)
	}
	return bytes
}
