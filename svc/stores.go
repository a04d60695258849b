package svc

import (
	"context"
	"fmt"

	"github.com/protosvc/protosvc/svc/idempotency"
	"github.com/protosvc/protosvc/svc/internal/config"
	"github.com/protosvc/protosvc/svc/outbox"
)

// stores are what the runtime keeps in the service's database. Each is nil unless
// the contract asks for it.
type stores struct {
	responses *idempotency.Store
	outbox    *outbox.Outbox
}

// Idempotency returns the answers of idempotency keys.
func (a *App) Idempotency() *idempotency.Store { return a.stores.responses }

// Outbox returns what deferred calls go through.
func (a *App) Outbox() *outbox.Outbox { return a.stores.outbox }

// checkStores refuses a retention of nothing where there is something to keep.
func (s Service) checkStores(settings *Settings) error {
	if d := settings.Database; s.StoresResponses && d.IdempotencyRetention == 0 {
		const key = "database.idempotency_retention"
		return config.Wrong(key, fmt.Errorf("%s %v is not above zero", key, d.IdempotencyRetention))
	}
	return nil
}

// openStores makes the runtime's own tables and starts what works on them. The
// work starts with the service, so after the handler is made.
func (a *App) openStores(ctx context.Context) (err error) {
	if a.service.StoresResponses {
		a.stores.responses, err = idempotency.New(ctx, idempotency.Options{
			DB:        a.db,
			Retention: a.settings.Database.IdempotencyRetention,
			Metrics:   a.metrics,
			Log:       a.log,
		})
		if err != nil {
			return fmt.Errorf("idempotency keys: %w", err)
		}
		a.group.Go("idempotency keys", a.stores.responses.Run)
	}
	if a.service.Defers {
		a.stores.outbox, err = outbox.New(ctx, outbox.Options{DB: a.db, Metrics: a.metrics, Log: a.log})
		if err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
		a.group.Go("outbox", a.stores.outbox.Run)
	}
	return nil
}
