package svctest

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq" // the driver, to make and drop databases
)

const databaseVariable = "SVCTEST_DATABASE"

// postgresVariables name the server, the first that is set.
var postgresVariables = []string{"SVCTEST_POSTGRES_URL", "PROTOSVC_TEST_POSTGRES_URL"}

// postgresTimeout is for making or dropping a database.
const postgresTimeout = 30 * time.Second

// newDatabase returns the URL of an empty database for the service of this name.
func newDatabase(t testing.TB, name string) string {
	t.Helper()
	switch engine := cmp.Or(os.Getenv(databaseVariable), "sqlite"); engine {
	case "sqlite":
		return "sqlite:" + filepath.Join(t.TempDir(), name+".db")
	case "postgres":
		return newPostgres(t)
	default:
		t.Fatalf("svctest: %s is %q, want sqlite or postgres", databaseVariable, engine)
		return ""
	}
}

// newPostgres creates a database and drops it when the test ends.
func newPostgres(t testing.TB) string {
	t.Helper()
	variable, server := postgresServer(t)
	at, err := url.Parse(server)
	if err != nil || at.Scheme == "" { // the error would show the password
		t.Fatalf("svctest: %s is not a URL", variable)
	}
	name := "svctest_" + strings.ToLower(rand.Text())
	if err := execute(server, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("svctest: no database on the PostgreSQL server of %s: %v", variable, err)
	}
	t.Cleanup(func() {
		if err := execute(server, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)); err != nil {
			t.Errorf("svctest: database %s is left on the PostgreSQL server of %s: %v", name, variable, err)
		}
	})
	at.Path = "/" + name
	return at.String()
}

func postgresServer(t testing.TB) (variable, url string) {
	t.Helper()
	for _, variable := range postgresVariables {
		if url := os.Getenv(variable); url != "" {
			return variable, url
		}
	}
	t.Fatalf("svctest: %s is postgres, but neither %s is set", databaseVariable, strings.Join(postgresVariables, " nor "))
	return "", ""
}

func execute(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), postgresTimeout)
	defer cancel()
	db, err := sql.Open("postgres", server)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}
