//go:build !nosqlite

package database

import (
	"fmt"
	"io/fs"
	"syscall"
)

// leastRoom is how many bytes a disk must have left to count as not full.
const leastRoom = 1 << 20

// mayWrite is W_OK of <unistd.h>, which package syscall lacks.
const mayWrite = 2

// sqliteRoom reports a file that cannot be written, such as one on a disk that the
// kernel has made read-only after a fault, and a disk that is full.
func sqliteRoom(path string) error {
	if err := syscall.Access(path, mayWrite); err != nil {
		return fmt.Errorf("file cannot be written: %w", &fs.PathError{Op: "access", Path: path, Err: err})
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(path, &disk); err != nil {
		return fmt.Errorf("room on disk cannot be known: %w", &fs.PathError{Op: "statfs", Path: path, Err: err})
	}
	left := disk.Bavail * uint64(disk.Bsize)
	if disk.Blocks > 0 && left < leastRoom { // a file system without a size has no blocks
		return fmt.Errorf("disk of file %s is full: %d bytes left, want %d", path, left, leastRoom)
	}
	return nil
}
