// Package books compares what order and payment have written down, which is where a
// call that was cut off in the wrong place shows.
package books

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Result is what a comparison found.
type Result struct {
	Orders, Payments int
	Wrong            int      // orders and payments that do not belong together
	Problems         []string // the first of those, in words
}

// Settled compares until the books agree, at the longest for the time that what was
// interrupted may take to find its end. See [Compare].
func Settled(ctx context.Context, order, payment *sql.DB, accepted []string, most time.Duration) (Result, error) {
	for end := time.Now().Add(most); ; {
		r, err := Compare(ctx, order, payment, accepted)
		if err != nil || r.Wrong == 0 || time.Now().After(end) {
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Compare looks at every order and every payment: each order that is confirmed has one
// authorised payment, each that is cancelled one that was given back, each that is
// rejected one that was refused, and nothing is half way. The accepted orders are those
// that a caller was told of: all of them are there.
func Compare(ctx context.Context, order, payment *sql.DB, accepted []string) (r Result, err error) {
	paid, err := pairs(ctx, payment, "SELECT reference, state FROM payments")
	if err != nil {
		return r, err
	}
	ordered, err := pairs(ctx, order, "SELECT order_id, state FROM orders")
	if err != nil {
		return r, err
	}
	problem := func(format string, args ...any) {
		r.Wrong++
		if len(r.Problems) < 5 {
			r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
		}
	}
	r.Orders, r.Payments = len(ordered), len(paid)
	for id, states := range ordered {
		switch got := states[0] + " " + strings.Join(paid[id], ","); got {
		case "CONFIRMED AUTHORIZED", "REJECTED DECLINED", "CANCELLED REFUNDED":
		default:
			problem("order %s is %s, its payments are %v", id, states[0], paid[id])
		}
	}
	for id := range paid {
		if len(ordered[id]) == 0 {
			problem("payment %s is for no order", id)
		}
	}
	for _, id := range accepted {
		if len(ordered[id]) == 0 {
			problem("order %s was accepted and is lost", id)
		}
	}
	return r, nil
}

// pairs reads two columns, the values of the second by those of the first.
func pairs(ctx context.Context, db *sql.DB, query string) (map[string][]string, error) {
	found, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	out := map[string][]string{}
	for found.Next() {
		var key, value sql.NullString
		if err := found.Scan(&key, &value); err != nil {
			return nil, err
		}
		out[key.String] = append(out[key.String], value.String)
	}
	return out, found.Err()
}
