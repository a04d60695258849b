package main

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// report is the page docs/benchmarks.md.
func report(rows []row) []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("<!-- Written by make bench-generate. DO NOT EDIT. -->\n")
	p("# Benchmarks\n")
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
		p("| %s | %.2f s | %.2f s | %s | %d against %d MB | %.0f MB |", name, median(seconds(r.own)), median(seconds(r.peer)), spread(ratios),
			most(r.own)/1e6, most(r.peer)/1e6, float64(r.own[0].bytes)/1e6)
	}
	small, large := rows[0], rows[1]
	var growth []float64
	for i := range small.own {
		per := func(r row) float64 { return r.own[i].took.Seconds() / float64(r.services) }
		growth = append(growth, per(large)/per(small))
	}
	p("\nTime for each service at %d services, against that at %d: %s.", large.services, small.services, spread(growth))
	return b.Bytes()
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

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

func spread(of []float64) string {
	return fmt.Sprintf("%.2f [%.2f–%.2f]", median(of), slices.Min(of), slices.Max(of))
}
