//go:build !nosqlite

package database_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/database"
	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// Of SQLite's calls with a deadline. The second is for a loaded machine.
const (
	patience = 500 * time.Millisecond
	slack    = 150 * time.Millisecond
)

// writers are the ways to write. Each ends with its context.
var writers = map[string]func(ctx context.Context, db *database.DB) error{
	"tx": func(ctx context.Context, db *database.DB) error {
		return db.Tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO x VALUES (1)")
			return err
		})
	},
	"begin": func(ctx context.Context, db *database.DB) error {
		tx, err := db.BeginTx(ctx, nil)
		if err == nil {
			err = tx.Commit()
		}
		return err
	},
	"exec": func(ctx context.Context, db *database.DB) error {
		_, err := db.ExecContext(ctx, "INSERT INTO x VALUES (1)")
		return err
	},
	"returning": func(ctx context.Context, db *database.DB) error {
		return db.QueryRowContext(ctx, "INSERT INTO x VALUES (1) RETURNING n").Scan(new(int))
	},
	"returning rows": func(ctx context.Context, db *database.DB) error {
		rows, err := db.QueryContext(ctx, "WITH one AS (SELECT 1) INSERT INTO x SELECT * FROM one RETURNING n")
		if err == nil {
			err = rows.Close()
		}
		return err
	},
}

// openLocked opens a database with a table x, and a second time, in which lock takes
// the lock of writers.
func openLocked(t *testing.T) (db *database.DB, lock func() (release func())) {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	db, outside := open(t, url), open(t, url)
	must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
	return db, func() func() {
		tx, err := outside.Begin()
		must(t, err)
		return func() { must(t, tx.Rollback()) }
	}
}

// TestSQLiteWritersKeepDeadlines: 32 who write for 50 ms each have time for a third of them.
func TestSQLiteWritersKeepDeadlines(t *testing.T) {
	db, _ := openLocked(t)
	var written atomic.Int32
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			start := time.Now()
			err := db.Tx(ctx, func(tx *sql.Tx) error {
				time.Sleep(50 * time.Millisecond)
				_, err := tx.ExecContext(ctx, "INSERT INTO x VALUES (1)")
				return err
			})
			wantInTime(t, "tx", start, patience)
			if err == nil {
				written.Add(1)
			} else {
				wantEnding(t, err, codes.DeadlineExceeded)
			}
		})
	}
	all.Wait()
	if n := number(t, db, "SELECT count(*) FROM x"); n != int(written.Load()) || n < 3 {
		t.Errorf("%d rows of %d writers, want at least 3", n, written.Load())
	}
}

func wantInTime(t *testing.T, name string, start time.Time, limit time.Duration) {
	t.Helper()
	if took := time.Since(start); took > limit+slack {
		t.Errorf("%s: ended after %v, want %v", name, took, limit)
	}
}

// TestSQLiteLockedOutside: while another process writes, those who want to write wait
// for as long as they may, however many they are, and those who read do not wait.
func TestSQLiteLockedOutside(t *testing.T) {
	db, lock := openLocked(t)
	release := lock()
	var all sync.WaitGroup
	for name, write := range writers {
		for range 20 { // more than there are connections
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				start := time.Now()
				wantEnding(t, write(ctx, db), codes.DeadlineExceeded)
				wantInTime(t, name, start, patience)
			})
		}
	}
	for start := time.Now(); time.Since(start) < patience; time.Sleep(5 * time.Millisecond) {
		asked := time.Now()
		number(t, db, "SELECT count(*) FROM x")
		wantInTime(t, "read", asked, 0)
	}
	all.Wait()
	release()
	if n := number(t, db, "SELECT count(*) FROM x"); n != 0 {
		t.Errorf("%d rows of writers that failed", n)
	}
}

// TestSQLiteWaitsForTheLock: every way to write gets the lock once it is free, and is
// called off while it is not.
func TestSQLiteWaitsForTheLock(t *testing.T) {
	db, lock := openLocked(t)
	prepared, err := db.Prepare("INSERT INTO x VALUES (1) RETURNING n")
	must(t, err)
	defer prepared.Close()
	ways := map[string]func(context.Context, *database.DB) error{
		"prepared": func(ctx context.Context, _ *database.DB) error { _, err := prepared.ExecContext(ctx); return err },
		"prepared query": func(ctx context.Context, _ *database.DB) error {
			return prepared.QueryRowContext(ctx).Scan(new(int))
		},
	}
	for name, write := range writers {
		ways[name] = write
	}
	for name, write := range ways {
		release := lock()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		start := time.Now()
		wantEnding(t, write(ctx, db), codes.Canceled)
		wantInTime(t, name, start, 50*time.Millisecond)

		freed := make(chan struct{})
		time.AfterFunc(50*time.Millisecond, func() { release(); close(freed) })
		start = time.Now()
		if err := write(t.Context(), db); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantInTime(t, name, start, 50*time.Millisecond)
		<-freed
	}
}

// TestSQLiteBusy: without a deadline nobody waits for ever, neither for the lock
// nor for a turn that will not come.
func TestSQLiteBusy(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		ended := func(name string, want time.Duration, call func() error) error {
			t.Helper()
			start := time.Now()
			err := call()
			if waited := time.Since(start); waited != want {
				t.Errorf("%s: waited %v, want %v", name, waited, want)
			}
			return err
		}
		url := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
		db, outside := open(t, url), open(t, url)
		must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
		const write = "INSERT INTO x VALUES (1)"
		reader, err := outside.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
		must(t, err)
		must(t, reader.QueryRow("SELECT count(*) FROM x").Scan(new(int)))
		execOn := func(on interface {
			Exec(string, ...any) (sql.Result, error)
		}, query string) func() error {
			return func() error { _, err := on.Exec(query); return err }
		}
		must(t, db.Tx(t.Context(), func(*sql.Tx) error {
			wantEnding(t, ended("turn", 5*time.Second, execOn(db, write)), codes.DeadlineExceeded)
			err := ended("lock", 5*time.Second, execOn(outside, write))
			wantEnding(t, err, codes.Unavailable)
			if !database.IsRetryable(err) {
				t.Errorf("IsRetryable(%v) = false", err)
			}
			// The first of several statements may have succeeded.
			wantEnding(t, ended("several", 0, execOn(outside, "SELECT 1; "+write)), codes.Unavailable)
			// What a reader has seen may have changed once it had the lock.
			wantEnding(t, ended("reader", 0, execOn(reader, write)), codes.Unavailable)
			return reader.Rollback()
		}))
	})
}

// TestSQLiteReadersDoNotQueue: in a transaction that writes, others read.
func TestSQLiteReadersDoNotQueue(t *testing.T) {
	db, _ := openLocked(t)
	must(t, db.Tx(t.Context(), func(*sql.Tx) error {
		for _, query := range []string{
			"SELECT 1", " \n-- why\n/* INSERT\n*/ select 1", "VALUES (1)", "WITH one AS (SELECT 1) SELECT * FROM one",
			"PRAGMA user_version", "SELECT 'INSERT INTO x'",
		} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			if err := db.QueryRowContext(ctx, query).Scan(new(any)); err != nil {
				t.Errorf("%s: %v", query, err)
			}
			cancel()
		}
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
		if err != nil {
			return err
		}
		return tx.Rollback()
	}))
}
