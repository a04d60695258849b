package database

import (
	"errors"
	"fmt"
)

// ErrCommitUnknown says that the connection was lost while COMMIT was under
// way: the transaction has taken effect or it has not, and nobody can tell from
// here. DB.Tx does not try again then, since a second run may be a second effect.
var ErrCommitUnknown = errors.New("connection lost during commit, outcome unknown")

// IsUniqueViolation reports whether err says that a row with the same primary
// key or unique columns exists already.
func IsUniqueViolation(err error) bool {
	return postgresUnique(err) || sqliteUnique(err)
}

// retryable reports whether the same transaction, begun anew, may succeed:
//
//   - the engine chose it as the victim of a conflict: serialization failure
//     (SQLSTATE 40001), deadlock (40P01);
//   - others have what it needs: SQLITE_BUSY and SQLITE_LOCKED;
//   - the server cannot take it now: starting up (57P03), no connection left
//     (53300), no longer the primary (25006);
//   - the connection was lost before COMMIT was sent, so that the server rolls
//     back: driver.ErrBadConn (which is how lib/pq reports every FATAL answer,
//     57P01 included), a network error, SQLSTATE class 08, 40003, 57P01 and 57P02.
//
// The last group is only true of a transaction. The same error from a statement
// that committed by itself leaves its outcome open, and so does the same error
// from COMMIT; [DB.Tx] marks the latter as [ErrCommitUnknown], for which
// retryable is false.
func retryable(err error) bool {
	return err != nil && !errors.Is(err, ErrCommitUnknown) && meaningOf(err).again
}

// commitError keeps apart a COMMIT that was refused and one that got no answer.
func commitError(err error) error {
	switch {
	case err == nil:
		return nil
	case meaningOf(err).lost:
		return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	return fmt.Errorf("commit: %w", err)
}
