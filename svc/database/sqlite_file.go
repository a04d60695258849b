//go:build !nosqlite

package database

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"sync"

	sqlite3 "modernc.org/sqlite"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

// sqliteFile connects to one file, which is the one that the first connection
// opened or made: what others write at its path later is not this database, and
// what is written to a file that has been removed is lost with the process.
type sqliteFile struct {
	path             string
	making           driver.Connector // makes the file when it is missing
	driver.Connector                  // to a file that exists

	mu     sync.Mutex
	opened fs.FileInfo // nil before the first connection
}

func newSQLiteFile(path string) (*sqliteFile, error) {
	// As a URI, so that a path may contain ? and %.
	uri := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + sqliteParameters
	making, err := sqlite3.NewConnector(uri + "&mode=rwc")
	if err != nil {
		return nil, err
	}
	existing, err := sqlite3.NewConnector(uri + "&mode=rw")
	return &sqliteFile{path: path, making: making, Connector: existing}, err
}

func (f *sqliteFile) Connect(ctx context.Context) (driver.Conn, error) {
	connect := f.Connector.Connect
	if f.identity() == nil {
		connect = f.making.Connect
	}
	conn, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := f.same(); err != nil {
		_ = conn.Close()
		return nil, svcerrors.Unavailable.New().WithCause(err)
	}
	return conn, nil
}

func (f *sqliteFile) identity() fs.FileInfo {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.opened
}

// same reports a path that does not name the file any more. It does not open the
// file: closing it would give up the locks that SQLite has on it (see fcntl(2)).
func (f *sqliteFile) same() error {
	found, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("file is gone: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opened == nil {
		f.opened = found
	}
	if !os.SameFile(f.opened, found) {
		return fmt.Errorf("file %s was replaced by another after it was opened; restart the service to use that one", f.path)
	}
	return nil
}

// check reports what keeps the file from holding what is written next.
func (f *sqliteFile) check() error {
	if err := f.same(); err != nil {
		return err
	}
	return sqliteRoom(f.path)
}
