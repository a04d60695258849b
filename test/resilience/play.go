package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/protosvc/protosvc/internal/machine"
)

// play runs a scenario on a fresh cluster.
func play(ctx context.Context, s scenario, e engine) *result {
	r := &result{scenario: s, engine: e.name(), codes: map[string]int{}}
	watch := machine.Begin(ctx)
	defer func() { r.machine = watch.End() }()
	r.lap()
	if s.steps != nil {
		r.unplayed = s.steps(ctx, e, r)
		r.lap("steps")
		return r
	}
	r.unplayed = r.play(ctx, e)
	return r
}

func (r *result) play(ctx context.Context, e engine) (err error) {
	if r.scenario.shape.payments == 0 {
		r.scenario.shape = usual
	}
	c, err := startCluster(ctx, e, r.scenario.shape)
	if err != nil {
		return err
	}
	defer func() {
		if stopped := c.stop(); err == nil {
			err = stopped
		}
		r.lap("stop")
	}()
	r.lap("start")
	watched, enough := context.WithCancel(ctx)
	defer enough()
	counted := make(chan struct{})
	go c.watch(watched, counted)
	calls, err := r.load(ctx, c, e)
	if err != nil {
		return err
	}
	r.measure(calls)
	if r.money, err = c.audit(ctx, e, calls); err != nil {
		return err
	}
	r.lap("books")
	enough()
	<-counted
	c.count(ctx)
	r.shares = c.shares()
	for _, n := range c.counts.total(authorize) {
		r.downstream += n
	}
	return nil
}

// load has the fault come to pass while the load runs, and returns its calls.
func (r *result) load(ctx context.Context, c *cluster, e engine) (calls []call, err error) {
	l, err := startLoad(c)
	if err != nil {
		return nil, err
	}
	defer func() {
		var stopped error
		if calls, stopped = l.stop(); err == nil {
			err = stopped
		}
	}()
	if err := c.warm(ctx); err != nil {
		return nil, err
	}
	r.before = c.usage(ctx)
	r.lap("warm")
	r.began = time.Now()
	err = r.scenario.fault(ctx, c, e)
	r.ended = time.Now()
	r.lap("fault")
	if err != nil {
		return nil, err
	}
	err = sleep(ctx, after)
	r.after = c.usage(ctx)
	r.lap("after")
	return nil, err
}

// laps are the phases of a scenario and how long they took.
type laps struct {
	last  time.Time
	whole []string
}

// lap ends a phase, if there is one.
func (l *laps) lap(phase ...string) {
	now := time.Now()
	for _, name := range phase {
		l.whole = append(l.whole, fmt.Sprintf("%s %.1f s", name, now.Sub(l.last).Seconds()))
	}
	l.last = now
}

func (l *laps) String() string { return strings.Join(l.whole, ", ") }
