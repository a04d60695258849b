package rpcmetrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/grpc/codes"
)

// serverFaults are the codes that say that the server, not its caller, did
// something wrong.
var serverFaults = [...]codes.Code{codes.Unknown, codes.DeadlineExceeded, codes.Internal, codes.Unavailable, codes.DataLoss}

// Totals returns how many calls of the method have ended, and how many of them
// by the server's fault. It reads the series, so that calls are counted once.
func (m *ServerMethod) Totals() (calls, failures float64) {
	for _, c := range m.handled {
		calls += valueOf(c)
	}
	for _, code := range serverFaults {
		failures += valueOf(m.handled[code])
	}
	return calls, failures
}

func valueOf(c prometheus.Counter) float64 {
	var m dto.Metric
	if c.Write(&m) != nil {
		return 0
	}
	return m.GetCounter().GetValue()
}
