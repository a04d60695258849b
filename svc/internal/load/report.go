// Package load tells clients how busy a server is, so that they can send more
// calls to those with room for them.
//
// It speaks ORCA out of band (xds.service.orca.v3.OpenRcaService): a client that
// balances by weight opens one stream per connection and gets a report from time
// to time. A server that nobody asks does nothing, and no call carries anything.
//
// The messages are a handful of numbers, which this package writes and reads
// itself: Go packages of ORCA would add 106 kB to every server, and grpc-go's
// weighted_round_robin 266 kB to every client, with two modules.
package load

import (
	"math"
	"runtime"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/protosvc/protosvc/svc/internal/wire"
)

// Sample is what a process has used and done since it started.
type Sample struct {
	At              time.Time
	CPU             time.Duration // of all threads together
	Calls, Failures float64       // calls answered, and those that failed by the server's fault
}

// Report is how busy a server was for a while.
type Report struct {
	// Utilization is the share of its CPUs that the process used, 0 to 1. The
	// CPUs are those that Go schedules on, which follow the limit of the cgroup.
	Utilization float64

	// Calls and Failures are per second.
	Calls, Failures float64
}

// Since reports on the time from an earlier sample to this one.
func (s Sample) Since(earlier Sample) Report {
	took := s.At.Sub(earlier.At).Seconds()
	if took <= 0 {
		return Report{}
	}
	cpus := float64(runtime.GOMAXPROCS(0))
	return Report{
		Utilization: (s.CPU - earlier.CPU).Seconds() / took / cpus,
		Calls:       (s.Calls - earlier.Calls) / took,
		Failures:    (s.Failures - earlier.Failures) / took,
	}
}

// idle is the utilization below which differences are noise: a scrape of the metrics and
// a garbage collection cost more than the calls do.
const idle = 0.05

// Weights are how many calls each server answers per share of its CPU: as in gRFC A58, a
// failed call counts as one that used all of it. Of a server that is idle it is not
// known what its calls cost; it weighs as one that gets the mean of the calls, since
// one that weighed what it got would get less and less. A server that answered no calls
// weighs 0, which is unknown.
func Weights(reports []Report) []float64 {
	var calls, known float64
	for _, r := range reports {
		if r.Calls > 0 {
			calls += r.Calls
			known++
		}
	}
	weights := make([]float64, len(reports))
	for i, r := range reports {
		switch {
		case r.Calls <= 0:
		case r.Utilization < idle:
			weights[i] = calls / known / (idle + r.Failures/r.Calls)
		default:
			weights[i] = r.Calls / (r.Utilization + r.Failures/r.Calls)
		}
	}
	return weights
}

// Fields of xds.data.orca.v3.OrcaLoadReport, all of type double.
const (
	fieldCPU         protowire.Number = 1
	fieldCalls       protowire.Number = 6
	fieldFailures    protowire.Number = 7
	fieldApplication protowire.Number = 9 // wins over CPU where a server sends it
)

// message is the report as an OrcaLoadReport. An empty message carries it as
// fields that it does not know, which are the same bytes.
func (r Report) message() *emptypb.Empty {
	var fields []byte
	for _, f := range []struct {
		number protowire.Number
		value  float64
	}{{fieldCPU, r.Utilization}, {fieldCalls, r.Calls}, {fieldFailures, r.Failures}} {
		fields = protowire.AppendTag(fields, f.number, protowire.Fixed64Type)
		fields = protowire.AppendFixed64(fields, math.Float64bits(f.value))
	}
	return wire.Carry(fields)
}

// reportOf reads an OrcaLoadReport. Values that make no sense count as absent.
func reportOf(m *emptypb.Empty) Report {
	values := map[protowire.Number]float64{}
	wire.Each(wire.Fields(m), func(number protowire.Number, kind protowire.Type, value []byte) {
		if kind != protowire.Fixed64Type {
			return
		}
		bits, _ := protowire.ConsumeFixed64(value)
		if v := math.Float64frombits(bits); v > 0 && !math.IsInf(v, 0) {
			values[number] = v
		}
	})
	r := Report{Utilization: values[fieldApplication], Calls: values[fieldCalls], Failures: values[fieldFailures]}
	if r.Utilization == 0 {
		r.Utilization = values[fieldCPU]
	}
	return r
}

// Fields of xds.service.orca.v3.OrcaLoadReportRequest and google.protobuf.Duration.
const (
	fieldInterval protowire.Number = 1
	fieldSeconds  protowire.Number = 1
	fieldNanos    protowire.Number = 2
)

// request asks for a report at each interval.
func request(interval time.Duration) *emptypb.Empty {
	var duration, fields []byte
	duration = protowire.AppendTag(duration, fieldSeconds, protowire.VarintType)
	duration = protowire.AppendVarint(duration, uint64(interval/time.Second))
	duration = protowire.AppendTag(duration, fieldNanos, protowire.VarintType)
	duration = protowire.AppendVarint(duration, uint64(interval%time.Second))
	fields = protowire.AppendTag(fields, fieldInterval, protowire.BytesType)
	fields = protowire.AppendBytes(fields, duration)
	return wire.Carry(fields)
}

// intervalOf reads a request; 0 where it has no interval.
func intervalOf(m *emptypb.Empty) (interval time.Duration) {
	wire.Each(wire.Fields(m), func(number protowire.Number, kind protowire.Type, value []byte) {
		if number != fieldInterval || kind != protowire.BytesType {
			return
		}
		duration, _ := protowire.ConsumeBytes(value)
		wire.Each(duration, func(number protowire.Number, kind protowire.Type, value []byte) {
			if kind != protowire.VarintType {
				return
			}
			n, _ := protowire.ConsumeVarint(value)
			switch number {
			case fieldSeconds:
				interval += time.Duration(min(n, math.MaxInt32)) * time.Second
			case fieldNanos:
				interval += time.Duration(min(n, uint64(time.Second)))
			}
		})
	})
	return interval
}
