package health

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// probe is a check with a memory: one run at a time, its result shared by
// everybody who asks while it runs and for maxAge after.
type probe struct {
	name            string
	check           Check
	timeout, maxAge time.Duration
	optional        bool

	mu     sync.Mutex
	last   *run // the newest
	answer *run // the newest that is done
}

// run is one execution of a check.
type run struct {
	ctx  context.Context // ends with the timeout
	done chan struct{}
	// Valid when done is closed:
	err   error
	ended time.Time
}

// result waits for the run that answers now. A check that ignores its timeout
// keeps its only run, and everybody who asks is told so at once.
func (p *probe) result(ctx context.Context) Result {
	r := p.current()
	var err error
	select {
	case <-r.done:
		err = r.err
	case <-r.ctx.Done():
		err = p.late(r)
	case <-ctx.Done():
		err = ctx.Err()
	}
	return Result{Name: p.name, Optional: p.optional, Err: err}
}

// glance is result for an optional dependency: nobody waits for it longer than
// patience, after which the answer of the run before stands. A probe that waited
// for a dependency the service can do without would itself time out, and take the
// service out of rotation.
func (p *probe) glance(ctx context.Context) Result {
	r := p.current()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	result := Result{Name: p.name, Optional: true, Err: errNoAnswer}
	if p.answer != nil {
		result.Err = p.answer.err
	}
	return result
}

// patience is how long a report waits for an optional dependency.
const patience = 100 * time.Millisecond

var errNoAnswer = errors.New("no answer yet")

func (p *probe) current() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil || p.last.older(p.maxAge) {
		p.last = p.start()
	}
	return p.last
}

func (r *run) older(age time.Duration) bool {
	select {
	case <-r.done:
		return time.Since(r.ended) > age
	default:
		return false
	}
}

// start runs the check apart from whoever asked first, since others wait too.
func (p *probe) start() *run {
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	r := &run{ctx: ctx, done: make(chan struct{})}
	go func() {
		defer cancel()
		r.err = p.do(ctx)
		r.ended = time.Now()
		p.mu.Lock()
		p.answer = r
		p.mu.Unlock()
		close(r.done)
	}()
	return r
}

func (p *probe) do(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	err = p.check(ctx)
	if err != nil && ctx.Err() != nil {
		return p.overdue()
	}
	return err
}

// late is for a context that has ended, be it because the run is done.
func (p *probe) late(r *run) error {
	select {
	case <-r.done:
		return r.err
	default:
		return p.overdue()
	}
}

func (p *probe) overdue() error { return fmt.Errorf("timeout after %s", p.timeout) }

// outcome asks all probes at the same time and keeps their order.
func outcome(ctx context.Context, probes []*probe) Report {
	report := make(Report, len(probes))
	var all sync.WaitGroup
	for i, p := range probes {
		ask := p.result
		if p.optional {
			ask = p.glance
		}
		all.Go(func() { report[i] = ask(ctx) })
	}
	all.Wait()
	return report
}
