// Package database opens a service's own database and keeps its schema.
//
// One dialect of SQL serves both engines, PostgreSQL through lib/pq and SQLite
// embedded in the process: $1 placeholders, ON CONFLICT … RETURNING, row-value
// paging; the column types TEXT, BIGINT, BOOLEAN and BYTEA; times as BIGINT
// microseconds UTC. What differs between the engines is a row of functions in
// this package and nothing elsewhere: how to open, how to lock migrations, what
// a unique violation is, what is worth another try.
//
// # Errors
//
// A handler may return an error of the database as it is, wrapped or not. In its
// chain, before the error of the driver, stands what the caller is told, and nothing
// else of it leaves the process:
//
//   - errors.Unavailable: the connection was lost or cannot be had, the server
//     starts, stops, has no connection left or is no longer the primary; the file of
//     SQLite cannot be opened, read or written, or its lock was not to be had. Such a
//     connection leaves the pool, unless it only wanted the lock.
//   - errors.Aborted: a conflict with another transaction, in [DB.Tx] five times.
//   - errors.ResourceExhausted: the disk is full, or another limit of the server.
//   - errors.InvalidRequest: a text that PostgreSQL cannot store, such as one with
//     U+0000 in it.
//   - context.DeadlineExceeded, context.Canceled: the statement was interrupted.
//
// All others are faults of the service, which callers see as errors.Internal.
//
// # Deadlines
//
// Every call ends with its context. Of SQLite only one may write at a time: writers
// wait for their turn before they take a connection, so that readers find one, and
// then for as long as another process has the file locked. A writer whose context has
// no deadline waits for 5 s at most, once for its turn and once for the lock.
// Exec, Begin and every query but SELECT, VALUES, PRAGMA, EXPLAIN and WITH … SELECT count
// as writers; a [sql.Conn] and a [sql.Stmt] have no turn and wait with a connection.
// Outside a transaction several statements in one text do not wait for the lock.
//
// # Readiness
//
// PingContext of a [DB] is a readiness check. Its error says which of these it is:
//
//   - The database does not answer.
//   - The file of SQLite is gone or was replaced; on Linux also that it cannot be
//     written, or that its disk has less than 1 MiB left. PostgreSQL does not tell its
//     clients about its disk.
//   - A schema vanished, since it was dropped or another database restored: the last
//     step that [DB.Migrate] was given is not recorded any more. Further steps, of a
//     newer release, do not matter.
//
// A file that is gone is not made anew, and another one at its place is not used before
// the next [Open]: new connections are errors.Unavailable.
//
// # Transactions
//
// [DB.Tx] is READ COMMITTED on PostgreSQL: each statement sees what was committed
// before it began, and a row that the transaction has written is its own until it
// ends. On SQLite transactions run one after the other. So one that reads, decides and
// then writes is right on SQLite, and on PostgreSQL sells the last piece to all who have
// read that there is one:
//
//	SELECT pieces FROM stock WHERE id = $1             -- others read the same
//	UPDATE stock SET pieces = pieces - 1 WHERE id = $1 -- not safe
//
// These shapes are safe on both:
//
//   - The condition is in the statement that writes: UPDATE stock SET pieces = pieces - 1
//     WHERE id = $1 AND pieces > 0. No row affected (no row of RETURNING) means no.
//   - Compare and set: as above, with AND pieces = $2, which was read before, by
//     anybody at any time. No row affected means that the caller reads again.
//   - Write first: UPDATE stock SET pieces = pieces WHERE id = $1 RETURNING pieces
//     makes the row the transaction's own; what it reads after that stays. It is the
//     SELECT … FOR UPDATE that SQLite lacks.
//   - A unique column decides: INSERT … ON CONFLICT DO NOTHING, or DO UPDATE … WHERE.
//
// A condition over several rows (at most 10 sales, no overlap) holds if all who change
// them write first to one row that stands for them. Transactions that write to several
// rows in the same order do not meet in a deadlock.
//
// Another isolation is for BeginTx. Its conflicts are errors.Aborted, and nobody repeats
// them.
//
// Write inside [DB.Tx]. Outside a transaction database/sql repeats a statement
// by itself when lib/pq reports a lost connection, even where the server may
// already have executed it, so that a bare Exec can take effect twice.
package database
