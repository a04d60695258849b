package outbox

import (
	"context"
	"database/sql"
	stderrors "errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/claim"
)

// row is a message as it stands in the table.
type row struct {
	owner              string
	attempts, failures int
	parked             bool
	lastError          string
}

// row returns the only message of a key, and when it is due.
func (f fixture) row(key string) (r row, due time.Time) {
	f.t.Helper()
	var micro int64
	must(f.t, f.db.QueryRow("SELECT owner, attempts, failures, parked, last_error, due_time FROM svc_outbox WHERE message_key = $1", key).
		Scan(&r.owner, &r.attempts, &r.failures, &r.parked, &r.lastError, &micro))
	return r, time.UnixMicro(micro)
}

// logged returns what the method logs from now on.
func (f fixture) logged() *strings.Builder {
	log := new(strings.Builder)
	f.log = slog.New(slog.NewTextHandler(log, nil)).With(slog.String("rpc", f.name))
	return log
}

// counted returns the attempts that ended with a code.
func (f fixture) counted(c codes.Code) float64 {
	f.t.Helper()
	families, err := f.registry.Gather()
	must(f.t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "grpc_code" && l.GetValue() == c.String() {
					return m.GetCounter().GetValue()
				}
			}
		}
	}
	return 0
}

// The documentation says that a message is parked after ten failures, so ten is
// written out here. Deliver asks for no due time, so nothing waits.
func TestTenFailuresPark(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second) // a message nobody gives back is waited for
		defer cancel()
		c := &callee{fault: func(string) error { return status.Error(codes.Internal, "bug") }}
		f := newFixture(t, open(t, url), c)
		log := f.logged()
		f.hold("k", "poison")
		for n := 1; n <= 12; n++ {
			before := time.Now()
			if err := f.Deliver(ctx, "k"); status.Code(err) != codes.Internal {
				t.Fatalf("failure %d: err = %v", n, err)
			}
			got, due := f.row("k")
			if got.failures != n || got.attempts != n || got.parked != (n >= 10) || !strings.Contains(got.lastError, "bug") {
				t.Errorf("after %d failures: %+v; want it parked from the tenth on", n, got)
			}
			if got.owner != "" {
				t.Fatalf("after failure %d the message is still somebody's", n)
			}
			if waits := due.Sub(before) >= 50*time.Millisecond; waits != (n < 10) && time.Since(before) < 50*time.Millisecond {
				t.Errorf("after failure %d it is due in %v; want a wait, but none once it is parked", n, due.Sub(before))
			}
		}
		// The callee is down: that leaves a message parked, or not, as it was.
		c.set(down)
		for _, parked := range []bool{true, false} {
			must(t, exec(f.db, "UPDATE svc_outbox SET parked = $1", parked))
			_ = f.Deliver(ctx, "k")
			if got, _ := f.row("k"); got.parked != parked || got.failures != 12 {
				t.Errorf("after the callee was not reached: %+v, want parked %t and 12 failures", got, parked)
			}
		}
		waits, parks := strings.Count(log.String(), `level=WARN msg="message waits after a failure"`), strings.Count(log.String(), `level=ERROR msg="message is parked"`)
		if waits != 11 || parks != 1 {
			t.Errorf("12 failures are logged as %d waits and %d times that the message is parked, want 11 and 1", waits, parks)
		}
		must(t, exec(f.db, "UPDATE svc_outbox SET parked = TRUE"))
		c.set(nil)
		must(t, f.Deliver(ctx, "k")) // though it is parked
		if f.left() != 0 || len(f.outcomes()) != 1 {
			t.Errorf("%d messages left, outcomes %v", f.left(), f.outcomes())
		}
		if failed, ok := f.counted(codes.Internal), f.counted(codes.OK); failed != 12 || ok != 1 {
			t.Errorf("counted %v failed attempts and %v good ones, want 12 and 1", failed, ok)
		}
	})
}

