package rpcmetrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/internal/rpccode"
)

// Totals returns how many calls of the method have ended, and how many of them
// by the server's fault. It reads the series, so that calls are counted once.
func (m *ServerMethod) Totals() (calls, failures float64) {
	for code, c := range m.handled {
		n := valueOf(c)
		calls += n
		if rpccode.IsServerFault(codes.Code(code)) {
			failures += n
		}
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
