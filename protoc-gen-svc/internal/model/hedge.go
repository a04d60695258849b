package model

import (
	"slices"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// Hedge is how clients repeat a call that is slow.
type Hedge struct {
	Attempts uint32
	Delay    time.Duration
	// Codes are names of google.golang.org/grpc/codes upon which a call goes on.
	Codes []string
}

const defaultHedges = 2

// hedge reads the annotation. A method that has it is not retried too: its
// further requests are those that a retry would make.
func (b *builder) hedge(m *Method, o *svcv1.Method) *Hedge {
	h := o.GetHedge()
	if h == nil {
		return nil
	}
	at := m.origin().in("hedge")
	switch {
	case m.Kind != Unary:
		b.fault(at, hedgeStream, m.Kind.Streams())
	case !m.Idempotent:
		b.fault(at, hedgeNotIdempotent)
	}
	if m.Kind == Unary && o.GetRetry() != nil {
		b.fault(at, hedgeRetry)
	}
	hedge := &Hedge{Attempts: orDefault(h.GetAttempts(), defaultHedges), Codes: b.retryCodes(at, m, nil)}
	if hedge.Attempts < 2 || hedge.Attempts > defaults.MaxHedgeAttempts {
		b.fault(at.in("attempts"), hedgeAttempts, hedge.Attempts)
		hedge.Attempts = 1
	}
	hedge.Delay = b.hedgeDelay(at.in("delay"), m, h.GetDelay())
	m.Retry = nil
	return hedge
}

func (b *builder) hedgeDelay(at Origin, m *Method, text string) time.Duration {
	if text == "" {
		b.fault(at, hedgeDelayMissing, "50ms")
		return 0
	}
	delay, err := positive(text, 50*time.Millisecond)
	if err != nil {
		b.reject(at, err)
	} else if m.Timeout > 0 && delay >= m.Timeout {
		b.fault(at, hedgeDelay, text, m.Timeout)
	}
	return delay
}

// Tries says how often a call may be sent, in the words of the docs.
func (m *Method) Tries() Tries {
	switch {
	case m.Hedge != nil:
		return Tries{m.Hedge.Attempts, m.Hedge.Codes, m.Hedge.Delay}
	case m.Retry != nil:
		return Tries{m.Retry.Attempts, m.Retry.Codes, 0}
	}
	return Tries{Attempts: 1}
}

// Tries are the requests that a call may become: further ones upon the codes,
// and each time After has passed without an answer, unless it is 0.
type Tries struct {
	Attempts uint32
	Codes    []string
	After    time.Duration
}

// Hedged reports whether a method of the service is.
func (s *Service) Hedged() bool {
	return slices.ContainsFunc(s.Methods, func(m *Method) bool { return m.Hedge != nil })
}
