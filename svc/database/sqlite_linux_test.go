//go:build !nosqlite

package database_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"
)

// TestSQLiteDiskFails: a write that the disk refuses (SQLITE_IOERR) costs the
// connection, not the database.
func TestSQLiteDiskFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	db := openOne(t, "sqlite:"+file)
	must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
	makeReadOnly(t, file+"-wal")
	wantEnding(t, exec(t, db, "INSERT INTO x VALUES (1)"), codes.Unavailable)
	must(t, exec(t, db, "INSERT INTO x VALUES (2)"))
	if n := number(t, db, "SELECT sum(n) FROM x"); n != 2 {
		t.Errorf("sum = %d, want 2", n)
	}
}

// makeReadOnly replaces what the process has open of a file, so that writing fails
// with EBADF.
func makeReadOnly(t *testing.T, file string) {
	t.Helper()
	const open = "/proc/self/fd"
	entries, err := os.ReadDir(open)
	must(t, err)
	replaced := 0
	for _, e := range entries {
		if name, _ := os.Readlink(filepath.Join(open, e.Name())); !strings.HasSuffix(name, file) {
			continue
		}
		readOnly, err := os.Open(file)
		must(t, err)
		fd, err := strconv.Atoi(e.Name())
		must(t, err)
		must(t, syscall.Dup3(int(readOnly.Fd()), fd, 0))
		must(t, readOnly.Close())
		replaced++
	}
	if replaced == 0 {
		t.Fatalf("%s is not open", file)
	}
}
