//go:build nosqlite

package database

import (
	"database/sql"
	"errors"
)

// sqlite is left out of this build, which makes the binary 4 MB smaller.
var sqlite = engine{open: func(Options) (*sql.DB, func() error, error) {
	return nil, nil, errors.New("database URL asks for sqlite, but this binary was built without it (build tag nosqlite); use postgres://…")
}}

func sqliteUnique(error) bool { return false }

func sqliteMeaning(error) (m meaning, found bool) { return meaning{}, false }
