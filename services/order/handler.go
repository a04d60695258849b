// Package order takes orders, has them paid and tells how far they are.
//
// An order is one row that only moves forward (see state.go). It is stored
// together with a message in the outbox that has its payment authorised, and the
// outcome of that is stored together with the end of the message; a refund goes
// the same way. So whatever dies in between, every order has one payment and one
// outcome. Usually the caller's own call delivers the message; when that fails, a
// relay goes on with it, in any replica.
package order

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"log/slog"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/svc"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations is the schema, one file for each version. The only error of fs.Sub
// is a path that is not valid.
var Migrations, _ = fs.Sub(files, "migrations")

// handler implements the contract of OrderService.
type handler struct {
	log      *slog.Logger
	config   *svc.Config[*orderv1.Config]
	metrics  *orderv1svc.OrderServiceMetrics
	users    orderv1svc.OrderServiceUserServiceClient
	outbox   *orderv1svc.OrderServiceOutbox
	orders   store
	watchers watchers
	stopping <-chan struct{} // closed when the service stops
}

var _ orderv1.OrderServiceServer = (*handler)(nil)

// New returns the handler of the order service.
func New(d orderv1svc.OrderServiceDeps) (orderv1.OrderServiceServer, error) {
	h := &handler{
		log:      d.Log,
		config:   d.Config,
		metrics:  d.Metrics,
		users:    d.UserService,
		outbox:   d.Outbox,
		orders:   store{db: d.DB},
		stopping: d.Stopping(),
	}
	h.metrics.OrderWatchers().Set(0) // a series from the start on
	h.outbox.PaymentServiceAuthorize.OnOutcome(h.authorized)
	h.outbox.PaymentServiceRefund.OnOutcome(h.refunded)
	d.Go("adoption", h.adopt)
	d.Go("look at watched orders", h.look)
	return h, nil
}

// find returns the order with the id, or the contract's error that there is none.
func (h *handler) find(ctx context.Context, orderID string) (record, error) {
	o, err := h.orders.byID(ctx, orderID)
	if errors.Is(err, sql.ErrNoRows) {
		return record{}, orderv1svc.NewOrderErrorNotFound(orderID)
	}
	return o, err
}
