//go:build nosqlite

package database_test

import (
	"testing"

	"github.com/protosvc/protosvc/svc/database"
)

var embedded []struct {
	name string
	url  func(t *testing.T) string
}

func TestWithoutSQLite(t *testing.T) {
	const want = "database URL asks for sqlite, but this binary was built without it (build tag nosqlite); use postgres://…"
	_, err := database.Open(t.Context(), database.Options{URL: "sqlite:order.db"})
	if err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
}
