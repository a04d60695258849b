package svc

import (
	"context"
	"fmt"

	"github.com/protosvc/protosvc/svc/idempotency"
	"github.com/protosvc/protosvc/svc/outbox"
)

// kept is what the runtime keeps in the service's database. Each is nil unless
// the contract asks for it.
type kept struct {
	answers *idempotency.Store
	outbox  *outbox.Outbox
}

// Idempotency returns the answers of idempotency keys.
func (a *App) Idempotency() *idempotency.Store { return a.kept.answers }

// Outbox returns what deferred calls go through.
func (a *App) Outbox() *outbox.Outbox { return a.kept.outbox }

// checkKept refuses a retention of nothing where there is something to keep.
func (s Service) checkKept(settings *Settings) error {
	if d := settings.Database; s.KeepsAnswers && d.IdempotencyRetention == 0 {
		return fmt.Errorf("database.idempotency_retention %v is not above zero", d.IdempotencyRetention)
	}
	return nil
}

// openKept makes the runtime's own tables and starts what works on them. The
// work starts with the service, so after the handler is made.
func (a *App) openKept(ctx context.Context) (err error) {
	if a.service.KeepsAnswers {
		a.kept.answers, err = idempotency.New(ctx, idempotency.Options{
			DB:        a.db,
			Retention: a.settings.Database.IdempotencyRetention,
			Metrics:   a.metrics,
			Log:       a.log,
		})
		if err != nil {
			return fmt.Errorf("idempotency keys: %w", err)
		}
		a.group.Go("idempotency keys", a.kept.answers.Run)
	}
	if a.service.Defers {
		a.kept.outbox, err = outbox.New(ctx, outbox.Options{DB: a.db, Metrics: a.metrics, Log: a.log})
		if err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
		a.group.Go("outbox", a.kept.outbox.Run)
	}
	return nil
}
