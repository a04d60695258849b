package outbox

import (
	"context"
	"database/sql"
	stderrors "errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/propagate"
)

var (
	declined = &errors.Code{Domain: "test", Reason: "DECLINED", GRPC: codes.FailedPrecondition}
	down     = func(string) error { return status.Error(codes.Unavailable, "down") }
)

func TestRelayDelivers(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		c := &callee{fault: func(req string) error {
			if req == "much" {
				return declined.New()
			}
			return nil
		}}
		f := newFixture(t, open(t, url), c)
		f.enqueue("early", "before the relay runs")
		stop := f.run()
		f.eventually("the first one", func() bool { return f.left() == 0 })
		fastest := time.Hour // on a busy machine any one may be slow
		for i := range 5 {
			begun := time.Now()
			f.enqueue("a", fmt.Sprint("little ", i))
			f.eventually("the next one", func() bool { return f.left() == 0 })
			fastest = min(fastest, time.Since(begun))
		}
		if fastest > pollInterval/2 {
			t.Errorf("delivered after %v at best, so the commit does not wake the relay", fastest)
		}
		f.enqueue("b", "much")
		_ = f.db.Tx(t.Context(), func(tx *sql.Tx) error {
			must(t, f.Enqueue(t.Context(), tx, "c", wrapperspb.String("rolled back")))
			return stderrors.New("no")
		})
		f.eventually("all", func() bool { return len(f.outcomes()) == 7 })
		stop()
		got := f.outcomes()
		if got["little 4"] != "answer to little 4" || !strings.Contains(got["much"], "DECLINED") || len(c.called()) != 7 {
			t.Errorf("outcomes %v, calls %v", got, c.called())
		}
	})
}

// A callee that is down is asked once in a while, whatever waits; when it is back,
// everything is delivered soon.
func TestCalleeIsDown(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		c := &callee{fault: down}
		f := newFixture(t, open(t, url), c)
		f.run()
		for i := range 50 {
			f.enqueue(fmt.Sprint(i), fmt.Sprint(i))
		}
		f.eventually("it is asked again", func() bool { return len(c.called()) >= 2 })
		time.Sleep(2 * time.Second)
		if n := len(c.called()); n > batch+10 {
			t.Errorf("a callee that is down got %d calls in 2 s", n)
		}
		c.set(nil)
		back := time.Now()
		f.eventually("one is delivered", func() bool { return f.left() < 50 })
		if took := time.Since(back); took > 5*probeInterval {
			t.Errorf("the first one was delivered %v after the callee was back", took)
		}
		f.eventually("all are delivered", func() bool { return f.left() == 0 })
		if len(f.outcomes()) != 50 {
			t.Errorf("%d outcomes, want 50", len(f.outcomes()))
		}
	})
}

// Several relays deliver everything; each outcome is handled once, and messages
// of a key stay in order.
func TestReplicas(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		n := 0
		c := &callee{}
		c.fault = func(string) error {
			if n++; n%5 == 0 {
				return status.Error(codes.Unavailable, "flapping")
			}
			return nil
		}
		var all []fixture
		for range 3 {
			f := newFixture(t, db, c)
			f.run()
			all = append(all, f)
		}
		f := all[0]
		const keys, each = 8, 5
		for i := range each {
			for k := range keys {
				f.enqueue(fmt.Sprint(k), fmt.Sprintf("%d.%d", k, i))
			}
		}
		f.eventually("all are delivered", func() bool { return f.left() == 0 })
		if got := f.outcomes(); len(got) != keys*each {
			t.Errorf("%d outcomes, want %d", len(got), keys*each)
		}
		last := map[string]string{}
		for _, req := range c.called() {
			key, _, _ := strings.Cut(req, ".")
			if req < last[key] {
				t.Errorf("%s was delivered after %s", req, last[key])
			}
			last[key] = req
		}
	})
}

