package payment

import (
	"context"
	"database/sql"
	"time"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/svc/database"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// columns are those of a record, in the order in which scan reads them.
const columns = `payment_id, reference, payer_id, currency_code, amount_minor, state, decline_reason, create_time, update_time`

// record is a payment as stored.
type record struct {
	id, reference, payerID string
	currency               string
	amount                 int64 // minor units
	state                  paymentv1.PaymentState
	declineReason          string
	created, updated       int64 // microseconds since 1970
}

// samePayload reports whether both were asked for with the same request.
func (r record) samePayload(o record) bool {
	return r.payerID == o.payerID && r.currency == o.currency && r.amount == o.amount
}

// message is the payment as the contract shows it.
func (r record) message() *paymentv1.Payment {
	return &paymentv1.Payment{
		PaymentId:  r.id,
		Reference:  r.reference,
		PayerId:    r.payerID,
		Amount:     &paymentv1.Money{CurrencyCode: r.currency, AmountMinor: r.amount},
		State:      r.state,
		CreateTime: timestamppb.New(time.UnixMicro(r.created)),
		UpdateTime: timestamppb.New(time.UnixMicro(r.updated)),
	}
}

// store keeps payments. A row that is not there is sql.ErrNoRows.
type store struct{ db *database.DB }

// byID returns the payment with the id.
func (s store) byID(ctx context.Context, id string) (record, error) {
	return scan(s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM payments WHERE payment_id = $1`, id))
}

// byReference returns the payment with the reference.
func (s store) byReference(ctx context.Context, reference string) (record, error) {
	return scan(s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM payments WHERE reference = $1`, reference))
}

// insert stores a new payment, or returns sql.ErrNoRows because its reference is
// taken. On PostgreSQL it waits for another transaction that inserts the same
// reference, so after ErrNoRows the other payment can be read.
func (s store) insert(ctx context.Context, tx *sql.Tx, r record) (record, error) {
	return scan(tx.QueryRowContext(ctx, `INSERT INTO payments (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (reference) DO NOTHING RETURNING `+columns,
		r.id, r.reference, r.payerID, r.currency, r.amount, stateName(r.state), r.declineReason, r.created, r.updated))
}

// move changes the state of a payment, or returns sql.ErrNoRows because there is
// no such payment or its state does not allow it.
func (s store) move(ctx context.Context, id string, m move) (record, error) {
	return s.write(ctx, `UPDATE payments SET state = $2, update_time = $3
		WHERE payment_id = $1 AND state IN (`+m.sources()+`) RETURNING `+columns,
		id, stateName(m.to), time.Now().UnixMicro())
}

// write runs one statement that returns the row it wrote, in a transaction: a
// lost connection then repeats it only when it had no effect.
func (s store) write(ctx context.Context, query string, args ...any) (r record, err error) {
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		r, err = scan(tx.QueryRowContext(ctx, query, args...))
		return err
	})
	return r, err
}

// scan reads the row that a query returned.
func scan(row *sql.Row) (r record, err error) {
	var state string
	err = row.Scan(&r.id, &r.reference, &r.payerID, &r.currency, &r.amount, &state, &r.declineReason, &r.created, &r.updated)
	r.state = stateOf(state)
	return r, err
}
