package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// least is the share of honest calls that must be good.
const least = 0.99

// verdict is one thing that is wanted of a row, and why it is not so.
type verdict struct {
	what  string
	err   error
	timed bool // it is about how long callers waited
}

// judge looks at everything that is wanted.
func (res *result) judge(b *base) {
	want := func(what string, err error) { res.verdicts = append(res.verdicts, verdict{what, err, false}) }
	timely := func(what string, err error) { res.verdicts = append(res.verdicts, verdict{what, err, true}) }
	want("the process lives", res.killed())
	want("its memory stays below the limit", res.fits(b.limit))
	timely("honest callers have their answers", res.honest.old.fault(least))
	timely("callers that come anew have them", res.honest.newcomers.fault(least))
	timely("livez and readyz answer", res.honest.probes.fault(1))
	want("it comes to rest", res.restless())
}

// late reports whether nothing is wrong but that callers have waited too long, which may
// be for want of a processor: the kernel and the clients use the same ones.
func (res *result) late() (late bool) {
	for _, v := range res.verdicts {
		if v.err != nil && !v.timed {
			return false
		}
		late = late || v.err != nil
	}
	return late
}

// unknown reports whether the row says nothing: callers waited, and the machine stood still.
func (res *result) unknown() bool { return res.late() && res.machine.Unfit() }

func (res *result) killed() error {
	if !res.alive || res.kills > 0 {
		return fmt.Errorf("it ended; killed for its memory: %d times", res.kills)
	}
	return nil
}

func (res *result) fits(limit int64) error {
	if res.peak.memory >= limit || res.kills > 0 { // between two looks, too
		return fmt.Errorf("%d MiB were seen of %d, and it was killed %d times", res.peak.memory>>20, limit>>20, res.kills)
	}
	return nil
}

// restless says what is above what it was before.
func (res *result) restless() error {
	switch {
	case !res.alive:
		return errors.New("it ended")
	case res.last.goroutines == 0:
		return errors.New("its metrics cannot be had")
	}
	var faults []error
	for _, m := range []struct {
		what          string
		first, last   int
		more, divisor int
	}{
		{"open files", res.first.files, res.last.files, moreOpen, 1},
		{"goroutines", res.first.goroutines, res.last.goroutines, moreGo, 1},
		{"MiB", int(res.first.memory), int(res.last.memory), moreMemory, 1 << 20},
	} {
		if m.last > m.first+m.more {
			faults = append(faults, fmt.Errorf("%d %s, %d before", m.last/m.divisor, m.what, m.first/m.divisor))
		}
	}
	return errors.Join(faults...)
}

// report is what was wanted of all rows, and what came of it.
type report struct {
	began          time.Time
	results        []*result
	passed, failed int
}

// add prints a row and counts its verdicts.
func (r *report) add(res *result) {
	r.results = append(r.results, res)
	fmt.Printf("      %s  %s: %s\n", res.number, res.name, res.numbers())
	if res.did != "" {
		fmt.Printf("      the client: %s\n", res.did)
	}
	if res.bare != nil {
		fmt.Printf("      with bare defaults: %s\n      %s\n", res.bare.said(), res.bare.numbers())
	}
	for _, v := range res.verdicts {
		if v.err == nil {
			r.passed++
			fmt.Printf("ok    %s, %s: %s\n", res.number, res.name, v.what)
			continue
		}
		if res.unknown() {
			fmt.Printf("?     %s, %s: %s: %v, while the host took up to %.0f %% of the processors\n", res.number, res.name, v.what, v.err, 100*res.machine.Stolen())
			continue
		}
		r.failed++
		fmt.Printf("FAIL  %s, %s: %s: %v\n", res.number, res.name, v.what, strings.ReplaceAll(v.err.Error(), "\n", "; "))
	}
}

// said is what comes of all verdicts, in a word or two.
func (res *result) said() string {
	switch {
	case res == nil:
		return "–"
	case res.killed() != nil:
		return "**killed**"
	}
	for _, v := range res.verdicts {
		if v.err != nil && res.unknown() {
			return "unknown"
		}
		if v.err != nil {
			return "**FAIL**"
		}
	}
	return "ok"
}

func (res *result) numbers() string {
	h := res.honest
	return fmt.Sprintf("memory %d, %d, %d MiB; sockets %d MiB; files %d, %d; goroutines %d, %d; rest after %v; old %d of %d, %v, %v; new %d of %d; probes %d of %d; %.0f %% stolen",
		res.first.memory>>20, res.peak.memory>>20, res.last.memory>>20, res.peak.sockets>>20, res.first.files, res.last.files,
		res.first.goroutines, res.last.goroutines, res.rested.Round(100*time.Millisecond),
		len(h.old.took), h.old.all, h.old.quantile(50), h.old.quantile(99), len(h.newcomers.took), h.newcomers.all, len(h.probes.took), h.probes.all, 100*res.machine.Stolen())
}

