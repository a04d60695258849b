package svc

import (
	"context"
	"errors"
)

// migrate applies the migrations of a service, those of the runtime's own tables
// included, and opens no port. It waits for a database that cannot be reached until ctx
// ends.
func migrate(ctx context.Context, s Service, o Options) error {
	if s.Settings.Database == nil {
		return errors.New("--migrate: the service has no database")
	}
	return s.use(o, func(a *App) error {
		if err := a.openDatabase(ctx); err != nil {
			return err
		}
		a.log.Info("the schema is up to date")
		return nil
	})
}
