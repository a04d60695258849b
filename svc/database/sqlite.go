//go:build !nosqlite

package database

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"regexp"
	"strings"

	driver "modernc.org/sqlite"
	result "modernc.org/sqlite/lib"
)

// sqlite is embedded in the process. Beginning a transaction already takes the
// only write lock (_txlock=immediate), so migrations need no other.
var sqlite = engine{open: openSQLite, writes: sqliteWrites}

// sqliteParameters are set on every connection:
// _busy_timeout=0, since SQLite waits for a lock without a look at the context,
// and [conn] can do that better; _txlock=immediate, since a transaction that reads first and then writes fails
// with SQLITE_BUSY however long it waits; WAL, so that readers and the writer do
// not wait for each other; _error_rc for messages that name the right cause.
const sqliteParameters = "_busy_timeout=0&_txlock=immediate&_journal_mode=WAL&_foreign_keys=on&_error_rc=1"

func openSQLite(o Options) (*sql.DB, func() error, error) {
	path := strings.TrimPrefix(o.URL, "sqlite:")
	if path == "" || strings.HasPrefix(path, "//") {
		return nil, nil, errors.New("database URL names no file (want sqlite:PATH or sqlite::memory:)")
	}
	memory := path == ":memory:"
	to, storage, err := connectSQLite(path, memory)
	if err != nil {
		return nil, nil, err
	}
	pool := sql.OpenDB(connector{Connector: to, waits: sqliteBusy})
	if memory {
		o.MaxConnections = 1
	}
	// Idle connections are kept for ever: they cost nothing, and the one of a
	// database in memory is the database.
	pool.SetMaxOpenConns(o.MaxConnections)
	pool.SetMaxIdleConns(o.MaxConnections)
	return pool, storage, nil
}

// connectSQLite also returns what checks the file, nil for a database in memory.
func connectSQLite(path string, memory bool) (sqldriver.Connector, func() error, error) {
	if memory {
		to, err := driver.NewConnector(":memory:?" + sqliteParameters)
		return to, nil, err
	}
	file, err := newSQLiteFile(path)
	if err != nil {
		return nil, nil, err
	}
	return file, file.check, nil
}

// sqliteReads matches queries that wait for no writer. What a common table
// expression ends in is not worth a parser: one with a word of writing in it waits.
var sqliteReads = regexp.MustCompile(`(?is)^(\s|--[^\n]*\n|/\*.*?\*/)*(SELECT|VALUES|EXPLAIN|PRAGMA|WITH)\b`)

var sqliteWriting = regexp.MustCompile(`(?i)\b(INSERT|REPLACE|UPDATE|DELETE)\b`)

func sqliteWrites(query string) bool {
	read := sqliteReads.FindStringSubmatch(query)
	return read == nil || strings.EqualFold(read[2], "WITH") && sqliteWriting.MatchString(query)
}

// sqliteBusy reports whether others have the lock that a statement needs.
func sqliteBusy(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	return ok && e.Code()&0xff == result.SQLITE_BUSY
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

	result.SQLITE_READONLY: unusable,
	result.SQLITE_IOERR:    unusable,
	result.SQLITE_CANTOPEN: unusable,
}

// sqliteMeaning covers the extended codes too; the low byte is the primary one.
func sqliteMeaning(err error) (m meaning, found bool) {
	e, ok := errors.AsType[*driver.Error](err)
	if ok {
		m, found = sqliteMeanings[e.Code()&0xff]
	}
	return m, found
}
