package svc

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/protosvc/protosvc/internal/reload"
	"github.com/protosvc/protosvc/svc/internal/config"
	"github.com/protosvc/protosvc/svc/internal/health"
	"github.com/protosvc/protosvc/svc/metrics"
)

const (
	// watchInterval is how often the files of the configuration are looked at, and
	// readiness after a reload.
	watchInterval = time.Second

	// A reload with which readiness is lost within probation, at as many looks in a row as
	// lostLooks, is undone: two looks of the kubelet.
	probation = 10 * time.Second
	lostLooks = 2
)

// configuration is the reading in force, and what became of the last attempt to replace
// it. Its methods are called with mu held, but by what makes an App.
type configuration struct {
	mu         sync.Mutex
	loaded     *loaded
	generation int       // of the readings since the start, 1 being the first
	since      time.Time // when it came into force
	tried      reload.Hash
	refused    error // of the last attempt; nil where it succeeded

	followers []func(*Settings) // make settings take effect that may change
	previous  *loaded           // what comes back if a reload is undone; nil: nothing does
	trial     bool              // it is undone if readiness is lost
	lost      int               // looks in a row at which it was
	held      time.Time         // the files are left alone until then

	successful, succeeded, number, hash prometheus.Gauge
}

func (c *configuration) init(r *metrics.Registry) {
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "svc_config_" + name, Help: help})
		_ = r.Register(g) // the registry is new, so the name is free
		return g
	}
	c.successful = gauge("last_reload_successful", "Whether the last attempt to load the configuration succeeded. 0: what was in force before still is.")
	c.succeeded = gauge("last_reload_success_timestamp_seconds", "When the configuration in force was loaded, in seconds since 1970.")
	c.number = gauge("generation", "How many times a configuration came into force since the start, which is the first time.")
	c.hash = gauge("hash", "A hash of the files in force. Replicas with different values have different files.")
}

// accept puts a reading in force.
func (c *configuration) accept(l *loaded) {
	c.loaded, c.tried, c.refused = l, l.files, nil
	c.generation++
	c.since = time.Now()
	c.successful.Set(1)
	c.succeeded.Set(float64(c.since.UnixMilli()) / 1000)
	c.number.Set(float64(c.generation))
	c.hash.Set(l.files.Float())
}

// refuse keeps the reading in force.
func (c *configuration) refuse(tried reload.Hash, err error) {
	c.tried, c.refused = tried, err
	c.successful.Set(0)
}

// replaceable checks that nothing has changed that was bound at start, and that the handler
// agrees. A change of the former is refused, and with it the whole reading, so that /config
// shows what is in force.
func (a *App) replaceable(l *loaded) error {
	now, own := a.config.loaded, a.service.Config
	bound := config.Bound(now.settings, l.settings)
	if own != nil {
		bound = append(bound, config.BoundOf(now.message, l.message, own.bound())...)
	}
	var faults []error
	for _, key := range bound {
		faults = append(faults, config.Wrong(key, wantsRestart(key)))
	}
	if faults == nil && own != nil {
		faults = append(faults, own.judge(l.message))
	}
	return errors.Join(faults...)
}

// reload reads the configuration anew and puts it in force. The log has the outcome: who
// edits a file or sends a signal gets no answer.
func (a *App) reload() error {
	ready := a.health.Ready(context.Background()).Status() != health.Failed
	c := &a.config
	c.mu.Lock() // around the reading, too: an older one must not replace a newer one
	defer c.mu.Unlock()
	l, err := a.next(a.service.source(a.options))
	if err != nil {
		c.refuse(l.files, err)
		a.log.Error("config not reloaded", "error", err, "files", l.files.String(), "generation", c.generation)
		return err
	}
	if !c.trial { // else it is still what was in force before that
		c.previous, c.trial = c.loaded, ready
	}
	c.lost = 0
	c.accept(l)
	a.enforce(l)
	a.log.Info("config reloaded", "files", l.files.String(), "generation", c.generation)
	a.checkFiles(l.settings)
	a.checkMemory(l.settings)
	return nil
}

// prove looks at readiness after a reload, and undoes the reload where it is lost.
func (a *App) prove(ctx context.Context) {
	c := &a.config
	c.mu.Lock()
	trial, generation := c.trial, c.generation
	c.mu.Unlock()
	if !trial {
		return
	}
	report := a.health.Ready(ctx) // takes its time
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.trial || c.generation != generation {
		return // it says nothing of what is in force now
	}
	if report.Status() == health.Failed {
		c.lost++
	} else {
		c.lost = 0
	}
	switch {
	case c.lost >= lostLooks:
		a.undo(fmt.Errorf("the service was not ready any more with it, so what was in force before is again: %s", report.Failures()))
	case time.Since(c.since) > probation:
		c.trial = false
	}
}

// undo puts in force again what was before the last reload, for a reason. The files that
// are undone are not loaded again while they stay as they are.
func (a *App) undo(why error) {
	c := &a.config
	bad, back := c.loaded.files, c.previous
	c.previous, c.trial = nil, false
	c.accept(back)
	a.enforce(back)
	c.refuse(bad, why)
	a.log.Error("config reload undone", "error", why, "files", bad.String(), "generation", c.generation)
}

// settle ends the trial of a reload, since the process stops to be ready by itself.
func (c *configuration) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trial = false
}

// follow has f make settings take effect: those in force, and those of each reload.
func (a *App) follow(f func(*Settings)) {
	c := &a.config
	c.mu.Lock()
	defer c.mu.Unlock()
	c.followers = append(c.followers, f)
	f(c.loaded.settings)
}

