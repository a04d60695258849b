// Package database opens a service's own database and keeps its schema.
//
// One dialect of SQL serves both engines, PostgreSQL through lib/pq and SQLite
// embedded in the process: $1 placeholders, ON CONFLICT … RETURNING, row-value
// paging; the column types TEXT, BIGINT, BOOLEAN and BYTEA; times as BIGINT
// microseconds UTC. What differs between the engines is a row of functions in
// this package and nothing elsewhere: how to open, how to lock migrations, what
// a unique violation is, what is worth another try.
//
// Write inside [DB.Tx]. Outside a transaction database/sql repeats a statement
// by itself when lib/pq reports a lost connection, even where the server may
// already have executed it, so that a bare Exec can take effect twice.
package database
