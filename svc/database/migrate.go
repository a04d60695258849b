package database

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// versions is the table that records which steps of one schema were applied.
type versions string

// ownVersions is that of the service's own schema.
const ownVersions versions = "schema_migrations"

func (v versions) create() string {
	return `CREATE TABLE IF NOT EXISTS ` + string(v) + ` (
		version    BIGINT PRIMARY KEY,
		name       TEXT   NOT NULL,
		checksum   TEXT   NOT NULL,
		applied_at BIGINT NOT NULL)`
}

func (v versions) list() string {
	return `SELECT version, name, checksum FROM ` + string(v) + ` ORDER BY version`
}

func (v versions) find() string {
	return `SELECT 1 FROM ` + string(v) + ` WHERE version = $1 AND checksum = $2`
}

func (v versions) insert() string {
	return `INSERT INTO ` + string(v) + ` (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)`
}

// Migrate brings the schema to the newest version of fsys, where each .sql file,
// in any folder, is one step named NNNN_name.sql. Steps run in order, once each,
// and are recorded in the table schema_migrations with the time (microseconds
// UTC) and a checksum.
//
// The whole run is one transaction: all missing steps apply, or none. Replicas
// that start together wait for the first and then find nothing to do. For that
// reason a step must not contain BEGIN or COMMIT, nor what PostgreSQL refuses in
// a transaction (CREATE INDEX CONCURRENTLY).
//
// It is an error, and nothing is applied, when a step that was applied has
// changed or is gone, or when a new step is numbered below an applied one.
// Versions above all of fsys are no error: in a rolling update the newer
// replicas migrate first. They are logged.
//
// With [Options].AwaitMigrations it waits until another process has applied them.
func (db *DB) Migrate(ctx context.Context, fsys fs.FS) error {
	return db.migrateIn(ctx, ownVersions, fsys)
}

// MigrateNamed does the same for a schema that is kept beside the service's own,
// with versions of its own: those of the runtime. They are recorded in the table
// NAME_migrations; the name is part of SQL, so it must be a constant.
func (db *DB) MigrateNamed(ctx context.Context, name string, fsys fs.FS) error {
	return db.migrateIn(ctx, versions(name+"_migrations"), fsys)
}

func (db *DB) migrateIn(ctx context.Context, table versions, fsys fs.FS) error {
	files, err := readMigrations(fsys)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if db.awaits {
		if err := db.await(ctx, table, files); err != nil {
			return fmt.Errorf("migrations: %w", err)
		}
		return nil
	}
	var todo, newer []migration
	// Each statement must see what was committed while it waited for the lock, and does
	// at READ COMMITTED.
	err = db.Tx(ctx, func(tx *sql.Tx) (err error) {
		todo, newer, err = db.migrate(ctx, tx, table, files)
		return err
	})
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	db.keep(table, files)
	db.report(ctx, table, todo, newer)
	return nil
}

// keep has readiness look for the last step.
func (db *DB) keep(table versions, files []migration) {
	if len(files) > 0 {
		db.migrated.Store(table, files[len(files)-1])
	}
}

// migrate locks, compares and applies, within the transaction.
func (db *DB) migrate(ctx context.Context, tx *sql.Tx, table versions, files []migration) (todo, newer []migration, err error) {
	if db.engine.lock != "" {
		if _, err := tx.ExecContext(ctx, db.engine.lock); err != nil {
			return nil, nil, fmt.Errorf("lock: %w", err)
		}
	}
	applied, err := appliedMigrations(ctx, tx, table)
	if err != nil {
		return nil, nil, fmt.Errorf("table %s: %w", table, err)
	}
	todo, newer, err = pending(files, applied)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range todo {
		if err := apply(ctx, tx, table, m); err != nil {
			return nil, nil, fmt.Errorf("migration %q: %w", m.name, err)
		}
	}
	return todo, newer, nil
}

func appliedMigrations(ctx context.Context, tx *sql.Tx, table versions) ([]migration, error) {
	if _, err := tx.ExecContext(ctx, table.create()); err != nil {
		return nil, err
	}
	return listMigrations(ctx, tx, table)
}

func listMigrations(ctx context.Context, tx *sql.Tx, table versions) ([]migration, error) {
	rows, err := tx.QueryContext(ctx, table.list())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []migration
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.version, &m.name, &m.checksum); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// apply runs one step. Without arguments both drivers take several statements.
func apply(ctx context.Context, tx *sql.Tx, table versions, m migration) error {
	if _, err := tx.ExecContext(ctx, m.statements); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, table.insert(), m.version, m.name, m.checksum, time.Now().UnixMicro())
	return err
}

// report logs what was done, and to whose schema: that of the service or one of the runtime.
func (db *DB) report(ctx context.Context, table versions, todo, newer []migration) {
	schema := strings.TrimSuffix(string(table), "_migrations")
	if table == ownVersions {
		schema = "service"
	}
	log := db.log.With("schema", schema)
	for _, m := range todo {
		log.InfoContext(ctx, "migration applied", "migration", m.name)
	}
	for _, m := range newer {
		log.WarnContext(ctx, "database has a migration of a newer release, carrying on with the older schema known here", "migration", m.name)
	}
}
