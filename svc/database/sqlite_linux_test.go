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

// smallDisk mounts a file system of 4 MiB.
func smallDisk(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no disk of its own, which takes root: %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(folder, 0)) })
	return folder
}

// TestPingSQLiteDiskFull: it is noticed before a write fails, and does not keep a
// service from starting, which then says so.
func TestPingSQLiteDiskFull(t *testing.T) {
	folder := smallDisk(t)
	url := "sqlite:" + filepath.Join(folder, "x.db")
	db := open(t, url)
	must(t, exec(t, db, "CREATE TABLE x (n BIGINT)"))
	wantPing(t, db)
	ballast := filepath.Join(folder, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, 7<<19), 0o600)) // 3.5 MiB
	wantPing(t, db, "disk of file "+folder+"/x.db is full: ", " bytes left, want 1048576")
	wantPing(t, open(t, url), "is full")
	must(t, os.Remove(ballast))
	wantPing(t, db)
}

// TestPingSQLiteReadOnlyDisk: so does the kernel leave a disk after a fault.
func TestPingSQLiteReadOnlyDisk(t *testing.T) {
	folder := smallDisk(t)
	db := open(t, "sqlite:"+filepath.Join(folder, "x.db"))
	wantPing(t, db)
	must(t, syscall.Mount(folder, folder, "", syscall.MS_BIND, ""))
	must(t, syscall.Mount("", folder, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	wantPing(t, db, "file cannot be written: ", "x.db: read-only file system")
	must(t, syscall.Unmount(folder, 0))
	wantPing(t, db)
}

// TestPingSQLiteWithoutSize: a file system without a size, on which all counts of
// blocks are 0, is not full.
func TestPingSQLiteWithoutSize(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("ramfs", folder, "ramfs", 0, ""); err != nil {
		t.Skipf("no disk of its own, which takes root: %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(folder, 0)) })
	wantPing(t, open(t, "sqlite:"+filepath.Join(folder, "x.db")))
}
