package idempotency

import (
	"context"
	"database/sql"
	stderrors "errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/claim"
)

var declined = &errors.Code{Domain: "test", Reason: "DECLINED", GRPC: codes.FailedPrecondition, Message: "declined: {why}"}

func TestReplay(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		f, other := newFixture(t, db), newFixture(t, db)
		runs := 0
		const key = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
		for _, f := range []fixture{f, f, other} {
			if got, err := f.call(of(key, "a"), &runs, "first", nil); err != nil || got != "first" {
				t.Errorf("%q, %v", got, err)
			}
		}
		if got, err := f.call(of("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "a"), &runs, "", nil); err != nil || got != "first" {
			t.Errorf("in upper case: %q, %v", got, err)
		}
		_, err := f.call(of(key, "b"), &runs, "", nil)
		if !stderrors.Is(err, errors.IdempotencyKeyConflict) || status.Code(err) != codes.AlreadyExists {
			t.Errorf("another request under the key: %v", err)
		}
		if got, err := f.call(of("other", "b"), &runs, "second", nil); err != nil || got != "second" || runs != 2 {
			t.Errorf("another key: %q, %v, %d runs", got, err, runs)
		}
		if got := f.counted(); got != "executed=2 refused=1 replayed=2" {
			t.Errorf("counted %s", got)
		}
	})
}

// Errors that are answers are stored with all that they carry; others are not.
func TestReplayOfErrors(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		f := newFixture(t, open(t, url))
		runs := 0
		for range 2 {
			_, err := f.call(of("final", ""), &runs, "", declined.New("why", "poor"))
			typed, ok := stderrors.AsType[*errors.Error](err)
			if !ok || !stderrors.Is(err, declined) || typed.Metadata["why"] != "poor" || typed.Message() != "declined: poor" {
				t.Errorf("%v", err)
			}
		}
		if runs != 1 {
			t.Errorf("%d runs, want 1", runs)
		}
		for _, err := range []error{errors.Unavailable, context.DeadlineExceeded, stderrors.New("bug")} {
			if _, got := f.call(of("passing", ""), &runs, "", err); got != err {
				t.Errorf("%v, want the handler's %v", got, err)
			}
		}
		if _, err := f.call(of("passing", "else"), &runs, "", nil); !stderrors.Is(err, errors.IdempotencyKeyConflict) {
			t.Errorf("another request after a failure: %v", err)
		}
		if got, err := f.call(of("passing", ""), &runs, "at last", nil); err != nil || got != "at last" || runs != 5 {
			t.Errorf("%q, %v after %d runs", got, err, runs)
		}
	})
}

func TestConcurrentDuplicatesWait(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		replicas := []fixture{newFixture(t, db), newFixture(t, db)}
		for callers := 60; callers > 1; callers /= 2 {
			var runs atomic.Int64
			var group sync.WaitGroup
			begun := time.Now()
			for n := range callers {
				group.Go(func() {
					resp, err := replicas[n%2].Do(t.Context(), of(fmt.Sprint(callers), "a"), func(context.Context, *request) (*response, error) {
						runs.Add(1)
						time.Sleep(100 * time.Millisecond)
						return wrapperspb.String("once"), nil
					})
					if err != nil || resp.GetValue() != "once" {
						t.Errorf("%v, %v", resp, err)
					}
				})
			}
			group.Wait()
			if time.Since(begun) > claim.Duration {
				continue // so busy a machine may fail to renew a lease, and another run is right
			}
			if runs.Load() != 1 {
				t.Errorf("%d runs, want 1", runs.Load())
			}
			return
		}
		t.Skip("this machine is too busy to keep a lease")
	})
}

// A duplicate waits as long as its own deadline, and not longer.
func TestWaitEndsWithTheDeadline(t *testing.T) {
	f := newFixture(t, open(t, "sqlite::memory:"))
	entered, release := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		_, err := f.Do(t.Context(), of("k", ""), func(context.Context, *request) (*response, error) {
			close(entered)
			<-release
			return &response{}, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.Do(ctx, of("k", ""), nil); !stderrors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
	if got := testutil.ToFloat64(f.waits); got != 1 {
		t.Errorf("%v calls waited, want 1, however often it looked", got)
	}
	close(release)
	group.Wait()
}

// A handler that runs longer than a lease keeps it; one that died loses it.
func TestLease(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		f, other := newFixture(t, db), newFixture(t, db)
		var group sync.WaitGroup
		entered := make(chan struct{})
		group.Go(func() {
			_, _ = f.Do(t.Context(), of("slow", ""), func(context.Context, *request) (*response, error) {
				close(entered)
				time.Sleep(2 * claim.Duration)
				return wrapperspb.String("slow"), nil
			})
		})
		<-entered
		runs := 0
		if got, err := other.call(of("slow", ""), &runs, "", nil); err != nil || got != "slow" || runs != 0 {
			t.Errorf("%q, %v, %d runs", got, err, runs)
		}
		group.Wait()

		// As a killed process leaves it.
		print := fingerprint(of("dead", "").ProtoReflect(), "reason")
		begun := time.Now()
		taken, err := f.store.take(t.Context(), id{f.name, f.name, "dead"}, print, "killed")
		if err != nil || !taken {
			t.Fatalf("%t, %v", taken, err)
		}
		if got, err := other.call(of("dead", ""), &runs, "anew", nil); err != nil || got != "anew" || runs != 1 {
			t.Errorf("%q, %v, %d runs", got, err, runs)
		}
		if took := time.Since(begun); took < claim.Duration/2 || took > 10*claim.Duration {
			t.Errorf("taken over after %v", took)
		}
	})
}

