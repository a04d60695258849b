package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// diary records what happens and when, in seconds since it was opened.
type diary struct {
	mu    sync.Mutex
	begin time.Time
	lines []string
}

func newDiary() *diary { return &diary{begin: time.Now()} }

func (d *diary) note(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%gs %s", time.Since(d.begin).Seconds(), what))
}

func (d *diary) expect(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !reflect.DeepEqual(d.lines, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(d.lines, "\n  "), strings.Join(want, "\n  "))
	}
}

// server is one whose calls need a while to finish.
func (d *diary) server(name string, calls time.Duration) lifecycle.Server {
	closed, stopped := make(chan struct{}), make(chan struct{})
	stop := sync.OnceFunc(func() { close(stopped) })
	return lifecycle.Server{
		Name:  name,
		Serve: func() error { d.note(name + " serves"); <-stopped; return errors.New("server closed") },
		Graceful: func(context.Context) {
			d.note(name + " refuses calls")
			stop()
			select {
			case <-time.After(calls):
				d.note(name + " has finished its calls")
			case <-closed:
			}
		},
		Close: func() { d.note(name + " is closed"); close(closed); stop() },
	}
}

// work runs until its context ends.
func (d *diary) work(ctx context.Context) error {
	<-ctx.Done()
	d.note("work ends")
	return ctx.Err()
}

func (d *diary) group(servers ...lifecycle.Server) *lifecycle.Group {
	g := &lifecycle.Group{
		DrainDelay:       5 * time.Second,
		GracefulBudget:   20 * time.Second,
		BackgroundBudget: 3 * time.Second,
		OnReady:          func() { synctest.Wait(); d.note("ready") },
		OnStop:           func() { d.note("not ready") },
	}
	for _, s := range servers {
		g.Serve(s)
	}
	g.OnClose("database", func() error { d.note("database is closed"); return nil })
	g.OnClose("clients", func() error { d.note("clients are closed"); return nil })
	g.Go("work", d.work)
	return g
}

// after ends a context when d has passed.
func after(t *testing.T, d time.Duration, cause error) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	timer := time.AfterFunc(d, func() { cancel(cause) })
	t.Cleanup(func() { timer.Stop(); cancel(nil) })
	return ctx
}

var errSignal = errors.New("signal")

func TestStop(t *testing.T) {
	for name, c := range map[string]struct {
		calls time.Duration // until they are finished
		hard  time.Duration
		want  []string
	}{
		"calls finish": {2 * time.Second, time.Hour, []string{
			"0s grpc serves", "0s ready",
			"10s not ready",
			"15s grpc refuses calls", "17s grpc has finished its calls",
			"17s grpc is closed",
			"17s work ends",
			"17s clients are closed", "17s database is closed",
		}},
		"budget is over": {time.Hour, time.Hour, []string{
			"0s grpc serves", "0s ready",
			"10s not ready",
			"15s grpc refuses calls",
			"35s grpc is closed",
			"35s work ends",
			"35s clients are closed", "35s database is closed",
		}},
		"hard while draining": {time.Hour, 11 * time.Second, []string{
			"0s grpc serves", "0s ready",
			"10s not ready",
			"11s grpc is closed",
			"11s work ends",
			"11s clients are closed", "11s database is closed",
		}},
		"hard during the graceful stop": {time.Hour, 16 * time.Second, []string{
			"0s grpc serves", "0s ready",
			"10s not ready",
			"15s grpc refuses calls",
			"16s grpc is closed",
			"16s work ends",
			"16s clients are closed", "16s database is closed",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				d := newDiary()
				g := d.group(d.server("grpc", c.calls))
				if err := g.Run(after(t, 10*time.Second, errSignal), after(t, c.hard, errSignal)); err != nil {
					t.Error(err)
				}
				d.expect(t, c.want...)
			})
		})
	}
}

// run runs a group that gets its signal after ten seconds.
func run(t *testing.T, g *lifecycle.Group) error {
	t.Helper()
	return g.Run(after(t, 10*time.Second, errSignal), t.Context())
}

