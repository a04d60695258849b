package servicetest

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/lib/pq" // the driver, to make and drop databases
)

// postgresVariable names the environment variable with the URL of a PostgreSQL
// server, as a user who may create databases. Unset: those tests are skipped.
const postgresVariable = "PROTOSVC_TEST_POSTGRES_URL"

// OnEachEngine runs the test once for each engine, with the URL of an empty
// database: SQLite in a file, and PostgreSQL where there is one. It runs in
// parallel with other tests, since tests of services wait more than they work.
func OnEachEngine(t *testing.T, test func(t *testing.T, url string)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		server := os.Getenv(postgresVariable)
		if server == "" {
			t.Skip(postgresVariable + " is not set")
		}
		test(t, postgresDatabase(t, server))
	})
}

// Another returns the URL of one more empty database of the same engine.
func Another(t *testing.T, url string) string {
	t.Helper()
	if strings.HasPrefix(url, "sqlite:") {
		return "sqlite:" + filepath.Join(t.TempDir(), "another.db")
	}
	return postgresDatabase(t, os.Getenv(postgresVariable))
}

// postgresDatabase creates a database and drops it when the test ends.
func postgresDatabase(t *testing.T, server string) string {
	t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not a URL", postgresVariable)
	}
	name := "protosvc_test_" + strings.ToLower(rand.Text())
	execute(t, server, fmt.Sprintf("CREATE DATABASE %s", name))
	t.Cleanup(func() { execute(t, server, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)) })
	at.Path = "/" + name
	return at.String()
}

func execute(t *testing.T, server, statement string) {
	t.Helper()
	db, err := sql.Open("postgres", server)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}
