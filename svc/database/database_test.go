package database_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/database"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// postgresVariable names a superuser's URL. Without it the tests on PostgreSQL are skipped.
const postgresVariable = "PROTOSVC_TEST_POSTGRES_URL"

// onEach runs a test on every engine there is, each time with the URL of a
// database of its own.
func onEach(t *testing.T, test func(t *testing.T, url string)) {
	for _, e := range embedded {
		t.Run(e.name, func(t *testing.T) { test(t, e.url(t)) })
	}
	t.Run("postgres", func(t *testing.T) { test(t, newPostgres(t)) })
}

var databases struct {
	sync.Mutex
	count int
}

// newPostgres makes a database on the server of the environment, or skips.
func newPostgres(t *testing.T) string {
	t.Helper()
	address := os.Getenv(postgresVariable)
	if address == "" {
		t.Skipf("%s is not set", postgresVariable)
	}
	databases.Lock()
	databases.count++
	name := fmt.Sprintf("protosvc_test_%d_%d", os.Getpid(), databases.count)
	databases.Unlock()
	administer(t, address, "CREATE DATABASE "+name)
	t.Cleanup(func() { administer(t, address, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func administer(t *testing.T, address, statement string) {
	t.Helper()
	db, err := database.Open(context.Background(), database.Options{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, url string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), database.Options{URL: url, Application: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// exec runs one statement in a transaction of its own.
func exec(t *testing.T, db *database.DB, statement string, args ...any) error {
	t.Helper()
	return db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(statement, args...)
		return err
	})
}

// onWrite calls f with every line of a log.
type onWrite struct{ f func() }

func (w *onWrite) Write(line []byte) (int, error) { w.f(); return len(line), nil }

func (w *onWrite) logger() *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func number(t *testing.T, db *database.DB, query string) (n int) {
	t.Helper()
	must(t, db.QueryRow(query).Scan(&n))
	return n
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"", "database URL is empty (want postgres://… or sqlite:PATH)"},
		{"mysql://u:geheim@h/d", `database URL has the unknown scheme "mysql" (want postgres://… or sqlite:PATH)`},
		{"u:geheim@h", `database URL has no scheme (want postgres://… or sqlite:PATH)`},
		{"geheim", `database URL has no scheme (want postgres://… or sqlite:PATH)`},
		{"host=db password=geheim", `database URL has no scheme (want postgres://… or sqlite:PATH)`},
		{"host=db password=geheim://x", `database URL has no scheme (want postgres://… or sqlite:PATH)`},
		{"postgres://u:ge%heim@h/d", "database URL cannot be parsed (special characters in user or password must be percent-encoded)"},
		{"postgres://u:geheim@h:port/d", "database URL cannot be parsed (special characters in user or password must be percent-encoded)"},
		{"postgres://u:geheim@h/d?sslmode=maybe", `sslmode`},
		{"postgres://u:geheim@h/d?connect_timeout=soon", `connect_timeout`},
	} {
		_, err := database.Open(t.Context(), database.Options{URL: c.url})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%q) = %v, want %s", c.url, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "heim") {
			t.Errorf("Open(%q) shows the password: %v", c.url, err)
		}
	}
}

// countdown is a log that calls done at so many lines.
type countdown struct {
	strings.Builder
	left int
	done func()
}

func (c *countdown) Write(line []byte) (int, error) {
	if c.left--; c.left == 0 {
		c.done()
	}
	return c.Builder.Write(line)
}

// TestOpenKeepsTrying: a service may start before its database.
func TestOpenKeepsTrying(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	log := &countdown{left: 3, done: cancel}
	_, err := database.Open(ctx, database.Options{
		URL:    "postgres://u:geheim@127.0.0.1:1/d?sslmode=disable", // tcpmux: nobody listens
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("err = %v, want the last attempt's", err)
	}
	if n := strings.Count(log.String(), "database does not answer, trying again"); n != 3 {
		t.Errorf("%d attempts logged, want 3:\n%s", n, log)
	}
	if strings.Contains(log.String(), "geheim") {
		t.Errorf("the log shows the password: %s", log)
	}
}

func TestTxCommitsAndRollsBack(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
		insert := func(tx *sql.Tx) {
			if _, err := tx.Exec("INSERT INTO x VALUES (1)"); err != nil {
				t.Error(err)
			}
		}
		mine := errors.New("mine")
		if err := db.Tx(t.Context(), func(tx *sql.Tx) error { insert(tx); return mine }); err != mine {
			t.Errorf("err = %v, want that of the function as it is", err)
		}
		func() {
			defer func() {
				if v := recover(); v != "stop" {
					t.Errorf("recovered %v", v)
				}
			}()
			_ = db.Tx(t.Context(), func(tx *sql.Tx) error { insert(tx); panic("stop") })
		}()
		if n := number(t, db, "SELECT count(*) FROM x"); n != 0 {
			t.Errorf("%d rows after an error and a panic, want none", n)
		}
		must(t, db.Tx(t.Context(), func(tx *sql.Tx) error { insert(tx); return nil }))
		if n := number(t, db, "SELECT count(*) FROM x"); n != 1 {
			t.Errorf("%d rows after success, want 1", n)
		}
	})
}

