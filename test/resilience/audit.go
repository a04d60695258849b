package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// money is what the books say in the end.
type money struct {
	orders, payments, wrong int
	problems                []string
}

// audit compares the books of the two services until they agree, at the longest for
// the time that what was interrupted may take to find its end: each order that is
// confirmed has one authorised payment, each that is cancelled one that was given
// back, each that is rejected one that was refused, and nothing is half way.
func (c *cluster) audit(ctx context.Context, e engine, calls []call) (money, error) {
	deadline := time.Now().Add(settle)
	var m money
	for {
		var err error
		if m, err = c.compare(ctx, e, calls); err != nil || len(m.problems) == 0 || time.Now().After(deadline) {
			return m, err
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return m, err
		}
	}
}

func (c *cluster) compare(ctx context.Context, e engine, calls []call) (m money, err error) {
	paid, err := rows(ctx, e, c.stores["payment"], "SELECT reference, state FROM payments")
	if err != nil {
		return m, err
	}
	ordered, err := rows(ctx, e, c.stores["order"], "SELECT order_id, state FROM orders")
	if err != nil {
		return m, err
	}
	problem := func(format string, args ...any) {
		m.wrong++
		if len(m.problems) < 5 {
			m.problems = append(m.problems, fmt.Sprintf(format, args...))
		}
	}
	m.orders, m.payments = len(ordered), len(paid)
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
	for _, call := range calls {
		if call.ok() && len(ordered[call.OrderID]) == 0 {
			problem("order %s was accepted and is lost", call.OrderID)
		}
	}
	return m, nil
}

// rows reads pairs, the second values by the first.
func rows(ctx context.Context, e engine, url, query string) (map[string][]string, error) {
	db, err := e.open(url)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	out := map[string][]string{}
	found, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var key, value sql.NullString
		if err := found.Scan(&key, &value); err != nil {
			return nil, err
		}
		out[key.String] = append(out[key.String], value.String)
	}
	return out, found.Err()
}