func TestFaultsStopTheGroup(t *testing.T) {
	broken := errors.New("broken")
	later := func(err error) func(context.Context) error {
		return func(context.Context) error { time.Sleep(time.Second); return err }
	}
	ended := lifecycle.Server{
		Name:     "http",
		Serve:    func() error { time.Sleep(time.Second); return nil },
		Graceful: func(context.Context) {},
		Close:    func() {},
	}
	for name, c := range map[string]struct {
		add  func(g *lifecycle.Group)
		want string
		stop string // when readiness goes off
	}{
		"error": {func(g *lifecycle.Group) { g.Go("sweep", later(broken)) }, "sweep: broken", "1s"},
		"two errors": {func(g *lifecycle.Group) {
			g.Go("a", later(broken))
			g.Go("b", func(context.Context) error { time.Sleep(2 * time.Second); return broken })
		}, "a: broken\nb: broken", "1s"},
		"panic":        {func(g *lifecycle.Group) { g.Go("sweep", func(context.Context) error { panic("oops") }) }, "sweep: panic: oops\ngoroutine ", "0s"},
		"server":       {func(g *lifecycle.Group) { g.Serve(ended) }, "server http: ended by itself", "1s"},
		"work is done": {func(g *lifecycle.Group) { g.Go("sweep", later(nil)) }, "", "10s"},
		"error at the end": {func(g *lifecycle.Group) {
			g.Go("flush", func(ctx context.Context) error { <-ctx.Done(); return broken })
		}, "flush: broken", "10s"},
		"resource": {func(g *lifecycle.Group) { g.OnClose("file", func() error { return broken }) }, "close file: broken", "10s"},
		"stuck": {func(g *lifecycle.Group) {
			g.Go("deaf", func(context.Context) error { time.Sleep(time.Minute); return nil })
		}, "still running 3s after its context ended: deaf", "10s"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				d := newDiary()
				g := d.group(d.server("grpc", 0))
				c.add(g)
				err := run(t, g)
				if got := fmt.Sprint(err); err == nil && c.want != "" || err != nil && (c.want == "" || !strings.HasPrefix(got, c.want)) {
					t.Errorf("err = %v, want %s", err, c.want)
				}
				// Whatever the fault, calls and resources get their orderly end.
				d.has(t, c.stop+" not ready", "grpc has finished its calls", "database is closed")
				time.Sleep(time.Minute) // until what is stuck ends, too
			})
		})
	}
}

// has looks for lines that end like this, in this order.
func (d *diary) has(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	rest := d.lines
	for _, w := range want {
		i := slices.IndexFunc(rest, func(line string) bool { return strings.HasSuffix(line, w) })
		if i < 0 {
			t.Errorf("%q is not in its place in\n  %s", w, strings.Join(d.lines, "\n  "))
			return
		}
		rest = rest[i+1:]
	}
}

// TestGo: work may be added while the group runs, and is not started after.
func TestGo(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		d := newDiary()
		type key struct{}
		g := &lifecycle.Group{}
		g.Go("first", func(ctx context.Context) error {
			g.Go("second", func(ctx context.Context) error { d.note(fmt.Sprint(ctx.Value(key{}))); return d.work(ctx) })
			<-ctx.Done()
			g.Go("third", func(context.Context) error { d.note("third"); return nil })
			return nil
		})
		ctx := context.WithValue(after(t, 10*time.Second, errSignal), key{}, "value")
		if err := g.Run(ctx, t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		d.expect(t, "0s value", "10s work ends")
	})
}

// TestClose: where the start fails, resources are closed without Run.
func TestClose(t *testing.T) {
	var closed []string
	var g lifecycle.Group
	for _, name := range []string{"a", "b", "c"} {
		g.OnClose(name, func() error { closed = append(closed, name); return errors.New("no") })
	}
	err := g.Close()
	if want := "close c: no\nclose b: no\nclose a: no"; err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
	if err := g.Close(); err != nil || !reflect.DeepEqual(closed, []string{"c", "b", "a"}) {
		t.Errorf("second Close: %v, closed %v", err, closed)
	}
}

// TestEndedContext: a signal during the start is not lost.
func TestEndedContext(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		d := newDiary()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.group(d.server("grpc", 0)).Run(ctx, ctx); err != nil {
			t.Error(err)
		}
		d.has(t, "0s database is closed")
	})
}

func TestLog(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var log strings.Builder
		d := newDiary()
		g := d.group(d.server("grpc", time.Second))
		g.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
					return slog.Attr{}
				}
				return a
			},
		}))
		if err := run(t, g); err != nil {
			t.Error(err)
		}
		const want = `msg=stopping cause=signal
msg=stopping phase="readiness off" elapsed=0s
msg=stopping phase="drain delay" elapsed=0s
msg=stopping phase="graceful stop" elapsed=5s
msg=stopping phase="hard stop" finished=true elapsed=6s
msg=stopping phase="background work" elapsed=6s
msg=stopping phase=resources elapsed=6s
`
		if got := log.String(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}