func (r *report) end() error {
	fmt.Printf("%d passed, %d failed, in %v\n", r.passed, r.failed, time.Since(r.began).Round(time.Second))
	if r.failed > 0 || r.passed == 0 {
		return errors.New("not everything is as it should be")
	}
	return nil
}

const preamble = `<!-- Written by make siege. DO NOT EDIT. -->

# Siege

What one client without credentials can do to a replica of the flagship's order service, and what honest callers notice
of it. Each row is a replica of its own: a real process, with the tags of the image (%s; SQLite instead of
PostgreSQL), GOMEMLIMIT of the generated Deployment and its limit of memory, %d MiB: %s.
The hostile client is another process on the same machine; its connections come from 127.0.0.2 and further addresses, since
one has too few ports.

Beside it there are, each second, 20 GetOrder over gRPC, 20 over HTTP/JSON and 5 CreateOrder on connections that are kept;
5 GetOrder over gRPC and 5 over HTTP/JSON that make a connection each; and one request to /livez and /readyz each, as the
kubelet makes them. Deadlines are the timeouts of the contract, 300 ms for GetOrder and 2 s for CreateOrder, and for probes that
of the manifest; 950 ms for calls that make their connection. Nobody tries again.

This machine: %d processors, which the replica, its callees, its database and all clients share; Linux %s; %s; at most %d open files in a
process.

What is wanted: the process lives; its memory stays below the limit; 99 %% of the honest calls, and of those that make connections,
have their answers within their deadlines; all probes are answered; and within %v after the hostile client has gone (the first %v of them with honest
calls), connections, goroutines and memory are near where they were (at most %d more files, %d more goroutines, %d MiB more, garbage collected).
A row of which nothing is wrong but that callers waited too long is played again, four times at the most, and the last time is what is shown. Where the host of this virtual machine took its processors meanwhile, nothing is known.

Memory is what the kubelet counts, without pages of files that can be dropped; before, at the most, and after, in MiB. Sockets are
what the kernel holds for them where it counts that apart (cgroup version 1); in version 2 it is part of the memory. Bare defaults are what
becomes of a server with the same contract that is grpc-go's and grpc-gateway's alone, with orders in memory (–: not asked for).

| Row | What the client did | Memory | Sockets | Honest calls: good | median | p99 | New connections: good | Probes: good | At rest after | Verdict | Bare defaults |
|---|---|---|---|---|---|---|---|---|---|---|---|
`

const postscript = `
## What this does not prove

- Nothing of many clients. One address or a thousand, what a network lets through and a load balancer spreads is not part of this.
- Nothing of bandwidth: on the loopback it has no end, and no packet is lost.
- Nothing of time: a row lasts some seconds. What grows over hours is not seen, nor what only clients do that change what they send.
- The clients take the processors that the replica wants. On machines of their own they could send more, and it would have
  more to answer with.
- The rows are what is known to have hurt others. What is not listed is not tried; TLS and a proxy in front are not there.
- The pages of the binary are counted where it was built. In a pod they are part of what has to fit, though the kernel can drop them.
- Files of the database and its locks are SQLite's; PostgreSQL's connections are not among what is besieged.
`

// write writes the report.
func (r *report) write(name string, b *base) error {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	kernel, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-")
	bound := "a cgroup has it, and the kernel kills what exceeds it"
	if b.unbounded != nil {
		bound = fmt.Sprintf("there is no cgroup (%v), so that the memory of the process is only watched", b.unbounded)
	}
	var out, faults strings.Builder
	fmt.Fprintf(&out, preamble, b.tags, b.limit>>20, bound, runtime.NumCPU(), kernel, runtime.Version(), moreFiles(),
		recovery, aftermath, moreOpen, moreGo, moreMemory>>20)
	for _, res := range r.results {
		for _, v := range res.verdicts {
			if v.err != nil && !res.unknown() {
				fmt.Fprintf(&faults, "- %s, %s: not so: %s: %s.\n", res.number, res.name, v.what, strings.ReplaceAll(v.err.Error(), "\n", "; "))
			}
		}
		h := res.honest
		fmt.Fprintf(&out, "| %s. %s | %s | %d / %d / %d | %d | %d of %d | %.1f ms | %.1f ms | %d of %d | %d of %d | %.1f s | %s | %s |\n",
			res.number, res.name, res.did, res.first.memory>>20, res.peak.memory>>20, res.last.memory>>20, res.peak.sockets>>20,
			len(h.old.took), h.old.all, milliseconds(h.old.quantile(50)), milliseconds(h.old.quantile(99)),
			len(h.newcomers.took), h.newcomers.all, len(h.probes.took), h.probes.all, res.rested.Seconds(), res.said(), res.bare.said())
	}
	if faults.Len() > 0 {
		fmt.Fprintf(&out, "\n## What is not as it should be\n\n%s", faults.String())
	}
	out.WriteString(postscript)
	return os.WriteFile(name, []byte(out.String()), 0o644)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
