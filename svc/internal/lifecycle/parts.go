package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// parts are the goroutines of a group and the faults they ended with. The zero
// value keeps what is added until start.
type parts struct {
	mu      sync.Mutex
	ctx     context.Context // of all parts; nil before start
	cancel  context.CancelFunc
	stopped bool
	waiting []func()
	running []*part
	ended   []error
	alarm   chan struct{} // closed by the first fault; nil before start
}

// part is one goroutine.
type part struct {
	name string
	done chan struct{}
}

// add runs work from start on, or now.
func (p *parts) add(name string, work func(ctx context.Context) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx == nil {
		p.waiting = append(p.waiting, func() { p.launch(name, work) })
		return
	}
	p.launch(name, work)
}

func (p *parts) start(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ctx, p.cancel = context.WithCancel(ctx)
	p.alarm = make(chan struct{})
	for _, launch := range p.waiting {
		launch()
	}
	p.waiting = nil
}

// spawn is add for a caller who wants to wait for the end; only after start.
func (p *parts) spawn(name string, work func(ctx context.Context) error) *part {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.launch(name, work)
}

// launch starts a goroutine unless all have been told to stop. It needs the lock.
func (p *parts) launch(name string, work func(ctx context.Context) error) *part {
	one := &part{name, make(chan struct{})}
	if p.stopped {
		close(one.done)
		return one
	}
	p.running = append(p.running, one)
	go func() {
		err := protect(p.ctx, work)
		p.end(one, err)
	}()
	return one
}

// protect makes an error of a panic, so that the calls of others can finish.
func protect(ctx context.Context, work func(ctx context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return work(ctx)
}

func (p *parts) end(one *part, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = slices.DeleteFunc(p.running, func(other *part) bool { return other == one })
	close(one.done)
	if err == nil || p.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return
	}
	if len(p.ended) == 0 {
		close(p.alarm)
	}
	p.ended = append(p.ended, fmt.Errorf("%s: %w", one.name, err))
}

// failed is closed by the first fault.
func (p *parts) failed() <-chan struct{} { return p.alarm }

// faults are the errors so far, the first one first.
func (p *parts) faults() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ended)
}

// stop cancels everything and waits for it; the error names what remains.
func (p *parts) stop(budget time.Duration) error {
	p.mu.Lock()
	p.stopped = true
	p.cancel()
	running := slices.Clone(p.running)
	p.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	if stuck := await(ctx, running); len(stuck) > 0 {
		return fmt.Errorf("still running %s after its context ended: %s", budget, strings.Join(stuck, ", "))
	}
	return nil
}

// await returns the names of those that are not done when ctx ends.
func await(ctx context.Context, running []*part) (stuck []string) {
	for _, one := range running {
		select {
		case <-one.done:
			continue
		case <-ctx.Done():
		}
		select {
		case <-one.done:
		default:
			stuck = append(stuck, one.name)
		}
	}
	return stuck
}
