package system_test

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/svc/database"
)

// postgresVariable names the environment variable with the URL of a PostgreSQL
// server, as a user who may create databases. Unset: the tests run on SQLite.
const postgresVariable = "PROTOSVC_TEST_POSTGRES_URL"

// databases returns the URL of an empty database for each service. They are
// removed when the test ends.
func databases(t *testing.T) map[string]string {
	t.Helper()
	urls := map[string]string{}
	for _, service := range []string{"user", "order", "payment"} {
		if server := os.Getenv(postgresVariable); server != "" {
			urls[service] = postgresDatabase(t, server, service)
		} else {
			urls[service] = "sqlite:" + filepath.Join(t.TempDir(), service+".db")
		}
	}
	return urls
}

func postgresDatabase(t *testing.T, server, service string) string {
	t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not a URL", postgresVariable)
	}
	name := fmt.Sprintf("protosvc_system_%s_%s", service, strings.ToLower(rand.Text()))
	execute(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	at.Path = "/" + name
	if _, set := at.User.Password(); !set { // a server that trusts everybody takes any
		at.User = url.UserPassword(at.User.Username(), "secret")
	}
	return at.String()
}

func execute(t *testing.T, url, statement string) {
	t.Helper()
	db := open(t, url)
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// rows returns what a query without parameters finds, two columns: text and
// count.
func rows(t *testing.T, url, query string) map[string]int {
	t.Helper()
	db := open(t, url)
	defer db.Close()
	found, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	out := map[string]int{}
	for found.Next() {
		var key string
		var count int
		if err := found.Scan(&key, &count); err != nil {
			t.Fatal(err)
		}
		out[key] = count
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func open(t *testing.T, url string) *database.DB {
	t.Helper()
	db, err := database.Open(limited(t), database.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return db
}
