package idempotency

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/database"
	"github.com/protosvc/protosvc/svc/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Requests have a string for the key and other fields; a message of google.rpc does.
type (
	request  = errdetails.ErrorInfo
	response = wrapperspb.StringValue
)

func of(key, what string) *request { return &request{Reason: key, Domain: what} }

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
	name := fmt.Sprintf("idempotency_%d_%d", os.Getpid(), databases.Add(1))
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

// fixture is a bound method of one replica.
type fixture struct {
	*Method[request, response]
	t        *testing.T
	registry *metrics.Registry
}

func newFixture(t *testing.T, db *database.DB) fixture {
	t.Helper()
	registry := metrics.New(metrics.BuildInfo{})
	s, err := New(t.Context(), Options{DB: db, Retention: time.Hour, Metrics: registry, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	return fixture{Bind[request, response](s, "/test.v1.Test/Do", "reason", "x-tenant-id", (*request).GetReason), t, registry}
}

// call makes a call whose handler answers with the text, and counts its runs.
func (f fixture) call(req *request, runs *int, text string, err error) (string, error) {
	resp, err := f.Do(f.t.Context(), req, func(context.Context, *request) (*response, error) {
		*runs++
		if err != nil {
			return nil, err
		}
		return wrapperspb.String(text), nil
	})
	return resp.GetValue(), err
}

// counted returns the series that are not zero: "executed=1 replayed=2".
func (f fixture) counted() string {
	families, err := f.registry.Gather()
	must(f.t, err)
	var out []string
	for _, family := range families {
		if family.GetName() != "svc_idempotency_calls_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			if n := m.GetCounter().GetValue(); n > 0 {
				out = append(out, fmt.Sprintf("%s=%v", m.GetLabel()[2].GetValue(), n))
			}
		}
	}
	return strings.Join(out, " ")
}
