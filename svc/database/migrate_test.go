package database_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/protosvc/protosvc/svc/database"
)

// schema makes a file system of names and contents.
func schema(pairs ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		files[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return files
}

const (
	createX = "-- two statements\nCREATE TABLE x (n BIGINT);\nINSERT INTO x VALUES (1);\n"
	addOne  = "INSERT INTO x VALUES (2)"
)

func TestMigrate(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		steps := []fs.FS{
			schema("migrations/0001_x.sql", createX, "migrations/README.md", "not a step"),
			schema("migrations/0001_x.sql", createX, "migrations/0002_add.sql", addOne),
			schema("migrations/0001_x.sql", strings.ReplaceAll(createX, "\n", "\r\n"), "migrations/0002_add.sql", addOne),
		}
		for i, want := range []int{1, 2, 2} {
			must(t, db.Migrate(t.Context(), steps[i]))
			if n := number(t, db, "SELECT count(*) FROM x"); n != want {
				t.Errorf("run %d: %d rows, want %d", i+1, n, want)
			}
		}
		const recorded = `SELECT count(*) FROM schema_migrations
			WHERE version = 2 AND name = '0002_add.sql' AND length(checksum) = 64 AND applied_at > 1000000000000000`
		if n := number(t, db, recorded); n != 1 {
			t.Error("step 2 is not recorded")
		}
	})
}

// TestMigrateRefuses: whatever the fault, nothing is applied.
func TestMigrateRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		files fstest.MapFS
		want  []string
	}{
		{"names", schema("0001_x.sql", createX, "2_short.sql", "", "0003.sql", "", "0000_zero.sql", "", "x/0004_.sql", ""), []string{
			`migration "0000_zero.sql": want a name like 0001_create_orders.sql`,
			`migration "0003.sql": want a name like 0001_create_orders.sql`,
			`migration "2_short.sql": want a name like 0001_create_orders.sql`,
			`migration "x/0004_.sql": want a name like 0001_create_orders.sql`,
		}},
		{"same number", schema("a/0001_x.sql", createX, "b/0001_y.sql", ""), []string{`migrations "0001_x.sql" and "0001_y.sql" have the same number`}},
		{"changed", schema("0001_x.sql", addOne, "0003_more.sql", addOne), []string{
			`migration "0001_x.sql" has changed since it was applied; restore it and put the change into a new file`,
		}},
		{"gone", schema("0003_more.sql", addOne, "0004_more.sql", addOne), []string{`migration "0001_x.sql" is applied but its file is gone; restore it`}},
		{"too late", schema("0001_x.sql", createX, "0002_late.sql", addOne, "0003_more.sql", addOne), []string{
			`migration "0002_late.sql" comes after 0003, which is applied already; give it the next free number`,
		}},
		{"bad statement", schema("0001_x.sql", createX, "0003_more.sql", addOne, "0004_more.sql", addOne, "0005_bad.sql", "INSERT INTO y VALUES (1)"), []string{
			`migration "0005_bad.sql": `,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, url string) {
				db := open(t, url)
				must(t, db.Migrate(t.Context(), schema("0001_x.sql", createX, "0003_more.sql", addOne)))
				err := db.Migrate(t.Context(), c.files)
				if err == nil {
					t.Fatal("no error")
				}
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("err = %v\nwant %s", err, want)
					}
				}
				if n := number(t, db, "SELECT count(*) FROM x"); n != 2 {
					t.Errorf("%d rows, want the 2 from before", n)
				}
			})
		})
	}
}

// TestMigrateToleratesNewer: in a rolling update a newer replica came first.
func TestMigrateToleratesNewer(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		var log bytes.Buffer
		db, err := database.Open(t.Context(), database.Options{URL: url, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		must(t, err)
		defer db.Close()
		must(t, db.Migrate(t.Context(), schema("0001_x.sql", createX, "0002_add.sql", addOne)))
		if n := strings.Count(log.String(), `msg="migration applied" schema=service`); n != 2 {
			t.Errorf("%d migrations logged, want 2:\n%s", n, &log)
		}
		log.Reset()
		must(t, db.Migrate(t.Context(), schema("0001_x.sql", createX)))
		if !strings.Contains(log.String(), "newer release") || !strings.Contains(log.String(), "0002_add.sql") {
			t.Errorf("the log does not name the newer migration:\n%s", &log)
		}
	})
}

// TestMigrateConcurrently: replicas that start together, each with its own pool.
// No step can run twice without an error.
func TestMigrateConcurrently(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		if strings.HasSuffix(url, ":memory:") {
			t.Skip("a database in memory has one replica")
		}
		files := schema("0001_x.sql", createX, "0002_add.sql", addOne)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				db, err := database.Open(t.Context(), database.Options{URL: url})
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				if err := db.Migrate(t.Context(), files); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := number(t, open(t, url), "SELECT count(*) FROM x"); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
	})
}

// TestMigrateNamed: schemas beside the service's own have numbers of their own.
func TestMigrateNamed(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		own := fstest.MapFS{"0001_x.sql": {Data: []byte("CREATE TABLE x (n BIGINT)")}}
		runtime := fstest.MapFS{"0001_y.sql": {Data: []byte("CREATE TABLE y (n BIGINT)")}}
		for range 2 {
			must(t, db.Migrate(t.Context(), own))
			must(t, db.MigrateNamed(t.Context(), "svc_y", runtime))
		}
		if n := number(t, db, "SELECT count(*) FROM svc_y_migrations WHERE name = '0001_y.sql'"); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
		must(t, exec(t, db, "INSERT INTO y VALUES (1)"))
	})
}
