//go:build unix

package limit

import "syscall"

// Files returns how many files the process may have open at once, connections
// included, and whether that is known.
func Files() (uint64, bool) {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) != nil {
		return 0, false
	}
	return uint64(files.Cur), true
}
