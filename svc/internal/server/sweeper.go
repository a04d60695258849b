package server

import (
	"sync"
	"time"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/policy"
)

// The sweeper looks at all open streams at once, four times in the shortest of
// their bounds and within these limits. A pass over 10,000 takes a fifth of a
// millisecond; a timer for each message would cost more than the message.
const (
	minSweep = 5 * time.Millisecond
	maxSweep = time.Second
)

// sweeper knows the open streams and ends those that are at a bound. While no
// stream is open it does nothing at all. It belongs to a Binder.
type sweeper struct {
	mu       sync.Mutex
	open     []*messages
	interval time.Duration
	timer    *time.Timer
	armed    bool
	stopAt   time.Duration // when streams end because the server stops; 0: not yet known
}

// expect makes the sweeper quick enough for the bounds.
func (s *sweeper) expect(bounds policy.Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range []time.Duration{maxSweep * 4, bounds.MaxAge, bounds.IdleTimeout, bounds.SendTimeout} {
		if d > 0 && (s.interval == 0 || d/4 < s.interval) {
			s.interval = max(d/4, minSweep)
		}
	}
}

func (s *sweeper) add(m *messages) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.index = len(s.open)
	s.open = append(s.open, m)
	if !s.armed {
		s.arm(now())
	}
}

func (s *sweeper) remove(m *messages) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.open) - 1
	s.open[m.index] = s.open[last]
	s.open[m.index].index = m.index
	s.open[last] = nil
	s.open = s.open[:last]
}

// endAll ends the streams that are still open after a time.
func (s *sweeper) endAll(after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := now()
	s.stopAt = now + after
	if s.armed {
		s.arm(now)
	}
}

// arm sets the timer. It needs the lock.
func (s *sweeper) arm(now time.Duration) {
	wait := s.interval
	if s.stopAt > now {
		wait = min(wait, s.stopAt-now)
	}
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.sweep)
	} else {
		s.timer.Reset(wait)
	}
	s.armed = true
}

func (s *sweeper) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := now()
	for _, m := range s.open {
		if reason := m.atBound(now, s.stopAt); reason != nil {
			m.finish(reason)
		}
	}
	s.armed = len(s.open) > 0
	if s.armed {
		s.arm(now)
	}
}

// finish ends a stream at a bound, unless it was ended before.
func (s *sweeper) finish(m *messages, reason *errors.Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.finish(reason)
}
