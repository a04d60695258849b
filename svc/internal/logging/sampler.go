package logging

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// SuppressedKey is how many lines of its kind a line stands for besides itself.
const SuppressedKey = "suppressed"

// Sampler thins out the lines of one kind that callers can cause as often as they
// like: within each interval it lets Burst of them pass and counts the others. It is
// safe for concurrent use, and takes no lock.
type Sampler struct {
	Burst int64
	Every time.Duration

	began, passed, suppressed atomic.Int64 // began: 0 until the first line
}

// epoch is what moments are measured from.
var epoch = time.Now()

// Pass reports whether a line is to be written. If so, the attributes belong on it:
// they say how many were suppressed since the last one, and are none for none.
func (s *Sampler) Pass() (attrs []slog.Attr, ok bool) {
	now := int64(time.Since(epoch))
	if began := s.began.Load(); (began == 0 || now-began >= int64(s.Every)) && s.began.CompareAndSwap(began, now) {
		s.passed.Store(0)
	}
	if s.passed.Add(1) > s.Burst {
		s.suppressed.Add(1)
		return nil, false
	}
	if n := s.suppressed.Swap(0); n > 0 {
		attrs = []slog.Attr{slog.Int64(SuppressedKey, n)}
	}
	return attrs, true
}