func TestTxRetries(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		for _, c := range []struct {
			name  string
			err   error
			fails int // how often the function fails
			runs  int
			ok    bool
		}{
			{"once", driver.ErrBadConn, 1, 2, true},
			{"always", driver.ErrBadConn, 100, 5, false},
			{"another error", sql.ErrNoRows, 1, 1, false},
			{"unknown outcome", fmt.Errorf("%w: %w", database.ErrCommitUnknown, driver.ErrBadConn), 1, 1, false},
		} {
			runs := 0
			err := db.Tx(t.Context(), func(*sql.Tx) error {
				runs++
				if runs <= c.fails {
					return c.err
				}
				return nil
			})
			if runs != c.runs || (err == nil) != c.ok {
				t.Errorf("%s: %d runs, err = %v, want %d runs", c.name, runs, err, c.runs)
			}
		}
	})
}

func TestTxStopsWithItsContext(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		err := db.Tx(ctx, func(tx *sql.Tx) error {
			runs++
			cancel()
			return driver.ErrBadConn
		})
		if err == nil || runs != 1 {
			t.Errorf("err = %v after %d runs, want an error after 1", err, runs)
		}
		// The cancelled transaction has not taken the database in memory with it.
		if n := number(t, db, "SELECT count(*) FROM x"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

// TestTxConcurrently: a transaction that reads before it writes is what SQLite
// refuses when it begins as a reader.
func TestTxConcurrently(t *testing.T) {
	const workers, each = 8, 10
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
		must(t, exec(t, db, "INSERT INTO x VALUES (0)"))
		var all sync.WaitGroup
		for range workers {
			all.Go(func() {
				for range each {
					if err := db.Tx(t.Context(), readThenAdd); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if n := number(t, db, "SELECT n FROM x"); n != workers*each {
			t.Errorf("n = %d, want %d", n, workers*each)
		}
	})
}

func readThenAdd(tx *sql.Tx) error {
	var n int
	if err := tx.QueryRow("SELECT n FROM x").Scan(&n); err != nil {
		return err
	}
	_, err := tx.Exec("UPDATE x SET n = n + 1")
	return err
}

func TestIsUniqueViolation(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		must(t, exec(t, db, "CREATE TABLE x (id TEXT PRIMARY KEY, a BIGINT NOT NULL UNIQUE CHECK (a > 0))"))
		must(t, exec(t, db, "INSERT INTO x VALUES ($1, $2)", "one", 1))
		for _, c := range []struct {
			id   any
			a    any
			want bool
		}{
			{"one", 2, true}, // primary key
			{"two", 1, true}, // unique column
			{"two", nil, false},
			{"two", -1, false},
		} {
			err := exec(t, db, "INSERT INTO x VALUES ($1, $2)", c.id, c.a)
			if err == nil || database.IsUniqueViolation(err) != c.want {
				t.Errorf("(%v, %v): IsUniqueViolation(%v), want %t", c.id, c.a, err, c.want)
			}
			if !database.IsUniqueViolation(fmt.Errorf("insert: %w", err)) == c.want {
				t.Errorf("(%v, %v): wrapping %v changes the answer", c.id, c.a, err)
			}
		}
		if database.IsUniqueViolation(nil) || database.IsRetryable(nil) {
			t.Error("nil is an error")
		}
	})
}

// TestTxEndsWithItsDeadline: a transaction that its context has ended before COMMIT
// says so, however the function asked.
func TestTxEndsWithItsDeadline(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		for name, result := range map[string]func(error) error{
			"at commit":    func(error) error { return nil },
			"in statement": func(err error) error { return err },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			err := db.Tx(ctx, func(tx *sql.Tx) error {
				for {
					if _, err := tx.Exec("SELECT 1"); errors.Is(err, sql.ErrTxDone) {
						return result(err)
					}
				}
			})
			cancel()
			t.Log(name, err)
			wantEnding(t, err, codes.DeadlineExceeded)
		}
		// Without an end of the context it is a fault of the function.
		err := db.Tx(t.Context(), func(tx *sql.Tx) error { return tx.Rollback() })
		wantEnding(t, err, codes.Internal)
	})
}

// TestOnCommit: what waits for the commit runs once after it, and never without.
func TestOnCommit(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		called, runs := 0, 0
		must(t, db.Tx(t.Context(), func(tx *sql.Tx) error {
			db.OnCommit(tx, func() { called++ })
			db.OnCommit(tx, func() {
				called += 10
				must(t, db.Tx(t.Context(), func(*sql.Tx) error { return nil })) // it may write
			})
			if runs++; runs == 1 {
				return driver.ErrBadConn // this run is rolled back
			}
			if called != 0 {
				t.Error("called before the commit")
			}
			return nil
		}))
		if called != 11 {
			t.Errorf("called %d, want each function once", called)
		}
		_ = db.Tx(t.Context(), func(tx *sql.Tx) error {
			db.OnCommit(tx, func() { t.Error("called without a commit") })
			return errors.New("no")
		})
	})
}
