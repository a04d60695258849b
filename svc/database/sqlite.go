//go:build !nosqlite

package database

import (
	"database/sql"
	"errors"
	"net/url"
	"strings"

	driver "modernc.org/sqlite"
	result "modernc.org/sqlite/lib"
)

// sqlite is embedded in the process. Beginning a transaction already takes the
// only write lock (_txlock=immediate), so migrations need no other.
var sqlite = engine{open: openSQLite}

// sqliteParameters are set on every connection:
// _txlock=immediate, since a transaction that reads first and then writes fails
// with SQLITE_BUSY whatever the timeout; WAL, so that readers and the writer do
// not wait for each other; _error_rc for messages that name the right cause.
const sqliteParameters = "_busy_timeout=5000&_txlock=immediate&_journal_mode=WAL&_foreign_keys=on&_error_rc=1"

func openSQLite(o Options) (*sql.DB, error) {
	path := strings.TrimPrefix(o.URL, "sqlite:")
	if path == "" || strings.HasPrefix(path, "//") {
		return nil, errors.New("database URL names no file (want sqlite:PATH or sqlite::memory:)")
	}
	memory := path == ":memory:"
	name := ":memory:"
	if !memory {
		// As a URI, so that a path may contain ? and %.
		name = "file:" + (&url.URL{Path: path}).EscapedPath()
	}
	file, err := driver.NewConnector(name + "?" + sqliteParameters)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector{file})
	if memory {
		o.MaxConnections = 1
	}
	// Idle connections are kept for ever: they cost nothing, and the one of a
	// database in memory is the database.
	pool.SetMaxOpenConns(o.MaxConnections)
	pool.SetMaxIdleConns(o.MaxConnections)
	return pool, nil
}

func sqliteUnique(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	return ok && (e.Code() == result.SQLITE_CONSTRAINT_UNIQUE ||
		e.Code() == result.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// sqliteMeanings has the primary result codes that mean something to callers.
var sqliteMeanings = map[int]meaning{
	result.SQLITE_BUSY:   busy,
	result.SQLITE_LOCKED: busy,
	result.SQLITE_FULL:   full,
}

// sqliteMeaning covers the extended codes too; the low byte is the primary one.
func sqliteMeaning(err error) (m meaning, found bool) {
	e, ok := errors.AsType[*driver.Error](err)
	if ok {
		m, found = sqliteMeanings[e.Code()&0xff]
	}
	return m, found
}
