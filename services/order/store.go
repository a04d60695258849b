package order

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/services/internal/page"
	"github.com/protosvc/protosvc/svc/database"
	"google.golang.org/protobuf/proto"
)

// columns are those of a record, in the order in which scan reads them.
var columns = `order_id, request_id, fingerprint, user_id, channel, items, currency_code, total_minor,
	state, payment_id, decline_reason, update_time, ` + timeColumns()

// store keeps orders. A row that is not there is sql.ErrNoRows.
type store struct{ db *database.DB }

// byID returns the order with the id.
func (s store) byID(ctx context.Context, id string) (record, error) {
	return scan(s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM orders WHERE order_id = $1`, id))
}

// byRequest returns the order that was created for the request id.
func (s store) byRequest(ctx context.Context, requestID string) (record, error) {
	return scan(s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM orders WHERE request_id = $1`, requestID))
}

// states returns the states of the orders, by id.
func (s store) states(ctx context.Context, ids []string) (map[string]orderv1.OrderState, error) {
	var places strings.Builder
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
		fmt.Fprintf(&places, ", $%d", i+1)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT order_id, state FROM orders WHERE order_id IN (`+places.String()[2:]+`)`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]orderv1.OrderState{}
	for rows.Next() {
		var id, state string
		if err := rows.Scan(&id, &state); err != nil {
			return nil, err
		}
		out[id] = stateOf(state)
	}
	return out, rows.Err()
}

// list returns up to limit orders of the user before the position, the newest
// first.
func (s store) list(ctx context.Context, userID string, before page.Position, limit int) ([]record, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM orders
		WHERE user_id = $1 AND (pending_time, order_id) < ($2, $3)
		ORDER BY pending_time DESC, order_id DESC LIMIT $4`,
		userID, before.Time, before.ID, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []record
	for rows.Next() {
		o, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// insert stores a pending order, or returns sql.ErrNoRows because its request id
// is taken. On PostgreSQL it waits for another transaction that inserts the same
// request id, so after ErrNoRows the other order can be read.
func (s store) insert(ctx context.Context, tx *sql.Tx, o record) (record, error) {
	items, err := proto.Marshal(&orderv1.Order{Items: o.items})
	if err != nil {
		return record{}, fmt.Errorf("encode items: %w", err)
	}
	return scan(tx.QueryRowContext(ctx, `INSERT INTO orders (order_id, request_id, fingerprint, user_id, channel, items,
			currency_code, total_minor, state, payment_id, decline_reason, update_time, pending_time, deferred)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', $10, $10, TRUE)
		ON CONFLICT (request_id) DO NOTHING RETURNING `+columns,
		o.id, o.requestID, o.fingerprint, o.userID, channelName(o.channel), items,
		o.currency, o.total, stateName(o.state), o.updated))
}

// change is what to store when an order enters a state; empty fields stay as
// they are.
type change struct {
	to                       orderv1.OrderState
	paymentID, declineReason string
}

// move brings the order into the next state, or returns sql.ErrNoRows because it
// is not in the state before that.
func (s store) move(ctx context.Context, tx *sql.Tx, id string, c change) (record, error) {
	step := stepTo(c.to)
	return scan(tx.QueryRowContext(ctx, `UPDATE orders SET deferred = TRUE, state = $3, `+step.column+` = $4, update_time = $4,
			payment_id     = COALESCE(NULLIF($5, ''), payment_id),
			decline_reason = COALESCE(NULLIF($6, ''), decline_reason)
		WHERE order_id = $1 AND state = $2 RETURNING `+columns,
		id, stateName(step.from), stateName(c.to), time.Now().UnixMicro(), c.paymentID, c.declineReason))
}

// adopt marks an order of an earlier release that is half way and has not moved
// since the given time, or returns sql.ErrNoRows.
func (s store) adopt(ctx context.Context, tx *sql.Tx, since time.Time) (record, error) {
	return scan(tx.QueryRowContext(ctx, `UPDATE orders SET deferred = TRUE WHERE NOT deferred AND order_id =
		(SELECT order_id FROM orders WHERE state IN ('PENDING', 'CANCELLING') AND update_time <= $1 AND NOT deferred
		ORDER BY update_time LIMIT 1) RETURNING `+columns, since.UnixMicro()))
}

// scan reads the row that a query returned, a *sql.Row or *sql.Rows.
func scan(row interface{ Scan(...any) error }) (o record, err error) {
	var channel, state string
	var items []byte
	into := []any{
		&o.id, &o.requestID, &o.fingerprint, &o.userID, &channel, &items, &o.currency, &o.total,
		&state, &o.paymentID, &o.declineReason, &o.updated,
	}
	for i := range o.entered {
		into = append(into, &o.entered[i])
	}
	if err := row.Scan(into...); err != nil {
		return record{}, err
	}
	o.channel, o.state = channelOf(channel), stateOf(state)
	var order orderv1.Order
	if err := proto.Unmarshal(items, &order); err != nil {
		return record{}, fmt.Errorf("items of order %s: %w", o.id, err)
	}
	o.items = order.GetItems()
	return o, nil
}
