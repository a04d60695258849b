package svc

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/svc/database"
)

// With --migrate the process applies the migrations, opens no port and ends.
func TestMigrateOnly(t *testing.T) {
	taken := start(t, greeter(t, hello), Options{})
	s := greeter(t, hello)
	s.StoresResponses, s.AwaitMigrations = true, true
	s.Settings.Listen.GRPC, s.Settings.Listen.Admin = taken.GRPC, taken.Admin
	s.Settings.Database.IdempotencyRetention = 1
	s.Settings.Database.URL = "sqlite:" + filepath.Join(t.TempDir(), "greeter.db")
	for _, says := range []string{"migration applied", "the schema is up to date"} {
		var log bytes.Buffer
		if code := run(s, Options{}, []string{"--config=", "--migrate"}, io.Discard, &log); code != exitOK || !strings.Contains(log.String(), says) {
			t.Fatalf("exit code %d, without %q\n%s", code, says, log.String())
		}
	}
	db, err := database.Open(t.Context(), database.Options{URL: s.Settings.Database.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"greeting", "schema_migrations", "svc_idempotency_migrations"} {
		if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(new(int)); err != nil {
			t.Errorf("%s: %v", table, err)
		}
	}
}

func TestMigrateWithoutDatabase(t *testing.T) {
	s := greeter(t, hello)
	s.Settings.Database, s.Migrations = nil, nil
	var out bytes.Buffer
	if code := run(s, Options{}, []string{"--config=", "--migrate"}, io.Discard, &out); code != exitFault || out.String() != "greeter: --migrate: the service has no database\n" {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}
