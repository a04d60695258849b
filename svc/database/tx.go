package database

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/protosvc/protosvc/svc/internal/sleep"
)

// attempts is how often Tx runs a transaction in all.
const attempts = 5

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
// An error that wraps [ErrCommitUnknown] means that the connection was lost
// during COMMIT. Only an idempotent caller may try again then.
func (db *DB) Tx(ctx context.Context, f func(tx *sql.Tx) error) error {
	return db.retryTx(ctx, nil, f)
}

func (db *DB) retryTx(ctx context.Context, o *sql.TxOptions, f func(tx *sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := db.once(ctx, o, f)
		if err == nil || attempt == attempts || !retryable(err) || !sleep.For(ctx, backoff(attempt)) {
			return err
		}
	}
}

// once is a single attempt.
func (db *DB) once(ctx context.Context, o *sql.TxOptions, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, o)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// After Commit this does nothing; it is for errors and for panics.
	defer tx.Rollback() //nolint:errcheck // the error that led here matters more
	defer db.committed.Delete(tx)
	if err := f(tx); err != nil {
		return err
	}
	if err := commitError(tx.Commit()); err != nil {
		return err
	}
	if hooks, ok := db.committed.Load(tx); ok {
		for _, hook := range hooks.([]func()) {
			hook()
		}
	}
	return nil
}

// OnCommit has f called once the transaction is committed, before [DB.Tx]
// returns; never, when it is not. The transaction must be one that Tx began and
// has not ended. Those who add functions to one transaction do so one after the
// other.
func (db *DB) OnCommit(tx *sql.Tx, f func()) {
	hooks, _ := db.committed.Load(tx)
	before, _ := hooks.([]func())
	db.committed.Store(tx, append(before, f))
}
