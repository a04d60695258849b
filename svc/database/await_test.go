package database_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/database"
)

// openReader opens a database as a user who may read it and change nothing, and leaves
// the migrations to others.
func openReader(t *testing.T, owner *database.DB, address string) *database.DB {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	name := "reader_of_" + strings.TrimPrefix(u.Path, "/")
	for _, statement := range []string{
		"CREATE ROLE %s LOGIN PASSWORD 'reader'",
		"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO %s",
	} {
		must(t, exec(t, owner, fmt.Sprintf(statement, name)))
	}
	t.Cleanup(func() {
		for _, statement := range []string{"DROP OWNED BY %s", "DROP ROLE %s"} {
			if _, err := owner.Exec(fmt.Sprintf(statement, name)); err != nil {
				t.Error(err)
			}
		}
	})
	u.User = url.UserPassword(name, "reader")
	db, err := database.Open(t.Context(), database.Options{URL: u.String(), AwaitMigrations: true})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// Whoever waits for the migrations needs no right to apply them, and goes on with the
// last.
func TestAwaitMigrations(t *testing.T) {
	address := newPostgres(t)
	owner := open(t, address)
	reader := openReader(t, owner, address)
	first := schema("0001_x.sql", createX)
	both := schema("0001_x.sql", createX, "0002_add.sql", addOne)

	waited := make(chan error, 1)
	go func() { waited <- reader.Migrate(t.Context(), both) }()
	for _, step := range []struct {
		name  string
		apply func() error
	}{
		{"nothing is applied", func() error { return nil }},
		{"one of two is applied", func() error { return owner.Migrate(t.Context(), first) }},
	} {
		must(t, step.apply())
		select {
		case err := <-waited:
			t.Fatalf("%s, and the waiting ends with %v", step.name, err)
		case <-time.After(1500 * time.Millisecond):
		}
	}
	must(t, owner.Migrate(t.Context(), both))
	select {
	case err := <-waited:
		must(t, err)
	case <-time.After(5 * time.Second):
		t.Fatal("all is applied, and the waiting goes on")
	}
	wantPing(t, reader)
	must(t, exec(t, owner, "DELETE FROM schema_migrations WHERE version = 2"))
	wantPing(t, reader, "0002_add.sql")
}

// What waiting does not cure is an error, and so is the end of the time.
func TestAwaitMigrationsEnds(t *testing.T) {
	address := newPostgres(t)
	owner := open(t, address)
	reader := openReader(t, owner, address)
	must(t, owner.Migrate(t.Context(), schema("0001_x.sql", createX)))

	err := reader.Migrate(t.Context(), schema("0001_x.sql", "SELECT 1"))
	if err == nil || !strings.Contains(err.Error(), `migration "0001_x.sql" has changed since it was applied`) {
		t.Errorf("a changed file: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err = reader.MigrateNamed(ctx, "other", schema("0001_a.sql", "", "0002_b.sql", ""))
	if want := "migrations: not applied yet: 0001_a.sql, 0002_b.sql\ncontext deadline exceeded"; err == nil || err.Error() != want {
		t.Errorf("got %q, want %q", fmt.Sprint(err), want)
	}
}