// The answer is stored with the effect, or neither is, and a run that lost its
// lease has no effect.
func TestAnswerInTheTransaction(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		must(t, exec(db, "CREATE TABLE effect (n BIGINT)"))
		f := newFixture(t, db)
		effect := func(ctx context.Context, before func()) (*response, error) {
			resp := wrapperspb.String("done")
			err := db.Tx(ctx, func(tx *sql.Tx) error {
				if _, err := tx.ExecContext(ctx, "INSERT INTO effect VALUES (1)"); err != nil {
					return err
				}
				return f.Answer(ctx, tx, resp, nil)
			})
			if err != nil {
				return nil, err
			}
			before()
			return resp, nil
		}
		effects := func() (n int) {
			must(t, db.QueryRow("SELECT count(*) FROM effect").Scan(&n))
			return n
		}
		// The handler fails after its commit: the answer stands.
		resp, err := f.Do(t.Context(), of("a", ""), func(ctx context.Context, _ *request) (*response, error) {
			if _, err := effect(ctx, func() {}); err != nil {
				t.Error(err)
			}
			return nil, errors.Unavailable
		})
		if err != nil || resp.GetValue() != "done" || effects() != 1 {
			t.Errorf("%v, %v, %d effects", resp, err, effects())
		}
		// The lease is lost to another one before the commit.
		_, err = f.Do(t.Context(), of("b", ""), func(ctx context.Context, _ *request) (*response, error) {
			must(t, exec(db, "UPDATE svc_idempotency SET owner = 'other' WHERE request_key = 'b'"))
			resp, err := effect(ctx, func() {})
			must(t, exec(db, "UPDATE svc_idempotency SET lease_time = 0 WHERE request_key = 'b'"))
			return resp, err
		})
		if !stderrors.Is(err, errors.Unavailable) || effects() != 1 {
			t.Errorf("after the lease was lost: %v, %d effects", err, effects())
		}
		// Outside of a call it does nothing.
		if _, err := effect(t.Context(), func() {}); err != nil || effects() != 2 {
			t.Errorf("%v, %d effects", err, effects())
		}
	})
}

func TestExpiry(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		f := newFixture(t, db)
		runs := 0
		must(t, exec(db, `INSERT INTO svc_idempotency VALUES ($1, $2, '', '', 0, TRUE, 0, '', 1)`, "m", claim.Token()))
		_, err := f.call(of("k", "a"), &runs, "first", nil)
		must(t, err)
		must(t, exec(db, "UPDATE svc_idempotency SET expire_time = 1 WHERE request_key = 'k'"))
		if got, err := f.call(of("k", "b"), &runs, "second", nil); err != nil || got != "second" {
			t.Errorf("after the expiry: %q, %v", got, err)
		}
		must(t, f.store.sweep(t.Context()))
		var left int
		must(t, db.QueryRow("SELECT count(*) FROM svc_idempotency").Scan(&left))
		if left != 1 {
			t.Errorf("%d rows are left, want the one that is not expired", left)
		}
	})
}

// A failed run gives its key back at once, and nothing renews the lease later:
// the next one need not wait for its end.
func TestFailureReleasesTheKey(t *testing.T) {
	for name, h := range map[string]func(context.Context, *request) (*response, error){
		"failed":   func(context.Context, *request) (*response, error) { return nil, errors.Unavailable },
		"panicked": func(context.Context, *request) (*response, error) { panic("bug") },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, open(t, "sqlite::memory:"))
			func() {
				defer func() { _ = recover() }()
				_, _ = f.Do(t.Context(), of("k", ""), h)
			}()
			if f.store.flights.Flying(id{f.name, f.name, "k"}) {
				t.Error("the run is over, and still duplicates are told to wait for it")
			}
			lease := func() (micro int64) {
				must(t, f.store.db.QueryRow("SELECT lease_time FROM svc_idempotency").Scan(&micro))
				return micro
			}
			if got := lease(); got != 0 {
				t.Errorf("the lease lasts until %v", time.UnixMicro(got))
			}
			must(t, exec(f.store.db, "UPDATE svc_idempotency SET lease_time = 7"))
			time.Sleep(claim.Duration / 2) // time for a renewal, were there one
			if got := lease(); got != 7 {
				t.Errorf("the lease was renewed after the run, until %v", time.UnixMicro(got))
			}
		})
	}
}

