package database_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/database"
)

func TestPostgresNamesTheApplication(t *testing.T) {
	db := open(t, newPostgres(t))
	var name string
	must(t, db.QueryRow("SHOW application_name").Scan(&name))
	if name != "test" {
		t.Errorf("application_name = %q", name)
	}
}

// TestPostgresLastingFault: what waiting cannot mend is reported at once.
func TestPostgresLastingFault(t *testing.T) {
	for name, spoil := range map[string]func(*url.URL){
		"no such database": func(u *url.URL) { u.Path = "/nowhere" },
		"no such role":     func(u *url.URL) { u.User = url.UserPassword("nobody", "geheim") },
	} {
		u, err := url.Parse(newPostgres(t))
		must(t, err)
		spoil(u)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err = database.Open(ctx, database.Options{URL: u.String()})
		if err == nil || ctx.Err() != nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: err = %v, context: %v", name, err, ctx.Err())
		}
		t.Log(err)
		cancel()
	}
}

// TestPostgresDeadlock: the victim runs again.
func TestPostgresDeadlock(t *testing.T) {
	db := open(t, newPostgres(t))
	must(t, exec(t, db, "CREATE TABLE x (id BIGINT, n BIGINT)"))
	must(t, exec(t, db, "INSERT INTO x VALUES (1, 0), (2, 0)"))
	both := rendezvous(2)
	runs := make(chan int, 2)
	var all sync.WaitGroup
	for _, order := range [][]int{{1, 2}, {2, 1}} {
		all.Go(func() {
			n := 0
			err := db.Tx(t.Context(), func(tx *sql.Tx) error {
				n++
				for i, id := range order {
					if i == 1 && n == 1 {
						both()
					}
					if _, err := tx.Exec("UPDATE x SET n = n + 1 WHERE id = $1", id); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			runs <- n
		})
	}
	all.Wait()
	// The victim may be back before the other has its lock, and meet it again.
	if total := <-runs + <-runs; total < 3 {
		t.Errorf("%d runs in all, want 3", total)
	}
	if sum := number(t, db, "SELECT sum(n) FROM x"); sum != 4 {
		t.Errorf("sum = %d, want 4", sum)
	}
}

// rendezvous returns a function that returns when it has been called n times.
func rendezvous(n int) func() {
	var all sync.WaitGroup
	all.Add(n)
	return func() { all.Done(); all.Wait() }
}

// TestPostgresLosesTheConnection: before COMMIT the transaction runs again, at
// COMMIT its outcome is unknown.
func TestPostgresLosesTheConnection(t *testing.T) {
	db := open(t, newPostgres(t))
	must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
	insert := func(tx *sql.Tx) (err error) {
		_, err = tx.Exec("INSERT INTO x VALUES (1)")
		return err
	}
	runs := 0
	must(t, db.Tx(t.Context(), func(tx *sql.Tx) error {
		runs++
		if runs == 1 {
			terminate(t, db, tx)
		}
		return insert(tx)
	}))
	if n := number(t, db, "SELECT count(*) FROM x"); runs != 2 || n != 1 {
		t.Errorf("%d runs, %d rows, want 2 and 1", runs, n)
	}

	runs = 0
	err := db.Tx(t.Context(), func(tx *sql.Tx) error {
		runs++
		if err := insert(tx); err != nil {
			return err
		}
		terminate(t, db, tx)
		return nil
	})
	if !errors.Is(err, database.ErrCommitUnknown) || runs != 1 || database.IsRetryable(err) {
		t.Errorf("err = %v after %d runs, want ErrCommitUnknown after 1", err, runs)
	}
}

// terminate cuts the connection of tx as an administrator does.
func terminate(t *testing.T, db *database.DB, tx *sql.Tx) {
	t.Helper()
	var pid int
	must(t, tx.QueryRow("SELECT pg_backend_pid()").Scan(&pid))
	// With a timeout the function waits for the process to be gone.
	if _, err := db.Exec("SELECT pg_terminate_backend($1, 5000)", pid); err != nil {
		t.Error(err)
	}
}

// TestPostgresSwallowedError: a statement's error that the function does not
// return must not look like a commit.
func TestPostgresSwallowedError(t *testing.T) {
	db := open(t, newPostgres(t))
	err := db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, _ = tx.Exec("SELECT no_such_column")
		return nil
	})
	if err == nil || errors.Is(err, database.ErrCommitUnknown) || database.IsRetryable(err) {
		t.Errorf("err = %v, want a plain one", err)
	}
}

// TestPostgresStartsLater: the address answers only after a while.
func TestPostgresStartsLater(t *testing.T) {
	u, err := url.Parse(newPostgres(t))
	must(t, err)
	reserved, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	target, address := u.Host, reserved.Addr().String()
	must(t, reserved.Close())
	u.Host = address

	refused := make(chan struct{})
	log := &onWrite{f: sync.OnceFunc(func() { close(refused) })}
	opened := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() {
		db, err := database.Open(ctx, database.Options{URL: u.String(), Logger: log.logger()})
		if err == nil {
			err = db.Close()
		}
		opened <- err
	}()
	<-refused
	stop := forward(t, address, target)
	must(t, <-opened)
	stop()
}

// forward is a TCP proxy.
func forward(t *testing.T, from, to string) (stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", from)
	must(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			all.Go(func() { defer far.Close(); io.Copy(far, near) })
			all.Go(func() { defer near.Close(); io.Copy(near, far) })
		}
	})
	return func() { listener.Close(); all.Wait() }
}