func TestPoisonIsParked(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		c := &callee{fault: func(req string) error {
			if req == "poison" {
				return status.Error(codes.Internal, "bug")
			}
			return nil
		}}
		f := newFixture(t, open(t, url), c)
		f.enqueue("k", "poison")
		f.enqueue("k", "behind it")
		f.enqueue("other", "fine")
		must(t, exec(f.db, fmt.Sprintf("UPDATE svc_outbox SET failures = %d WHERE message_key = 'k'", maxFailures-2)))
		f.run()
		parked := func() (n int) {
			must(t, f.db.QueryRow("SELECT count(*) FROM svc_outbox WHERE parked").Scan(&n))
			return n
		}
		must(t, exec(f.db, "UPDATE svc_outbox SET due_time = 0"))
		f.eventually("the poison is parked or waits", func() bool { return len(c.called()) >= 2 })
		must(t, exec(f.db, "UPDATE svc_outbox SET due_time = 0 WHERE owner = ''"))
		f.eventually("the poison is parked", func() bool {
			_ = exec(f.db, "UPDATE svc_outbox SET due_time = 0 WHERE owner = ''")
			return parked() == 1
		})
		calls := len(c.called())
		time.Sleep(2 * pollInterval)
		if got := len(c.called()); got != calls {
			t.Errorf("%d calls after it was parked", got-calls)
		}
		if got := f.outcomes(); len(got) != 1 || got["fine"] == "" {
			t.Errorf("outcomes %v", got)
		}
		must(t, f.measure(t.Context()))
		if got := gauge(t, f, "svc_outbox_pending") + 10*gauge(t, f, "svc_outbox_parked"); got != 12 {
			t.Errorf("pending + 10 parked = %v, want 12", got)
		}
		c.set(nil)
		must(t, exec(f.db, "UPDATE svc_outbox SET parked = FALSE"))
		f.eventually("all are delivered", func() bool { return f.left() == 0 })
	})
}

func gauge(t *testing.T, f fixture, name string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	must(t, err)
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("no series %s", name)
	return 0
}

// Deliver makes the call itself, and of many who ask at once one makes it.
func TestDeliver(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		c := &callee{fault: down}
		db := open(t, url)
		f, other := newFixture(t, db, c), newFixture(t, db, c)
		f.hold("k", "a")
		if err := f.Deliver(t.Context(), "k"); status.Code(err) != codes.Unavailable {
			t.Errorf("err = %v, want that of the callee", err)
		}
		c.set(nil)
		var group sync.WaitGroup
		for n := range 20 {
			group.Go(func() {
				if err := []fixture{f, other}[n%2].Deliver(t.Context(), "k"); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		must(t, f.Deliver(t.Context(), "nothing"))
		if len(c.called()) != 2 || len(f.outcomes()) != 1 {
			t.Errorf("calls %v, outcomes %v", c.called(), f.outcomes())
		}
	})
}

// A message that a dead process holds is delivered when its lease has ended, and
// a process that was only slow can no longer settle it.
func TestLeaseOfTheDead(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		f := newFixture(t, open(t, url), &callee{})
		f.hold("k", "a")
		got, err := f.outbox.store.claimKey(t.Context(), f.name, "k")
		if err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		f.run()
		f.eventually("taken over", func() bool { return f.left() == 0 })
		err = f.outbox.store.settle(t.Context(), got[0], func(*sql.Tx) error { t.Error("settled twice"); return nil })
		if !stderrors.Is(err, errLost) {
			t.Errorf("err = %v, want errLost", err)
		}
	})
}

// The outcome's function fails: the message stays, and nothing of it is committed.
func TestOutcomeFails(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		f := newFixture(t, open(t, url), &callee{})
		broken := stderrors.New("broken")
		write := f.outcome
		f.OnOutcome(func(ctx context.Context, tx *sql.Tx, o Outcome[text, text]) error {
			must(t, write(ctx, tx, o))
			return broken
		})
		f.hold("k", "a")
		if err := f.Deliver(t.Context(), "k"); !stderrors.Is(err, broken) {
			t.Errorf("err = %v", err)
		}
		if f.left() != 1 || len(f.outcomes()) != 0 {
			t.Errorf("%d messages left, outcomes %v", f.left(), f.outcomes())
		}
	})
}

func TestTraceAndMetadataTravel(t *testing.T) {
	c := &callee{}
	f := newFixture(t, open(t, "sqlite::memory:"), c)
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	ctx := metadata.AppendToOutgoingContext(trace.ContextWithSpanContext(t.Context(), sc), "x-own", "yes")
	ctx = propagate.NewContext(ctx, "x-tenant-id", "acme")
	must(t, f.db.Tx(ctx, func(tx *sql.Tx) error { return f.EnqueueHeld(ctx, tx, "k", wrapperspb.String("a")) }))
	must(t, f.Deliver(t.Context(), "k"))
	if got := trace.SpanContextFromContext(c.ctx); got.TraceID() != sc.TraceID() || !got.IsSampled() {
		t.Errorf("trace %v, want %v", got, sc)
	}
	if md, _ := metadata.FromOutgoingContext(c.ctx); len(md["x-own"]) != 1 {
		t.Errorf("metadata %v", md)
	}
	if got := propagate.Value(c.ctx, "x-tenant-id"); got != "acme" {
		t.Errorf("x-tenant-id is %q for the client and the log", got)
	}
}
