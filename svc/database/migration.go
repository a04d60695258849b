package database

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// migration is one file, or one row of schema_migrations (without statements).
type migration struct {
	version    int
	name       string // file name, for example "0001_orders.sql"
	checksum   string
	statements string
}

// readMigrations returns every .sql file of fsys, in any folder, by version.
func readMigrations(fsys fs.FS) ([]migration, error) {
	var all []migration
	var faults []error
	err := fs.WalkDir(fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(file) != ".sql" {
			return err
		}
		m, err := readMigration(fsys, file)
		faults = append(faults, err)
		all = append(all, m)
		return nil
	})
	slices.SortStableFunc(all, func(a, b migration) int { return a.version - b.version })
	if err := errors.Join(append(faults, err)...); err != nil {
		return nil, err
	}
	return all, uniqueVersions(all)
}

func readMigration(fsys fs.FS, file string) (migration, error) {
	name := path.Base(file)
	version, ok := versionOf(name)
	if !ok {
		return migration{}, fmt.Errorf("migration %q: want a name like 0001_create_orders.sql", file)
	}
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return migration{}, err
	}
	// A checkout with Windows line ends is the same migration.
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	sum := sha256.Sum256(text)
	return migration{version, name, hex.EncodeToString(sum[:]), string(text)}, nil
}

// versionOf reads the NNNN of NNNN_name.sql; versions start at 0001.
func versionOf(name string) (int, bool) {
	digits, rest, found := strings.Cut(name, "_")
	version, err := strconv.ParseUint(digits, 10, 16)
	return int(version), found && err == nil && len(digits) == 4 && version > 0 && rest != ".sql"
}

func uniqueVersions(sorted []migration) error {
	for i := 1; i < len(sorted); i++ {
		if sorted[i-1].version == sorted[i].version {
			return fmt.Errorf("migrations %q and %q have the same number", sorted[i-1].name, sorted[i].name)
		}
	}
	return nil
}

// pending compares the files with what the database has, both by version. It
// returns the files to apply and the rows that only a newer release knows.
func pending(files, applied []migration) (todo, newer []migration, err error) {
	var faults []error
	last := lastVersion(applied)
	for _, file := range files {
		switch row, found := find(applied, file.version); {
		case found:
			faults = append(faults, sameMigration(file, row))
		case file.version < last:
			faults = append(faults, fmt.Errorf("migration %q comes after %04d, which is applied already; give it the next free number", file.name, last))
		default:
			todo = append(todo, file)
		}
	}
	for _, row := range applied {
		switch _, found := find(files, row.version); {
		case found:
		case row.version > lastVersion(files):
			newer = append(newer, row)
		default:
			faults = append(faults, fmt.Errorf("migration %q is applied but its file is gone; restore it", row.name))
		}
	}
	return todo, newer, errors.Join(faults...)
}

func sameMigration(file, row migration) error {
	if file.checksum == row.checksum {
		return nil
	}
	return fmt.Errorf("migration %q has changed since it was applied; restore it and put the change into a new file", file.name)
}

func find(sorted []migration, version int) (migration, bool) {
	i, found := slices.BinarySearchFunc(sorted, version, func(m migration, v int) int { return m.version - v })
	if !found {
		return migration{}, false
	}
	return sorted[i], true
}

func lastVersion(sorted []migration) int {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)-1].version
}
