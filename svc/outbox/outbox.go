package outbox

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/protosvc/protosvc/svc/database"
	"github.com/protosvc/protosvc/svc/internal/claim"
	"github.com/protosvc/protosvc/svc/metrics"
)

//go:embed migrations/*.sql
var files embed.FS

// Options say where an outbox is and what it reports to. All are required.
type Options struct {
	DB      *database.DB
	Metrics *metrics.Registry
	Log     *slog.Logger
}

// Outbox is the table of messages and its relay. Make one with [New], bind
// methods to it, then run it.
type Outbox struct {
	store   store
	log     *slog.Logger
	series  series
	flights claim.Flights[string] // by key
	methods []*method
}

// New returns the outbox in the database, whose tables it makes or brings up to
// date.
func New(ctx context.Context, o Options) (*Outbox, error) {
	migrations, err := fs.Sub(files, "migrations")
	if err != nil {
		return nil, err
	}
	if err := o.DB.MigrateNamed(ctx, "svc_outbox", migrations); err != nil {
		return nil, err
	}
	out := &Outbox{store: store{o.DB}, log: o.Log, series: newSeries()}
	return out, out.series.register(o.Metrics)
}

// Run delivers messages until ctx ends. Every replica runs it. It never fails:
// what cannot be done now is done later.
func (o *Outbox) Run(ctx context.Context) error {
	var relays sync.WaitGroup
	for _, m := range o.methods {
		relays.Go(func() { m.relay(ctx) })
	}
	o.measure(ctx)
	relays.Wait()
	return nil
}

// wake has all relays look at once. It never blocks.
func (o *Outbox) wake() {
	for _, m := range o.methods {
		select {
		case m.wakes <- struct{}{}:
		default: // it is going to look anyway
		}
	}
}
