package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/database"
	"github.com/protosvc/protosvc/svc/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// onEach runs a test on every engine there is, with an empty database.
func onEach(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("memory", func(t *testing.T) { test(t, "sqlite::memory:") })
	t.Run("file", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, newPostgres(t)) })
}

var databases atomic.Int64

func newPostgres(t *testing.T) string {
	t.Helper()
	address := os.Getenv("PROTOSVC_TEST_POSTGRES_URL")
	if address == "" {
		t.Skip("PROTOSVC_TEST_POSTGRES_URL is not set")
	}
	admin := open(t, address)
	name := fmt.Sprintf("outbox_%d_%d", os.Getpid(), databases.Add(1))
	must(t, exec(admin, "CREATE DATABASE "+name))
	t.Cleanup(func() { must(t, exec(admin, "DROP DATABASE "+name+" WITH (FORCE)")) })
	u, err := url.Parse(address)
	must(t, err)
	u.Path = "/" + name
	return u.String()
}

func exec(db *database.DB, statement string, args ...any) error {
	_, err := db.Exec(statement, args...)
	return err
}

func open(t *testing.T, url string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), database.Options{URL: url})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type text = wrapperspb.StringValue

// callee is a service that can be told to fail.
type callee struct {
	mu    sync.Mutex
	fault func(request string) error
	calls []string
	ctx   context.Context // of the last call
}

func (c *callee) set(fault func(string) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = fault
}

func (c *callee) called() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

func (c *callee) call(ctx context.Context, req *text, _ ...grpc.CallOption) (*text, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls, c.ctx = append(c.calls, req.GetValue()), ctx
	if c.fault != nil {
		if err := c.fault(req.GetValue()); err != nil {
			return nil, err
		}
	}
	return wrapperspb.String("answer to " + req.GetValue()), nil
}

// fixture is one replica; outcomes are written to the table outcome.
type fixture struct {
	*Deferred[text, text]
	db       *database.DB
	registry *metrics.Registry
	t        *testing.T
}

func newFixture(t *testing.T, db *database.DB, c *callee) fixture {
	t.Helper()
	registry := metrics.New(metrics.BuildInfo{})
	o, err := New(t.Context(), Options{DB: db, Metrics: registry, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	must(t, exec(db, "CREATE TABLE IF NOT EXISTS outcome (message_key TEXT, request TEXT, result TEXT)"))
	d := Bind(o, "/test.v1.Test/Do", c.call)
	d.OnOutcome(func(ctx context.Context, tx *sql.Tx, out Outcome[text, text]) error {
		result := out.Response.GetValue()
		if out.Err != nil {
			result = out.Err.Error()
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO outcome VALUES ($1, $2, $3)", out.Key, out.Request.GetValue(), result)
		return err
	})
	return fixture{d, db, registry, t}
}

// run runs the relay until the test ends or stop is called.
func (f fixture) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.outbox.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		must(f.t, <-ended)
	})
	f.t.Cleanup(stop)
	return stop
}

func (f fixture) enqueue(key, req string) {
	f.t.Helper()
	must(f.t, f.db.Tx(f.t.Context(), func(tx *sql.Tx) error {
		return f.Enqueue(f.t.Context(), tx, key, wrapperspb.String(req))
	}))
}

func (f fixture) hold(key, req string) {
	f.t.Helper()
	must(f.t, f.db.Tx(f.t.Context(), func(tx *sql.Tx) error {
		return f.EnqueueHeld(f.t.Context(), tx, key, wrapperspb.String(req))
	}))
}

// outcomes returns the results by request; one twice fails the test.
func (f fixture) outcomes() map[string]string {
	f.t.Helper()
	rows, err := f.db.Query("SELECT request, result FROM outcome")
	must(f.t, err)
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var request, result string
		must(f.t, rows.Scan(&request, &result))
		if _, twice := all[request]; twice {
			f.t.Errorf("request %q has two outcomes", request)
		}
		all[request] = result
	}
	must(f.t, rows.Err())
	return all
}

func (f fixture) left() (n int) {
	f.t.Helper()
	must(f.t, f.db.QueryRow("SELECT count(*) FROM svc_outbox").Scan(&n))
	return n
}

func (f fixture) eventually(what string, ok func() bool) {
	f.t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("%s: not within 15 s; %d messages left", what, f.left())
		}
	}
}
