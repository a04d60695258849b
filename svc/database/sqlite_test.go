//go:build !nosqlite

package database_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/database"
)

// embedded are the engines that need no server.
var embedded = []struct {
	name string
	url  func(t *testing.T) string
}{
	{"file", func(t *testing.T) string {
		return "sqlite:" + filepath.Join(t.TempDir(), "odd name?#%41.db")
	}},
	{"memory", func(*testing.T) string { return "sqlite::memory:" }},
}

func TestSQLitePath(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "x.db")
	for _, c := range []struct{ url, want string }{
		{"sqlite:", "database URL names no file (want sqlite:PATH or sqlite::memory:)"},
		{"sqlite://x.db", "database URL names no file (want sqlite:PATH or sqlite::memory:)"},
		{"sqlite:" + missing, "unable to open database file"},
	} {
		_, err := database.Open(t.Context(), database.Options{URL: c.url})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%q) = %v, want %s", c.url, err, c.want)
		}
	}
}

func TestSQLiteFileOutlivesTheDB(t *testing.T) {
	t.Chdir(t.TempDir())
	first := open(t, "sqlite:order.db")
	must(t, exec(t, first, "CREATE TABLE x (n BIGINT)"))
	must(t, first.Close())
	if n := number(t, open(t, "sqlite:order.db"), "SELECT count(*) FROM x"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestSQLiteSettings(t *testing.T) {
	db := open(t, embedded[0].url(t))
	for pragma, want := range map[string]string{"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "0"} {
		var got string
		must(t, db.QueryRow("PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("%s = %s, want %s", pragma, got, want)
		}
	}
}

// TestSQLiteFull: a file that may not grow is a disk that is full.
func TestSQLiteFull(t *testing.T) {
	for _, e := range embedded {
		t.Run(e.name, func(t *testing.T) {
			db := openOne(t, e.url(t))
			must(t, exec(t, db, "CREATE TABLE x (b BYTEA)"))
			// Of the connection, and below the size that it has: no page is added.
			must(t, db.QueryRow("PRAGMA max_page_count = 1").Scan(new(int)))
			runs := 0
			err := db.Tx(t.Context(), func(tx *sql.Tx) error {
				runs++
				_, err := tx.Exec("INSERT INTO x VALUES ($1)", make([]byte, 1<<20))
				return err
			})
			wantEnding(t, err, codes.ResourceExhausted)
			if runs != 1 {
				t.Errorf("%d runs, want 1", runs)
			}
			var n int
			wantEnding(t, db.QueryRow("INSERT INTO x VALUES ($1) RETURNING length(b)", make([]byte, 1<<20)).Scan(&n), codes.ResourceExhausted)
			must(t, db.QueryRow("PRAGMA max_page_count = 10000").Scan(new(int)))
			must(t, exec(t, db, "INSERT INTO x VALUES ($1)", make([]byte, 1<<20)))
		})
	}
}

// TestSQLiteUnusable: a file that cannot be written or opened is not a fault of the
// caller. Its connection leaves the pool, so that the next one finds it well again.
func TestSQLiteUnusable(t *testing.T) {
	folder := t.TempDir()
	db := openOne(t, "sqlite:"+filepath.Join(folder, "x.db"))
	must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
	const write = "INSERT INTO x VALUES (1)"

	_, err := db.Exec("PRAGMA query_only = 1")
	must(t, err)
	wantEnding(t, exec(t, db, write), codes.Unavailable) // SQLITE_READONLY
	must(t, exec(t, db, write))

	db.SetMaxIdleConns(0) // the next one must be opened
	must(t, os.Rename(folder, folder+"~"))
	runs := 0
	err = db.Tx(t.Context(), func(*sql.Tx) error { runs++; return nil })
	wantEnding(t, err, codes.Unavailable) // SQLITE_CANTOPEN
	if database.IsRetryable(err) {
		t.Errorf("IsRetryable(%v)", err)
	}
	must(t, os.Rename(folder+"~", folder))
	must(t, exec(t, db, write))
}

// A file of SQLite has nobody else who would migrate it.
func TestAwaitMigrationsOnSQLite(t *testing.T) {
	db, err := database.Open(t.Context(), database.Options{URL: "sqlite::memory:", AwaitMigrations: true})
	must(t, err)
	defer db.Close()
	must(t, db.Migrate(t.Context(), schema("0001_x.sql", createX)))
	if n := number(t, db, "SELECT count(*) FROM x"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}
