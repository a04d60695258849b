package database

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
)

// ErrCommitUnknown says that the connection was lost while COMMIT was under
// way: the transaction has taken effect or it has not, and nobody can tell from
// here. IsRetryable is false for it, since a second run may be a second effect.
var ErrCommitUnknown = errors.New("connection lost during commit, outcome unknown")

// IsUniqueViolation reports whether err says that a row with the same primary
// key or unique columns exists already.
func IsUniqueViolation(err error) bool {
	return postgresUnique(err) || sqliteUnique(err)
}

// IsRetryable reports whether the same transaction, begun anew, may succeed:
//
//   - the engine chose it as the victim of a conflict: serialization failure
//     (SQLSTATE 40001), deadlock (40P01), SQLITE_BUSY and SQLITE_LOCKED;
//   - the server cannot take it now: starting up (57P03), no connection left (53300);
//   - the connection was lost before COMMIT was sent, so that the server rolls
//     back: driver.ErrBadConn (which is how lib/pq reports every FATAL answer,
//     57P01 included), a network error, SQLSTATE class 08, 57P01 and 57P02.
//
// The last group is only true of a transaction. The same error from a statement
// that committed by itself leaves its outcome open, and so does the same error
// from COMMIT; [DB.Tx] marks the latter as [ErrCommitUnknown], for which
// IsRetryable is false.
func IsRetryable(err error) bool {
	if err == nil || errors.Is(err, ErrCommitUnknown) {
		return false
	}
	return postgresRetryable(err) || sqliteBusy(err) || connectionLost(err)
}

// commitError keeps apart a COMMIT that was refused and one that got no answer.
func commitError(err error) error {
	switch {
	case err == nil:
		return nil
	case connectionLost(err):
		return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	return fmt.Errorf("commit: %w", err)
}

// connectionLost reports whether err is about the connection and not about the
// statement. lib/pq passes on network errors of reads as they are.
func connectionLost(err error) bool {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	_, network := errors.AsType[*net.OpError](err)
	return network || postgresConnectionLost(err)
}
