package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// PingContext is the readiness check that the package's documentation describes.
func (p *pool) PingContext(ctx context.Context) error {
	if p.storage != nil {
		if err := p.storage(); err != nil {
			return err
		}
	}
	// A statement is repeated over another connection when its own was lost, a ping
	// is not: after a restart of PostgreSQL each idle connection would fail a check.
	if err := p.DB.QueryRowContext(ctx, "SELECT 1").Scan(new(int)); err != nil {
		return err
	}
	return p.schemasKept(ctx)
}

func (p *pool) Ping() error { return p.PingContext(context.Background()) }

// schemasKept looks for the last step of each schema. Steps are applied in order,
// so that those before it are there if it is.
func (p *pool) schemasKept(ctx context.Context) (err error) {
	p.migrated.Range(func(table, last any) bool {
		err = p.stepKept(ctx, table.(versions), last.(migration))
		return err == nil
	})
	return err
}

func (p *pool) stepKept(ctx context.Context, table versions, m migration) error {
	err := p.DB.QueryRowContext(ctx, table.find(), m.version, m.checksum).Scan(new(int))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("schema was dropped or another database restored: table %s does not record %q", table, m.name)
	}
	return fmt.Errorf("schema: table %s cannot be read: %w", table, err)
}
