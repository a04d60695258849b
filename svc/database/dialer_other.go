//go:build !linux

package database

import "syscall"

// limitUnacknowledged does nothing where the kernel has no such option.
func limitUnacknowledged(string, string, syscall.RawConn) error { return nil }
