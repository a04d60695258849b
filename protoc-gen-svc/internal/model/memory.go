package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/protosvc/protosvc/internal/defaults"
	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// What limits are by default: half of what is left of the memory after the start, and with
// requests on their way, is for connections, a quarter for calls.
const (
	maxDefaultConnections, connectionsPart = 10_000, 2
	maxDefaultConcurrency, concurrencyPart = 1000, 4
)

// counts are the limits of what is there at once, by default as many as fit.
func (g GoRuntime) counts(o *svcv1.Limits) (connections, concurrency uint32) {
	left := g.MemoryLimit - g.MemoryLimit/defaults.ArrivingShare - defaults.StartBytes
	afford := func(part, cost, most int64) uint32 { return uint32(min(max(left/part/cost, 1), most)) }
	return orDefault(o.GetConnections(), afford(connectionsPart, defaults.ConnectionBytes, maxDefaultConnections)),
		orDefault(o.GetConcurrency(), afford(concurrencyPart, defaults.CallBytes, maxDefaultConcurrency))
}

// share is what one limit takes of the memory of a replica.
type share struct {
	what  string
	bytes int64
	at    Origin
	set   bool // the contract says it
}

// memoryShares are what the limits let in, at what it costs.
func (s *Service) memoryShares(o *svcv1.Service) []share {
	limits := s.origin().in("limits")
	arriving := defaults.Arriving(s.GoRuntime.MemoryLimit, s.Limits.MessageSize.Bytes)
	shares := []share{
		{what: mebibytes(defaults.StartBytes) + " at the start", bytes: defaults.StartBytes},
		{mebibytes(arriving) + " of requests on their way", arriving, limits.in("message_size"), o.GetLimits().GetMessageSize() != ""},
	}
	add := func(n uint32, what string, cost int64, at Origin, set bool) {
		shares = append(shares, share{fmt.Sprintf("%d %s of %d KiB", n, what, cost>>10), int64(n) * cost, at, set})
	}
	add(s.Limits.Connections, "connections", defaults.ConnectionBytes, limits.in("connections"), o.GetLimits().GetConnections() > 0)
	add(s.Limits.Concurrency, "calls", defaults.CallBytes, limits.in("concurrency"), o.GetLimits().GetConcurrency() > 0)
	for _, m := range s.Methods {
		if m.Stream != nil && m.Concurrency > 0 {
			add(m.Concurrency, "streams "+m.Name, defaults.StreamBytes, m.origin().in("concurrency"), true)
		}
	}
	return shares
}

// checkMemory holds what the limits let in against the memory that there is. It is said at
// what takes the most of what the contract says.
func (b *builder) checkMemory(s *Service, o *svcv1.Service) {
	shares := s.memoryShares(o)
	limit := s.GoRuntime.MemoryLimit
	if limit == 0 || sum(shares) <= limit {
		return
	}
	var texts []string
	for _, share := range shares {
		texts = append(texts, share.what)
	}
	at := s.origin().in("limits")
	said := slices.DeleteFunc(slices.Clone(shares), func(s share) bool { return !s.set })
	if len(said) > 0 {
		at = slices.MaxFunc(said, func(a, b share) int { return cmp.Compare(a.bytes, b.bytes) }).at
	}
	b.fault(at, limitsMemory, strings.Join(texts, " + "), mebibytes(sum(shares)), mebibytes(limit), s.Scale.Memory, s.memoryFor(o, sum(said)))
}

// memoryFor is the least scale.memory, in whole steps, in which the limits fit that the
// contract says, and which take so much, beside the others, which grow with it.
func (s *Service) memoryFor(o *svcv1.Service, said int64) string {
	const least = 32 << 20
	step := (said/32/least + 1) * least
	for memory := said/step*step + step; ; memory += step {
		larger := *s
		larger.GoRuntime.MemoryLimit = memory * int64(s.GoRuntime.MemoryLimitPercent) / 100
		larger.Limits.Connections, larger.Limits.Concurrency = larger.GoRuntime.counts(o.GetLimits())
		if sum(larger.memoryShares(o)) <= larger.GoRuntime.MemoryLimit {
			return binary(memory)
		}
	}
}

func sum(shares []share) (bytes int64) {
	for _, s := range shares {
		bytes += s.bytes
	}
	return bytes
}

func mebibytes(bytes int64) string { return fmt.Sprintf("%d MiB", (bytes+1<<20-1)>>20) }
