package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/database"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

// ending is what the caller of a strict method gets when its handler returns err.
func ending(err error) *status.Status {
	contract := svcerrors.Contract{Strict: true}
	err, _ = contract.Apply(fmt.Errorf("store: %w", err))
	return svcerrors.ToStatus(err)
}

// told are the texts that may reach a caller.
var told = map[codes.Code]string{
	codes.Unavailable:       "unavailable",
	codes.Aborted:           "in conflict with another call",
	codes.ResourceExhausted: "resource exhausted",
	codes.InvalidArgument:   "invalid request",
	codes.DeadlineExceeded:  "deadline exceeded",
	codes.Canceled:          "canceled",
	codes.Internal:          "internal error",
}

func wantEnding(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if got := ending(err); err == nil || got.Code() != want || got.Message() != told[want] {
		t.Errorf("%v ends with %v %q, want %v %q", err, got.Code(), got.Message(), want, told[want])
	}
}

// openOne opens a pool of one connection, so that what a statement did to its
// connection meets the next one.
func openOne(t *testing.T, address string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), database.Options{URL: address, MaxConnections: 1})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

const backend = "SELECT pg_backend_pid()"

// TestPostgresMeanings has the server itself send every code of the table.
func TestPostgresMeanings(t *testing.T) {
	db := openOne(t, newPostgres(t))
	for _, c := range []struct {
		sqlstate string
		want     codes.Code
		again    bool
		leaves   bool
	}{
		{"08000", codes.Unavailable, true, true},
		{"08006", codes.Unavailable, true, true},
		{"25006", codes.Unavailable, true, true},
		{"40003", codes.Unavailable, true, true},
		{"53300", codes.Unavailable, true, true},
		{"57P01", codes.Unavailable, true, true},
		{"57P02", codes.Unavailable, true, true},
		{"57P03", codes.Unavailable, true, true},
		{"40001", codes.Aborted, true, false},
		{"40P01", codes.Aborted, true, false},
		{"53100", codes.ResourceExhausted, false, false},
		{"53200", codes.ResourceExhausted, false, false},
		{"22021", codes.InvalidArgument, false, false},
		{"22P05", codes.InvalidArgument, false, false},
		// Without a row: a fault of the service.
		{"22003", codes.Internal, false, false},
		{"25001", codes.Internal, false, false},
		{"40002", codes.Internal, false, false},
		{"42P01", codes.Internal, false, false},
		{"57014", codes.Internal, false, false},
	} {
		t.Run(c.sqlstate, func(t *testing.T) {
			raise := fmt.Sprintf("DO $$ BEGIN RAISE EXCEPTION 'geheim' USING ERRCODE = '%s'; END $$", c.sqlstate)
			before := number(t, db, backend)
			_, err := db.Exec(raise)
			wantEnding(t, err, c.want)
			if database.IsRetryable(err) != c.again {
				t.Errorf("IsRetryable(%v), want %t", err, c.again)
			}
			if left := number(t, db, backend) != before; left != c.leaves {
				t.Errorf("the connection has left the pool: %t, want %t", left, c.leaves)
			}
			runs := 0
			err = db.Tx(t.Context(), func(tx *sql.Tx) error {
				runs++
				_, err := tx.Exec(raise)
				return err
			})
			wantEnding(t, err, c.want)
			if want := map[bool]int{false: 1, true: 5}[c.again]; runs != want {
				t.Errorf("%d runs, want %d", runs, want)
			}
		})
	}
}

// TestPostgresWays: every way to the server has the table on it.
func TestPostgresWays(t *testing.T) {
	db := openOne(t, newPostgres(t))
	must(t, exec(t, db, `CREATE FUNCTION fail(n INT) RETURNS INT LANGUAGE plpgsql AS
		$$ BEGIN IF n > 1 THEN RAISE EXCEPTION 'geheim' USING ERRCODE = '57P01'; END IF; RETURN n; END $$`))
	must(t, exec(t, db, `CREATE TABLE x (n INT)`))
	must(t, exec(t, db, `CREATE FUNCTION late() RETURNS TRIGGER LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'geheim' USING ERRCODE = '53100'; END $$`))
	must(t, exec(t, db, `CREATE CONSTRAINT TRIGGER late AFTER INSERT ON x DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION late()`))
	prepared := func(use func(*sql.Stmt) error) error {
		s, err := db.Prepare("SELECT fail($1)")
		must(t, err)
		defer s.Close()
		return use(s)
	}
	for name, c := range map[string]struct {
		call func() error
		want codes.Code
	}{
		"exec":           {func() error { _, err := db.Exec("SELECT fail(2)"); return err }, codes.Unavailable},
		"query":          {func() error { return db.QueryRow("SELECT fail($1)", 2).Scan(new(int)) }, codes.Unavailable},
		"prepared exec":  {func() error { return prepared(func(s *sql.Stmt) error { _, err := s.Exec(2); return err }) }, codes.Unavailable},
		"prepared query": {func() error { return prepared(func(s *sql.Stmt) error { return s.QueryRow(2).Scan(new(int)) }) }, codes.Unavailable},
		"rows": {func() error {
			rows, err := db.Query("SELECT fail(n) FROM generate_series(0, 2) AS n")
			must(t, err)
			defer rows.Close()
			for rows.Next() {
			}
			return rows.Err()
		}, codes.Unavailable},
		"commit": {func() error { return exec(t, db, "INSERT INTO x VALUES (1)") }, codes.ResourceExhausted},
	} {
		t.Run(name, func(t *testing.T) {
			before := number(t, db, backend)
			wantEnding(t, c.call(), c.want)
			if left := number(t, db, backend) != before; left != (c.want == codes.Unavailable) {
				t.Errorf("the connection has left the pool: %t", left)
			}
		})
	}
}

