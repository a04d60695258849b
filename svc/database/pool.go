package database

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// longestWait is how long a writer without a deadline waits for the lock of
// SQLite, and before that for its turn to ask for it.
const longestWait = 5 * time.Second

// pool is a [sql.DB] whose writers wait for their turn before they take a
// connection, so that those who read find one.
type pool struct {
	*sql.DB
	// turns holds one value while somebody writes.
	turns chan struct{}
	// writes is that of the engine.
	writes func(query string) bool
	// storage is that of the engine, nil for none.
	storage func() error
	// migrated has versions, each to its last migration.
	migrated sync.Map
}

func newPool(db *sql.DB, e engine) *pool {
	return &pool{DB: db, turns: make(chan struct{}, 1), writes: e.writes}
}

// turn waits until nobody else writes. Without a turn the context that it returns
// has ended, so that the call made with it fails before it takes a connection.
func (p *pool) turn(ctx context.Context) (turn context.Context, end func()) {
	if p.writes == nil {
		return ctx, func() {}
	}
	bounded, cancel := withLongestWait(ctx)
	select {
	case p.turns <- struct{}{}:
		cancel()
		return ctx, func() { <-p.turns }
	case <-bounded.Done():
		return bounded, cancel
	}
}

// withLongestWait gives a deadline to a context that has none.
func withLongestWait(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, longestWait)
}

// turnFor waits for a turn if the query needs one. INSERT … RETURNING does.
func (p *pool) turnFor(ctx context.Context, query string) (turn context.Context, end func()) {
	if p.writes == nil || !p.writes(query) {
		return ctx, func() {}
	}
	return p.turn(ctx)
}

func (p *pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, end := p.turnFor(ctx, query)
	defer end()
	return p.DB.ExecContext(ctx, query, args...)
}

// QueryContext gives the turn back before the rows are read: the next writer then
// waits for the lock with a connection, and is the only one that does.
func (p *pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx, end := p.turnFor(ctx, query)
	defer end()
	return p.DB.QueryContext(ctx, query, args...)
}

func (p *pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx, end := p.turnFor(ctx, query)
	defer end()
	return p.DB.QueryRowContext(ctx, query, args...)
}

// BeginTx gives the turn back with the transaction begun; [DB.Tx] keeps it.
func (p *pool) BeginTx(ctx context.Context, o *sql.TxOptions) (*sql.Tx, error) {
	if o == nil || !o.ReadOnly {
		turn, end := p.turn(ctx)
		defer end()
		ctx = turn
	}
	return p.DB.BeginTx(ctx, o)
}

func (p *pool) Exec(query string, args ...any) (sql.Result, error) {
	return p.ExecContext(context.Background(), query, args...)
}

func (p *pool) Query(query string, args ...any) (*sql.Rows, error) {
	return p.QueryContext(context.Background(), query, args...)
}

func (p *pool) QueryRow(query string, args ...any) *sql.Row {
	return p.QueryRowContext(context.Background(), query, args...)
}

func (p *pool) Begin() (*sql.Tx, error) { return p.BeginTx(context.Background(), nil) }
