// Package payment reserves, takes and gives back money.
//
// A payment is one row that only moves forward (see state.go), and each move is
// one UPDATE that names the states it may start from. So every call may be
// repeated, by retries or by several callers at once, without a second effect.
package payment

import (
	"database/sql"
	"embed"
	"errors"
	"io/fs"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/svc"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations is the schema, one file for each version. The only error of fs.Sub
// is a path that is not valid.
var Migrations, _ = fs.Sub(files, "migrations")

// handler implements the contract of PaymentService.
type handler struct {
	config   *svc.Config[*paymentv1.Config]
	metrics  *paymentv1svc.PaymentServiceMetrics
	answers  *paymentv1svc.PaymentServiceIdempotency
	payments store
}

var _ paymentv1.PaymentServiceServer = (*handler)(nil)

// New returns the handler of the payment service.
func New(d paymentv1svc.PaymentServiceDeps) (paymentv1.PaymentServiceServer, error) {
	return &handler{
		config:   d.Config,
		metrics:  d.Metrics,
		answers:  d.Idempotency,
		payments: store{db: d.DB},
	}, nil
}

// notFound turns the store's "no such row" into the error of the contract.
func notFound(err error, paymentID string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return paymentv1svc.NewPaymentErrorNotFound(paymentID)
	}
	return err
}