// A callee that is down, busy or slow never parks a message: nothing is held
// against it, and it stays due.
func TestUnreachedNeverParks(t *testing.T) {
	f := newFixture(t, open(t, "sqlite::memory:"), &callee{})
	for _, code := range []codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Canceled, codes.Aborted} {
		t.Run(code.String(), func(t *testing.T) {
			d := Bind(f.outbox, "/test.v1.Test/"+code.String(), func(context.Context, *text, ...grpc.CallOption) (*text, error) {
				return nil, status.Error(code, "not now")
			})
			must(t, f.db.Tx(t.Context(), func(tx *sql.Tx) error { return d.Enqueue(t.Context(), tx, code.String(), wrapperspb.String("a")) }))
			for range 15 {
				if err := d.Deliver(t.Context(), code.String()); status.Code(err) != code {
					t.Fatalf("err = %v", err)
				}
			}
			got, due := f.row(code.String())
			if got.failures != 0 || got.parked || got.owner != "" || got.attempts != 15 {
				t.Errorf("after 15 attempts that did not reach the callee: %+v", got)
			}
			if wait := time.Until(due); wait > 0 {
				t.Errorf("it is due in %v, want now", wait)
			}
		})
	}
}

// An attempt that is over holds nothing: neither those who wait for it, nor its lease.
func TestAttemptLeavesNothingBehind(t *testing.T) {
	for name, fault := range map[string]func(string) error{"delivered": nil, "not delivered": down} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, open(t, "sqlite::memory:"), &callee{fault: fault})
			log := f.logged()
			f.hold("k", "a")
			if len(f.wakes) != 0 {
				t.Error("a held message wakes the relay")
			}
			_ = f.Deliver(t.Context(), "k")
			if f.outbox.flights.Flying("k") {
				t.Error("the attempt is over, and still those who wait are told to")
			}
			if woken := len(f.wakes) == 1; woken != (fault == nil) {
				t.Errorf("the relays are woken for what is behind it: %t", woken)
			}
			time.Sleep(claim.Duration / 2) // time for a renewal, were there one
			if strings.Contains(log.String(), "lease") {
				t.Errorf("the lease is renewed after the attempt: %s", log)
			}
		})
	}
}

// Whoever waits for an attempt of this replica is woken at its end.
func TestAttemptIsKnown(t *testing.T) {
	c := &callee{}
	f := newFixture(t, open(t, "sqlite::memory:"), c)
	flying := false
	c.set(func(string) error { flying = f.outbox.flights.Flying("k"); return nil })
	f.hold("k", "a")
	must(t, f.Deliver(t.Context(), "k"))
	if !flying {
		t.Error("during the attempt nobody is told to wait for its end")
	}
}