// TestPostgresText: text that no column can hold is the fault of the request.
func TestPostgresText(t *testing.T) {
	db := openOne(t, newPostgres(t))
	for query, text := range map[string]string{"SELECT $1::TEXT": "a\x00b", "SELECT $1::JSONB ->> 0": `["\u0000"]`} {
		err := db.QueryRow(query, text).Scan(new(string))
		wantEnding(t, err, codes.InvalidArgument)
		if len(ending(err).Details()) != 2 {
			t.Errorf("%v: details %v, want the reason and the violation", err, ending(err).Details())
		}
	}
	wantEnding(t, db.QueryRow("SELECT $1::TEXT", "\xff").Scan(new(string)), codes.InvalidArgument)
}

// TestPostgresTerminates: a connection that an administrator ends.
func TestPostgresTerminates(t *testing.T) {
	db := open(t, newPostgres(t))
	tx, err := db.Begin()
	must(t, err)
	terminate(t, db, tx)
	_, err = tx.Exec("SELECT 1")
	wantEnding(t, err, codes.Unavailable)
	_ = tx.Rollback()
	_, err = db.Exec("SELECT pg_terminate_backend(pg_backend_pid(), 1000)")
	wantEnding(t, err, codes.Unavailable)
	if number(t, db, "SELECT 1") != 1 {
		t.Error("the pool has no other connection")
	}
}

// TestPostgresNoConnectionLeft: a role that may have one connection wants two.
func TestPostgresNoConnectionLeft(t *testing.T) {
	address := newPostgres(t)
	admin := open(t, address)
	must(t, exec(t, admin, "CREATE ROLE protosvc_one LOGIN PASSWORD 'geheim' CONNECTION LIMIT 1"))
	defer func() { must(t, exec(t, admin, "DROP ROLE protosvc_one")) }()
	u, err := url.Parse(address)
	must(t, err)
	u.User = url.UserPassword("protosvc_one", "geheim")
	db, err := database.Open(t.Context(), database.Options{URL: u.String()})
	must(t, err)
	defer db.Close()
	first, err := db.Conn(t.Context())
	must(t, err)
	_, err = db.Exec("SELECT 1")
	wantEnding(t, err, codes.Unavailable)
	wantEnding(t, db.Tx(t.Context(), func(*sql.Tx) error { return nil }), codes.Unavailable)
	must(t, first.Close())
	if number(t, db, "SELECT 1") != 1 {
		t.Error("no connection")
	}
}

// TestPostgresReadOnly: a server that is no longer the primary refuses to write.
// What the service itself began as read-only is another matter.
func TestPostgresReadOnly(t *testing.T) {
	address := newPostgres(t)
	admin := open(t, address)
	setDefault := func(value string) {
		must(t, exec(t, admin, `DO $$ BEGIN EXECUTE format(
			'ALTER DATABASE %I SET default_transaction_read_only = `+value+`', current_database()); END $$`))
	}
	setDefault("on")
	db := openOne(t, address)
	// The setting is read when a connection is made.
	setDefault("off")
	const write = "CREATE TABLE x (n BIGINT)"
	_, err := db.Exec(write)
	wantEnding(t, err, codes.Unavailable)
	if _, err := db.Exec(write); err != nil {
		t.Errorf("%v: the connection is still in the pool", err)
	}

	before := number(t, db, backend)
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	must(t, err)
	_, err = tx.Exec("INSERT INTO x VALUES (1)")
	wantEnding(t, err, codes.Internal)
	must(t, tx.Rollback())
	if number(t, db, backend) != before {
		t.Error("the connection has left the pool")
	}
	// That it was in such a transaction is forgotten with it.
	_, err = db.Exec("SET default_transaction_read_only = on")
	must(t, err)
	_, err = db.Exec("INSERT INTO x VALUES (1)")
	wantEnding(t, err, codes.Unavailable)
}

// TestPostgresConflict: two who change what they have read.
func TestPostgresConflict(t *testing.T) {
	db := open(t, newPostgres(t))
	must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
	must(t, exec(t, db, "INSERT INTO x VALUES (0)"))
	serializable := &sql.TxOptions{Isolation: sql.LevelSerializable}
	late, err := db.BeginTx(t.Context(), serializable)
	must(t, err)
	defer late.Rollback()
	must(t, late.QueryRow("SELECT n FROM x").Scan(new(int)))
	must(t, exec(t, db, "UPDATE x SET n = 1"))
	_, err = late.Exec("UPDATE x SET n = 2")
	wantEnding(t, err, codes.Aborted)
}

// TestDeadlineIsNoFault: drivers report an interrupted statement in words of
// their own, and lib/pq closes the connection.
func TestDeadlineIsNoFault(t *testing.T) {
	db := open(t, newPostgres(t))
	for name, sleep := range map[string]func(context.Context) error{
		"exec": func(ctx context.Context) error { _, err := db.ExecContext(ctx, "SELECT pg_sleep(5)"); return err },
		"query": func(ctx context.Context) error {
			return db.QueryRowContext(ctx, "SELECT pg_sleep(5)").Scan(new(string))
		},
		"tx": func(ctx context.Context) error {
			return db.Tx(ctx, func(tx *sql.Tx) error { _, err := tx.ExecContext(ctx, "SELECT pg_sleep(5)"); return err })
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := sleep(ctx)
		wantEnding(t, err, codes.DeadlineExceeded)
		cancel()

		ctx, cancel = context.WithCancel(t.Context())
		stop := time.AfterFunc(50*time.Millisecond, cancel)
		err = sleep(ctx)
		wantEnding(t, err, codes.Canceled)
		stop.Stop()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
