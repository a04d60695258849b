package database

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/internal/sleep"
)

const (
	defaultConnectTimeout = 5 * time.Second
	longestOpenWait       = 2 * time.Second
)

// Options say which database to open and how. Only URL is required.
type Options struct {
	// URL names the engine and the database:
	//
	//	postgres://user:password@host:5432/name?sslmode=disable  (or postgresql://)
	//	sqlite:PATH        a file, made when it is missing
	//	sqlite::memory:    lives and dies with the DB
	//
	// lib/pq insists on TLS unless the URL says sslmode=disable.
	URL string

	// MaxConnections bounds the pool; 0 means 16. A database in memory always
	// has exactly one connection, because the connection is the database: a
	// query through DB inside DB.Tx waits for ever there.
	MaxConnections int

	// ConnectTimeout bounds one attempt to connect to PostgreSQL; 0 means 5 s.
	ConnectTimeout time.Duration

	// Application is how PostgreSQL lists the connections
	// (pg_stat_activity.application_name), usually the service's name.
	Application string

	// AwaitMigrations says that another process migrates: Migrate and MigrateNamed
	// change nothing and wait until it has. The user of the URL then needs no right to
	// change the schema. Without effect on SQLite, whose file is one process's own.
	AwaitMigrations bool

	// Logger receives what the package has to say: waiting for the database,
	// migrations applied. Nil means nowhere.
	Logger *slog.Logger
}

// DB is an open database: a [sql.DB] that knows transactions with retries and
// migrations. It is safe for concurrent use. PingContext serves as readiness
// check: see Readiness in the documentation of the package.
type DB struct {
	*pool
	engine engine
	log    *slog.Logger
	awaits bool // another process migrates

	committed sync.Map // *sql.Tx to the []func() of OnCommit
}

// engine is everything in which the engines differ.
type engine struct {
	// open returns a pool that has not connected yet, and what checks the storage
	// below it, nil where the server does.
	open func(Options) (pool *sql.DB, storage func() error, err error)
	// lock is the statement that makes a transaction the only one that
	// migrates. Empty where beginning the transaction is enough.
	lock string
	// exists is the query for whether there is a table. Empty where no other process
	// migrates.
	exists string
	// writes reports whether a query may wait for the one lock that writers have
	// among them. Nil where they have more than one.
	writes func(query string) bool
}

// Open connects to the database of o.URL. While the server cannot be reached
// or is still starting it tries again until ctx is done, so that a service may
// start before its database does; any other fault (wrong password, no such
// database) is returned at once. Errors never contain the URL's password.
func Open(ctx context.Context, o Options) (*DB, error) {
	o = o.withDefaults()
	e, err := engineOf(o.URL)
	if err != nil {
		return nil, err
	}
	opened, storage, err := e.open(o)
	if err != nil {
		return nil, err
	}
	db := &DB{pool: newPool(opened, e), engine: e, log: o.Logger, awaits: o.AwaitMigrations && e.exists != ""}
	db.storage = storage
	if err := db.connect(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("database cannot be opened: %w", err), db.Close())
	}
	return db, nil
}

func (o Options) withDefaults() Options {
	o.MaxConnections = cmp.Or(o.MaxConnections, defaults.DatabaseConnections)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, defaultConnectTimeout)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// engineOf finds the engine by the URL's scheme.
func engineOf(url string) (engine, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "postgres", "postgresql":
		return postgres, nil
	case "sqlite":
		return sqlite, nil
	}
	if url == "" {
		return engine{}, errors.New("database URL is empty (want postgres://… or sqlite:PATH)")
	}
	// The rest of an unknown URL may hold a password, and so may all of what is none.
	if !strings.HasPrefix(rest, "//") || strings.ContainsAny(scheme, " =@") {
		return engine{}, errors.New("database URL has no scheme (want postgres://… or sqlite:PATH)")
	}
	return engine{}, fmt.Errorf("database URL has the unknown scheme %q (want postgres://… or sqlite:PATH)", scheme)
}

// connect pings until the database answers, gives a lasting fault, or ctx ends.
func (db *DB) connect(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		err := db.DB.PingContext(ctx)
		if err == nil || !retryable(err) {
			return err
		}
		db.log.WarnContext(ctx, "database does not answer, trying again", "attempt", attempt, "error", err)
		if !sleep.For(ctx, min(backoff(attempt), longestOpenWait)) {
			return err
		}
	}
}

// backoff is the wait after the given attempt: 10 ms, doubled each time,
// with up to half of it taken off so that replicas do not move in step.
func backoff(attempt int) time.Duration {
	full := 10 * time.Millisecond << min(attempt-1, 12)
	return full - rand.N(full/2)
}
