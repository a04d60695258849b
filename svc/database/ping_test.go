package database_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/database"
)

// wantPing wants a readiness that says so, or none with nothing to say.
func wantPing(t *testing.T, db *database.DB, says ...string) {
	t.Helper()
	err := db.PingContext(t.Context())
	if len(says) == 0 {
		must(t, err)
		return
	}
	for _, want := range says {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Ping = %v, want %s", err, want)
		}
	}
}

// TestPingMissesSchema: whoever took it, and whichever of them it was.
func TestPingMissesSchema(t *testing.T) {
	for _, c := range []struct{ name, statement, says string }{
		{"no table", "DROP TABLE svc_y_migrations", "schema: table svc_y_migrations cannot be read: "},
		{"no rows", "DELETE FROM schema_migrations", `schema was dropped or another database restored: table schema_migrations does not record "0002_add.sql"`},
		{"older", "DELETE FROM schema_migrations WHERE version = 2", `does not record "0002_add.sql"`},
		{"of another service", "UPDATE schema_migrations SET checksum = 'other'", `does not record "0002_add.sql"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, url string) {
				db := open(t, url)
				wantPing(t, db)
				must(t, db.Migrate(t.Context(), schema("0001_x.sql", createX, "0002_add.sql", addOne)))
				must(t, db.MigrateNamed(t.Context(), "svc_y", schema("0001_y.sql", "CREATE TABLE y (n BIGINT)")))
				must(t, db.MigrateNamed(t.Context(), "svc_none", schema()))
				wantPing(t, db)
				must(t, exec(t, db, c.statement))
				wantPing(t, db, c.says)
				must(t, exec(t, db, "CREATE TABLE still_writable (n BIGINT)"))
			})
		})
	}
}

// TestPingToleratesNewer: in a rolling update a newer replica migrates while older
// ones serve, and may be rolled back to a replica that starts after it.
func TestPingToleratesNewer(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		if strings.HasSuffix(url, ":memory:") {
			t.Skip("a database in memory has one replica")
		}
		old, newer, back := open(t, url), open(t, url), open(t, url)
		must(t, old.Migrate(t.Context(), schema("0001_x.sql", createX)))
		must(t, newer.Migrate(t.Context(), schema("0001_x.sql", createX, "0002_add.sql", addOne)))
		must(t, back.Migrate(t.Context(), schema("0001_x.sql", createX)))
		for _, db := range []*database.DB{old, newer, back} {
			wantPing(t, db)
		}
		// A backup from before the update is enough for the older ones.
		must(t, exec(t, old, "DELETE FROM schema_migrations WHERE version = 2"))
		wantPing(t, old)
		wantPing(t, back)
		wantPing(t, newer, `does not record "0002_add.sql"`)
	})
}

// TestPingPostgresDropped: what an administrator may do to a database in use.
func TestPingPostgresDropped(t *testing.T) {
	for _, c := range []struct {
		name string
		drop func(t *testing.T, address, name string)
	}{
		{"schema", func(t *testing.T, address, _ string) { administer(t, address, "DROP SCHEMA public CASCADE") }},
		{"database made anew", func(t *testing.T, _, name string) {
			server := os.Getenv(postgresVariable)
			administer(t, server, "DROP DATABASE "+name+" WITH (FORCE)")
			administer(t, server, "CREATE DATABASE "+name)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := newPostgres(t)
			u, err := url.Parse(address)
			must(t, err)
			db := open(t, address)
			must(t, db.Migrate(t.Context(), schema("0001_x.sql", createX)))
			wantPing(t, db)
			c.drop(t, address, strings.TrimPrefix(u.Path, "/"))
			wantPing(t, db, "schema: table schema_migrations cannot be read: ", `relation "schema_migrations" does not exist`)
		})
	}
}

// TestPingPostgresCameBack: dead connections in the pool are not a dead database.
func TestPingPostgresCameBack(t *testing.T) {
	address := newPostgres(t)
	db := open(t, address)
	idle := make([]*sql.Conn, 8)
	for i := range idle {
		var err error
		idle[i], err = db.Conn(t.Context())
		must(t, err)
	}
	for _, c := range idle {
		must(t, c.Close())
	}
	administer(t, address, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'test' AND datname = current_database()")
	wantPing(t, db)
}

// TestPingPostgresInTime: a table that is locked is not one that is gone.
func TestPingPostgresInTime(t *testing.T) {
	db := open(t, newPostgres(t))
	must(t, db.Migrate(t.Context(), schema("0001_x.sql", createX)))
	must(t, db.Tx(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.Exec("LOCK TABLE schema_migrations"); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := db.PingContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ping = %v, want %v", err, context.DeadlineExceeded)
		}
		return nil
	}))
	wantPing(t, db)
}