// While the callee works, the table goes: neither the lease is renewed nor the
// message given back, and the log says both.
func TestLostTableIsLogged(t *testing.T) {
	c := &callee{}
	f := newFixture(t, open(t, "sqlite::memory:"), c)
	log := f.logged()
	c.set(func(string) error {
		must(t, exec(f.db, "DROP TABLE svc_outbox"))
		time.Sleep(claim.Duration / 2) // time for a renewal
		return status.Error(codes.Internal, "bug")
	})
	f.hold("k", "a")
	if err := f.Deliver(t.Context(), "k"); status.Code(err) != codes.Internal {
		t.Errorf("err = %v, want that of the callee", err)
	}
	for _, want := range []string{
		`level=WARN msg="lease of a message is not renewed" rpc=/test.v1.Test/Do key=k error=`,
		`level=WARN msg="message is not given back" rpc=/test.v1.Test/Do key=k error=`,
		`cause="rpc error: code = Internal desc = bug"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

// Deliver says that nothing is left only where that is so.
func TestDeliverFails(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		f := newFixture(t, open(t, url), &callee{})
		f.hold("k", "a")
		if got, err := f.outbox.store.claimKey(t.Context(), f.name, "k"); err != nil || len(got) != 1 { // as another replica
			t.Fatalf("claimed %v, %v", got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), claim.Duration/10)
		defer cancel()
		if err := f.Deliver(ctx, "k"); !stderrors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while another replica delivers: err = %v, want that time is over", err)
		}
		must(t, exec(f.db, "DROP TABLE svc_outbox"))
		if err := f.Deliver(t.Context(), "k"); err == nil {
			t.Error("without the table nothing is left to deliver")
		}
	})
}

// The effect of a call that was answered is there, so its outcome is stored though
// the one who asked went away meanwhile.
func TestOutcomeOutlivesTheCaller(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFixture(t, open(t, url), &callee{fault: func(string) error { cancel(); return nil }})
		f.hold("k", "a")
		if err := f.Deliver(ctx, "k"); !stderrors.Is(err, context.Canceled) {
			t.Errorf("err = %v, want that the caller went away", err)
		}
		if f.left() != 0 || f.outcomes()["a"] != "answer to a" {
			t.Errorf("%d messages left, outcomes %v", f.left(), f.outcomes())
		}
	})
}

// EnqueueHeld leaves a second for Deliver; Enqueue leaves none.
func TestHeld(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		f := newFixture(t, open(t, url), &callee{})
		for _, c := range []struct {
			key     string
			enqueue func(key, req string)
			hold    time.Duration
		}{{"held", f.hold, time.Second}, {"not held", f.enqueue, 0}} {
			begun := time.Now().Truncate(time.Microsecond)
			c.enqueue(c.key, "a")
			ended := time.Now()
			if _, due := f.row(c.key); due.Before(begun.Add(c.hold)) || due.After(ended.Add(c.hold)) {
				t.Errorf("%s: due %v after it was enqueued, want %v", c.key, due.Sub(begun), c.hold)
			}
		}
		must(t, exec(f.db, "UPDATE svc_outbox SET due_time = due_time + 3600000000 WHERE message_key = 'held'"))
		got, err := f.outbox.store.claimDue(t.Context(), f.name, batch)
		if err != nil || len(got) != 1 || got[0].key != "not held" {
			t.Errorf("the relay takes %v, %v; want the one that is not held", got, err)
		}
	})
}

// The clocks of replicas differ: one that enqueues after another one whose clock
// is ahead still stands behind it.
func TestOrderInSpiteOfClocks(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		c := &callee{}
		f := newFixture(t, open(t, url), c)
		f.hold("k", "1")
		must(t, exec(f.db, "UPDATE svc_outbox SET seq = seq + 3600000000"))
		for n := 2; n <= 4; n++ {
			f.hold("k", fmt.Sprint(n))
		}
		must(t, f.Deliver(t.Context(), "k"))
		if got := strings.Join(c.called(), " "); got != "1 2 3 4" {
			t.Errorf("delivered %s, want the order in which they were enqueued", got)
		}
	})
}

func TestBackoff(t *testing.T) {
	for _, c := range []struct {
		failures int
		limit    time.Duration
		want     time.Duration
	}{
		{1, lastBackoff, 100 * time.Millisecond},
		{2, lastBackoff, 200 * time.Millisecond},
		{5, lastBackoff, 1600 * time.Millisecond},
		{9, lastBackoff, 25600 * time.Millisecond},
		{10, lastBackoff, 30 * time.Second},
		{1 << 40, lastBackoff, 30 * time.Second},
		{4, probeInterval, 800 * time.Millisecond},
		{5, probeInterval, time.Second}, // a callee that is down is asked every second at the most
	} {
		seen := map[time.Duration]bool{}
		for range 100 {
			got := backoff(c.failures, c.limit)
			if got <= c.want/2 || got > c.want {
				t.Fatalf("backoff(%d, %v) = %v, want at the most %v and more than half of it", c.failures, c.limit, got, c.want)
			}
			seen[got] = true
		}
		if len(seen) < 50 {
			t.Errorf("backoff(%d, %v) has %d values in 100, so replicas move in step", c.failures, c.limit, len(seen))
		}
	}
}

// Nobody set OnOutcome: a response is thrown away, and an error is a failure.
func TestDefaultOutcome(t *testing.T) {
	c := &callee{fault: func(req string) error {
		if req == "much" {
			return declined.New()
		}
		return nil
	}}
	f := newFixture(t, open(t, "sqlite::memory:"), c)
	d := Bind(f.outbox, "/test.v1.Test/Plain", c.call)
	for _, req := range []string{"little", "much"} {
		must(t, f.db.Tx(t.Context(), func(tx *sql.Tx) error { return d.Enqueue(t.Context(), tx, req, wrapperspb.String(req)) }))
	}
	must(t, d.Deliver(t.Context(), "little"))
	if err := d.Deliver(t.Context(), "much"); !stderrors.Is(err, declined) {
		t.Errorf("err = %v, want that of the callee", err)
	}
	if got, _ := f.row("much"); got.failures != 1 || f.left() != 1 {
		t.Errorf("%d messages left, %+v; want one failure", f.left(), got)
	}
}

// An outcome is an error or a response, whatever a hand-written client returns.
func TestOutcomeIsOneOfTwo(t *testing.T) {
	f := newFixture(t, open(t, "sqlite::memory:"), &callee{})
	d := Bind(f.outbox, "/test.v1.Test/Both", func(context.Context, *text, ...grpc.CallOption) (*text, error) {
		return new(text), declined.New()
	})
	var got Outcome[text, text]
	d.OnOutcome(func(_ context.Context, _ *sql.Tx, o Outcome[text, text]) error { got = o; return nil })
	// A nil request is an empty one: it has no bytes, which is not NULL.
	must(t, f.db.Tx(t.Context(), func(tx *sql.Tx) error { return d.EnqueueHeld(t.Context(), tx, "k", nil) }))
	must(t, d.Deliver(t.Context(), "k"))
	if got.Response != nil || !stderrors.Is(got.Err, declined) || got.Key != "k" || got.Request.GetValue() != "" {
		t.Errorf("outcome %+v", got)
	}
}

func TestOldest(t *testing.T) {
	f := newFixture(t, open(t, "sqlite::memory:"), &callee{})
	f.hold("k", "young")
	f.hold("l", "old")
	must(t, exec(f.db, "UPDATE svc_outbox SET enqueue_time = enqueue_time - 3600000000 WHERE message_key = 'l'"))
	must(t, f.measure(t.Context()))
	if got := gauge(t, f, "svc_outbox_oldest_seconds"); got < 3600 || got > 3700 {
		t.Errorf("the oldest is %v s old, want 3600", got)
	}
	must(t, f.Deliver(t.Context(), "k"))
	must(t, f.Deliver(t.Context(), "l"))
	must(t, f.measure(t.Context()))
	if got := gauge(t, f, "svc_outbox_oldest_seconds"); got != 0 {
		t.Errorf("with none left the oldest is %v s old", got)
	}
}

// A failure to count is logged. Neither success nor the end of the relay is.
func TestMessagesCannotBeCounted(t *testing.T) {
	for name, test := range map[string]struct {
		before func(t *testing.T, f fixture)
		want   int
	}{
		"success": {func(*testing.T, fixture) {}, 0},
		"failure": {func(t *testing.T, f fixture) { must(t, exec(f.db, "DROP TABLE svc_outbox")) }, 1},
		"end":     {occupy, 0}, // while it waits for a connection
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				f := newFixture(t, open(t, "sqlite::memory:"), &callee{})
				log := f.logged()
				test.before(t, f)
				ctx, cancel := context.WithTimeout(t.Context(), measureInterval/2)
				defer cancel()
				f.outbox.measure(ctx)
				const line = `level=WARN msg="messages cannot be counted" rpc=/test.v1.Test/Do error=`
				if got := strings.Count(log.String(), line); got != test.want {
					t.Errorf("%d lines, want %d:\n%s", got, test.want, log)
				}
			})
		})
	}
}

// occupy takes the only connection of the database.
func occupy(t *testing.T, f fixture) {
	f.db.SetMaxOpenConns(1)
	conn, err := f.db.Conn(t.Context())
	must(t, err)
	t.Cleanup(func() { must(t, conn.Close()) })
}