// A handler that panics inside a transaction of its own leaves the connection
// taken. Giving the key back has a bound then: the panic must come out.
func TestPanicComesOutOfABusyDatabase(t *testing.T) {
	f := newFixture(t, open(t, "sqlite::memory:"))
	var left *sql.Tx
	out := make(chan any, 1)
	go func() {
		defer func() { out <- recover() }()
		_, _ = f.Do(context.Background(), of("k", ""), func(context.Context, *request) (*response, error) {
			left, _ = f.store.db.Begin()
			panic("bug")
		})
	}()
	select {
	case v := <-out:
		if v != "bug" {
			t.Errorf("recovered %v", v)
		}
		must(t, left.Rollback())
	case <-time.After(10 * storeTimeout):
		t.Error("the panic is held up by a database that does not answer")
		must(t, left.Rollback())
		<-out
	}
}

// The effect of a handler is there, so its answer is stored though the caller
// went away meanwhile.
func TestAnswerOutlivesTheCaller(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		f := newFixture(t, open(t, url))
		ctx, cancel := context.WithCancel(t.Context())
		_, err := f.Do(ctx, of("k", ""), func(context.Context, *request) (*response, error) {
			cancel()
			return wrapperspb.String("done"), nil
		})
		must(t, err)
		runs := 0
		if got, err := f.call(of("k", ""), &runs, "again", nil); err != nil || got != "done" || runs != 0 {
			t.Errorf("%q, %v after %d runs, want the first answer", got, err, runs)
		}
	})
}

// A handler that calls another one in its own process has the context of both:
// the answer of the inner method is not that of the outer one.
func TestAnswerOfAnotherMethod(t *testing.T) {
	f := newFixture(t, open(t, "sqlite::memory:"))
	other := Bind[request, response](f.store, "/test.v1.Test/Other", "reason", "", (*request).GetReason)
	resp, err := f.Do(t.Context(), of("k", ""), func(ctx context.Context, _ *request) (*response, error) {
		must(t, f.store.db.Tx(ctx, func(tx *sql.Tx) error { return other.Answer(ctx, tx, wrapperspb.String("other"), nil) }))
		return wrapperspb.String("mine"), nil
	})
	if err != nil || resp.GetValue() != "mine" {
		t.Errorf("%v, %v", resp, err)
	}
	runs := 0
	if got, err := f.call(of("k", ""), &runs, "", nil); err != nil || got != "mine" || runs != 0 {
		t.Errorf("replayed %q, %v, %d runs", got, err, runs)
	}
}

// All that has expired goes, however many batches it takes, and nothing else.
func TestSweepTakesAllBatches(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		f := newFixture(t, open(t, url))
		runs := 0
		before := time.Now()
		_, err := f.call(of("kept", ""), &runs, "", nil)
		must(t, err)
		var expiry int64
		must(t, f.store.db.QueryRow("SELECT expire_time FROM svc_idempotency").Scan(&expiry))
		if kept := time.UnixMicro(expiry).Sub(before.Truncate(time.Microsecond)); kept < time.Hour || kept > time.Hour+time.Minute {
			t.Errorf("an answer is kept for %v, want its retention, 1h", kept)
		}
		must(t, exec(f.store.db, `INSERT INTO svc_idempotency
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			SELECT 'm', CAST(i AS TEXT), '', '', 0, TRUE, 0, '', 1 FROM n`, 2*sweepBatch+1))
		must(t, f.store.sweep(t.Context()))
		var left int
		must(t, f.store.db.QueryRow("SELECT count(*) FROM svc_idempotency").Scan(&left))
		if left != 1 {
			t.Errorf("%d rows are left of two batches and one, want the one that is kept", left)
		}
	})
}

func TestCanonical(t *testing.T) {
	for key, want := range map[string]string{
		"017F22E2-79B0-7CC3-98C4-DC0C0C07398F":  "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
		"017F22E2-79B0-7CC3-98C4-DC0C0C07398FA": "017F22E2-79B0-7CC3-98C4-DC0C0C07398FA", // one too long
		"Order-7":                               "Order-7",
		"":                                      "",
	} {
		if got := canonical(key); got != want {
			t.Errorf("canonical(%q) = %q, want %q", key, got, want)
		}
	}
}
