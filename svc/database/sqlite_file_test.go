//go:build !nosqlite

package database_test

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/database"
)

// openFile opens a database with a table x, and says where it is.
func openFile(t *testing.T) (db *database.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "x.db")
	db = open(t, "sqlite:"+path)
	must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
	wantPing(t, db)
	return db, path
}

const insertOne = "INSERT INTO x VALUES (1)"

// TestSQLiteFileRemoved: it is noticed, and not made anew. Put back, it is well.
func TestSQLiteFileRemoved(t *testing.T) {
	db, path := openFile(t)
	must(t, os.Rename(path, path+"~"))
	wantPing(t, db, "file is gone: ", path, "no such file or directory")

	held, err := db.Conn(t.Context()) // the next one must be opened
	must(t, err)
	wantEnding(t, exec(t, db, insertOne), codes.Unavailable)
	if _, err := os.Stat(path); err == nil {
		t.Error("the file was made anew")
	}
	must(t, held.Close())

	must(t, os.Rename(path+"~", path))
	wantPing(t, db)
	must(t, exec(t, db, insertOne))
}

// TestSQLiteFileReplaced: nothing is written to two files.
func TestSQLiteFileReplaced(t *testing.T) {
	db, path := openFile(t)
	other, otherPath := openFile(t)
	must(t, other.Close())
	must(t, os.Rename(otherPath, path))
	wantPing(t, db, "file "+path+" was replaced by another after it was opened; restart the service to use that one")

	held, err := db.Conn(t.Context())
	must(t, err)
	wantEnding(t, exec(t, db, insertOne), codes.Unavailable)
	must(t, held.Close())
	if n := number(t, open(t, "sqlite:"+path), "SELECT count(*) FROM x"); n != 0 {
		t.Errorf("%d rows in the other file, want none", n)
	}
}
