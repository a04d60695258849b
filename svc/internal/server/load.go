package server

import (
	"time"

	"github.com/protosvc/protosvc/svc/internal/load"
)

// Load samples what the process has used and what its methods have answered.
func (b *Binder) Load() load.Sample {
	s := load.Sample{At: time.Now(), CPU: load.CPU()}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.methods {
		calls, failures := m.metrics.Totals()
		s.Calls += calls
		s.Failures += failures
	}
	return s
}
