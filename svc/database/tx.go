package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/protosvc/protosvc/svc/internal/sleep"
)

// attempts is how often Tx runs a transaction in all.
const attempts = 5

// isolation is the same on every server, whatever its default: what is safe under
// it is told in the package's documentation. SQLite has only one, SERIALIZABLE.
var isolation = &sql.TxOptions{Isolation: sql.LevelReadCommitted}

// Tx runs f in one transaction: committed when f returns nil, rolled back when
// it returns an error or panics. The whole is run again, up to five times within
// about 150 ms, while the outcome is a conflict (serialization failure, deadlock),
// a lock that others have, or a connection that was lost before COMMIT or cannot
// be had. So f must have no effect but through its tx, and must assign its
// results rather than add to them.
//
// f has to return the errors of its statements: after a failed statement
// PostgreSQL refuses the rest of the transaction, while SQLite carries on.
//
// The isolation is READ COMMITTED on PostgreSQL, whatever the default of the server,
// so that what f has read may have changed when it writes: see Transactions in the
// documentation of the package. SQLite runs one transaction after the other.
//
// An error that wraps [ErrCommitUnknown] means that the connection was lost
// during COMMIT. Only an idempotent caller may try again then.
func (db *DB) Tx(ctx context.Context, f func(tx *sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := db.once(ctx, f)
		if err == nil || attempt == attempts || !retryable(err) || !sleep.For(ctx, backoff(attempt)) {
			return err
		}
	}
}

// once is a single attempt. What waits for the commit may write again.
func (db *DB) once(ctx context.Context, f func(tx *sql.Tx) error) error {
	hooks, err := db.commit(ctx, f)
	for _, hook := range hooks {
		hook()
	}
	return err
}

// commit returns the functions of OnCommit once the transaction is committed.
func (db *DB) commit(ctx context.Context, f func(tx *sql.Tx) error) (hooks []func(), err error) {
	ctx, end := db.turn(ctx)
	defer end()
	tx, err := db.DB.BeginTx(ctx, isolation)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	// After Commit this does nothing; it is for errors and for panics.
	defer tx.Rollback() //nolint:errcheck // the error that led here matters more
	defer db.committed.Delete(tx)
	if err := f(tx); err != nil {
		return nil, interrupted(ctx, err)
	}
	if err := commitError(tx.Commit()); err != nil {
		return nil, interrupted(ctx, err)
	}
	return db.hooks(tx), nil
}

// interrupted explains sql.ErrTxDone: database/sql rolls back when ctx ends, and
// has forgotten why when it is asked for another statement or for COMMIT.
func interrupted(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// OnCommit has f called once the transaction is committed, before [DB.Tx]
// returns; never, when it is not. The transaction must be one that Tx began and
// has not ended. Those who add functions to one transaction do so one after the
// other.
func (db *DB) OnCommit(tx *sql.Tx, f func()) {
	db.committed.Store(tx, append(db.hooks(tx), f))
}

func (db *DB) hooks(tx *sql.Tx) []func() {
	hooks, _ := db.committed.Load(tx)
	functions, _ := hooks.([]func())
	return functions
}