// enforce makes what may change of a reading take effect.
func (a *App) enforce(l *loaded) {
	for _, f := range a.config.followers {
		f(l.settings)
	}
	if a.service.Config != nil {
		a.service.Config.store(l.message)
	}
}

// next reads what could come into force.
func (a *App) next(src config.Source) (*loaded, error) {
	l, err := a.service.loadFrom(src)
	if err == nil {
		err = l.origins.Locate(a.replaceable(l))
	}
	return l, err
}

// manage does what the admin port is asked for.
func (a *App) manage(req reload.Request) reload.Response {
	var res reload.Response
	var err error
	switch req.Action {
	case reload.Load:
		res.Outcome, err = reload.Reloaded, a.reload()
	case reload.Check:
		res.Outcome, err = reload.Valid, a.rehearse(req.Texts)
	case reload.Hold:
		res.Outcome = a.hold(req.For)
	case reload.Undo:
		res.Outcome, err = a.undoThese(req.Files)
	}
	for _, f := range config.Faults(err) {
		_, restart := errors.AsType[wantsRestart](f.Err)
		res.Outcome = reload.Refused
		res.Faults = append(res.Faults, reload.Fault{File: f.File, Line: f.Line, Column: f.Column, Variable: f.Variable, Restart: restart, Message: f.Err.Error()})
	}
	res.State = a.state()
	return res
}

// wantsRestart is the key of a value that was bound at start.
type wantsRestart string

func (key wantsRestart) Error() string {
	return string(key) + ": cannot change while the service runs: restart it for this"
}

// state is what is in force, and what the files are.
func (a *App) state() reload.State {
	src := a.service.source(a.options)
	found := src.Hash()
	c := &a.config
	c.mu.Lock()
	defer c.mu.Unlock()
	s := reload.State{Generation: c.generation, Files: c.loaded.files.String(), Since: c.since.UTC(), Found: found.String(), Names: src.Names()}
	if time.Now().Before(c.held) {
		until := c.held.UTC()
		s.HeldUntil = &until
	}
	if c.refused != nil {
		s.Refusal = &reload.Refusal{Files: c.tried.String(), Reason: c.refused.Error()}
	}
	return s
}

// hold has the files left alone for so long. Whoever asks for it reloads when it is time.
func (a *App) hold(d time.Duration) reload.Outcome {
	c := &a.config
	c.mu.Lock()
	defer c.mu.Unlock()
	before := time.Now().Before(c.held)
	c.held = time.Now().Add(d)
	switch {
	case d == 0:
		return reload.Released
	case !before:
		a.log.Info("config reloads are held: whoever asked for it reloads when it is time", "until", c.held)
	}
	return reload.Held
}

// undoThese undoes the last reload if these files are in force.
func (a *App) undoThese(files string) (reload.Outcome, error) {
	c := &a.config
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.loaded.files.String() != files:
		return reload.Kept, nil
	case c.previous == nil:
		return reload.Refused, fmt.Errorf("files %s were in force from the start, or what was before them was undone: there is nothing to go back to", files)
	}
	a.undo(errors.New("whoever reloads this service had it undone"))
	return reload.Undone, nil
}

// rehearse does what a reload would, with texts in the place of files, and changes nothing.
// The name "" is that of the lowest file.
func (a *App) rehearse(texts map[string][]byte) error {
	src := a.service.source(a.options)
	names := src.Names()
	if texts != nil && names == nil {
		return errors.New("the service runs without a file of its configuration")
	}
	src.Texts = map[string][]byte{}
	for name, text := range texts {
		name = cmp.Or(name, names[0])
		if !slices.Contains(names, name) {
			return fmt.Errorf("%q is no file of the configuration, which has %s", name, strings.Join(names, " and "))
		}
		src.Texts[name] = text
	}
	c := &a.config
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := a.next(src)
	return err
}

// reloadOn reloads at each signal until ctx ends.
func (a *App) reloadOn(signals <-chan os.Signal) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			select {
			case <-signals:
				_ = a.reload() // is in the log
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// watchConfig reloads when the files have changed and then been still for an interval, so
// that whoever writes a file in pieces has finished. The files are read and compared:
// a mounted ConfigMap changes by a link to another folder, and many editors put a new file
// in the place of the old one, so that a watch of one or the other would see nothing more.
func (a *App) watchConfig(ctx context.Context) error {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for last := (reload.Hash{}); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		now := a.service.source(a.options).Hash()
		if now == last && a.config.wants(now) {
			_ = a.reload() // is in the log
		}
		last = now
		a.prove(ctx)
	}
}

// wants reports whether the files are to be loaded: they are others than at the last
// attempt, and nobody holds them.
func (c *configuration) wants(now reload.Hash) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return now != c.tried && !time.Now().Before(c.held)
}

// dump is the configuration in force, without secrets, and how it came to be.
func (a *App) dump() []byte {
	c := &a.config
	c.mu.Lock()
	defer c.mu.Unlock()
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Generation %d, in force since %s, files %v.\n", c.generation, c.since.UTC().Format(time.RFC3339), c.loaded.files)
	if time.Now().Before(c.held) {
		fmt.Fprintf(&out, "# Held until %s: the files are loaded when somebody asks for it.\n", c.held.UTC().Format(time.RFC3339))
	}
	if c.refused != nil {
		fmt.Fprintf(&out, "# The last reload was refused, files %v:\n", c.tried)
		for line := range strings.SplitSeq(c.refused.Error(), "\n") {
			fmt.Fprintf(&out, "#   %s\n", line)
		}
	}
	out.Write(config.Dump(c.loaded.settings, c.loaded.message))
	return out.Bytes()
}
