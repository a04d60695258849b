//go:build !linux && !nosqlite

package database

// sqliteRoom knows nothing where the kernel is asked in another way.
func sqliteRoom(string) error { return nil }
