//go:build !nosqlite

package database

import (
	"context"
	"database/sql"
	"errors"
	"testing"
)

// However a transaction ends, nothing of it stays in memory.
func TestHooksAreForgotten(t *testing.T) {
	for name, end := range map[string]func(*sql.Tx) error{
		"committed":   func(*sql.Tx) error { return nil },
		"rolled back": func(*sql.Tx) error { return errors.New("no") },
		"panicked":    func(*sql.Tx) error { panic("bug") },
		// Its own end makes the commit fail.
		"not committed": func(tx *sql.Tx) error { return tx.Rollback() },
	} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(t.Context(), Options{URL: "sqlite::memory:"})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			func() {
				defer func() { _ = recover() }()
				_ = db.Tx(context.Background(), func(tx *sql.Tx) error {
					db.OnCommit(tx, func() {})
					if hooks(db) != 1 {
						t.Error("the hook is not there in the transaction")
					}
					return end(tx)
				})
			}()
			if n := hooks(db); n != 0 {
				t.Errorf("the hooks of %d transactions are kept after their end", n)
			}
		})
	}
}

func hooks(db *DB) (n int) {
	db.committed.Range(func(any, any) bool { n++; return true })
	return n
}

// The waits of five attempts are within about 150 ms, and replicas do not move in
// step.
func TestBackoff(t *testing.T) {
	for attempt, full := range map[int]int64{1: 10, 2: 20, 4: 80, 13: 40960, 1 << 30: 40960} {
		seen := map[int64]bool{}
		for range 100 {
			got := backoff(attempt)
			if got.Milliseconds() < full/2 || got.Milliseconds() > full {
				t.Fatalf("backoff(%d) = %v, want %d ms at the most and half of it at the least", attempt, got, full)
			}
			seen[got.Nanoseconds()] = true
		}
		if len(seen) < 50 {
			t.Errorf("backoff(%d) has %d values in 100", attempt, len(seen))
		}
	}
}

func TestDefaults(t *testing.T) {
	o := Options{}.withDefaults()
	if o.MaxConnections != 16 || o.ConnectTimeout.Seconds() != 5 || o.Logger == nil {
		t.Errorf("defaults %+v, want 16 connections and 5 s", o)
	}
	for _, c := range []struct {
		url       string
		max, want int
	}{{"sqlite:" + t.TempDir() + "/x.db", 3, 3}, {"sqlite::memory:", 3, 1}} {
		db, err := Open(t.Context(), Options{URL: c.url, MaxConnections: c.max})
		if err != nil {
			t.Fatal(err)
		}
		if got := db.Stats().MaxOpenConnections; got != c.want {
			t.Errorf("%s: %d connections, want %d", c.url, got, c.want)
		}
		_ = db.Close()
	}
}
