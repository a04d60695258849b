// Package order takes orders, has them paid and tells how far they are.
//
// An order is one row that only moves forward (see state.go). It is stored
// before its payment is asked for, and each step after that may be repeated: the
// payment is authorised under the id of the order, and a move of the row is one
// UPDATE that names the state it starts from. So whoever finds an order half
// way, the caller who tries again or the recovery (see recovery.go), drives it
// on, and it does not matter how many do so at once.
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
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
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
	users    userv1.UserServiceClient
	payments paymentv1.PaymentServiceClient
	orders   store
	watchers watchers
	stopping <-chan struct{} // closed when the service stops
}

var _ orderv1.OrderServiceServer = (*handler)(nil)

// New returns the handler of the order service and starts its recovery.
func New(d orderv1svc.OrderServiceDeps) (orderv1.OrderServiceServer, error) {
	h := &handler{
		log:      d.Log,
		config:   d.Config,
		metrics:  d.Metrics,
		users:    d.UserService,
		payments: d.PaymentService,
		orders:   store{db: d.DB},
		stopping: d.Stopping(),
	}
	d.Go("recovery", (&recovery{handler: h}).run)
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
