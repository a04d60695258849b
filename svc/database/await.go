package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/protosvc/protosvc/svc/internal/sleep"
)

// awaitInterval is how often the versions are read while another process migrates.
const awaitInterval = time.Second

// await waits until the last file is applied. It changes nothing, so that it needs no
// right to. What no waiting will cure is an error, as it is for Migrate.
func (db *DB) await(ctx context.Context, table versions, files []migration) error {
	for told := false; ; told = true {
		todo, newer, err := db.missing(ctx, table, files)
		switch {
		case err == nil && len(todo) == 0:
			db.keep(table, files)
			db.report(ctx, table, nil, newer)
			return nil
		case err != nil && !retryable(err):
			return err
		case err == nil:
			err = notApplied(todo)
		}
		if !told {
			db.log.WarnContext(ctx, "waiting for migrations, which another process applies", "table", string(table), "error", err)
		}
		if !sleep.For(ctx, awaitInterval) {
			return errors.Join(err, ctx.Err())
		}
	}
}

// missing compares the files with what was applied, like migrate.
func (db *DB) missing(ctx context.Context, table versions, files []migration) (todo, newer []migration, err error) {
	err = db.Tx(ctx, func(tx *sql.Tx) error {
		var exists bool
		if err := tx.QueryRowContext(ctx, db.engine.exists, string(table)).Scan(&exists); err != nil || !exists {
			todo, newer = files, nil
			return err
		}
		applied, err := listMigrations(ctx, tx, table)
		if err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
		todo, newer, err = pending(files, applied)
		return err
	})
	return todo, newer, err
}

func notApplied(todo []migration) error {
	names := make([]string, len(todo))
	for i, m := range todo {
		names[i] = m.name
	}
	return fmt.Errorf("not applied yet: %s", strings.Join(names, ", "))
}
