package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// row is what a hostile client does, and for how long.
type row struct {
	number, name string
	lasts        time.Duration
	files        int // limit of the replica's open files; 0: that of a node
	attack       func(context.Context, *target) error
}

// target is what a hostile client knows, and where it says what it did.
type target struct {
	GRPC, HTTP, Admin string
	OrderID           string // of an order that can be watched
	addresses         addresses
	tally             tally
}

// size is that of the largest message that the contract allows.
const size = 4 << 20

var rows = []row{
	{"0", "nothing happens", 5 * time.Second, 0, func(context.Context, *target) error { return nil }},
	{"1", "200 HTTP bodies of 4 MiB that never end", 20 * time.Second, 0, func(ctx context.Context, t *target) error {
		return each(ctx, 200, func(int) error { return t.trickle(ctx, "/v1/orders", size) })
	}},
	{"2", "200 gRPC messages of 4 MiB that never end", 20 * time.Second, 0, func(ctx context.Context, t *target) error {
		return t.streams(ctx, 200, 50, func(c *conn) error {
			return c.open("/order.v1.OrderService/CreateOrder", unfinished(size))
		})
	}},
	{"3", "20,000 Watch streams of grpc.health.v1", 15 * time.Second, 0, func(ctx context.Context, t *target) error {
		return t.streams(ctx, 20_000, 1000, func(c *conn) error { return c.open("/grpc.health.v1.Health/Watch", message("")) })
	}},
	{"3", "10,000 reflection streams", 15 * time.Second, 0, func(ctx context.Context, t *target) error {
		return t.streams(ctx, 10_000, 1000, func(c *conn) error {
			return c.open("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", nil)
		})
	}},
	{"4", "9,000 idle gRPC connections", 15 * time.Second, 0, func(ctx context.Context, t *target) error {
		return t.streams(ctx, 9000, 1, func(*conn) error { return nil })
	}},
	{"4", "10,000 WatchOrder streams", 15 * time.Second, 0, func(ctx context.Context, t *target) error {
		return t.streams(ctx, 10_000, 1000, func(c *conn) error {
			return c.open("/order.v1.OrderService/WatchOrder", message(field(1, t.OrderID)))
		})
	}},
	{"5", "10,000 silent TCP connections to each port", 20 * time.Second, 0, func(ctx context.Context, t *target) error {
		return each(ctx, 20_000, func(i int) error { return t.silent(ctx, []string{t.GRPC, t.HTTP}[i%2]) })
	}},
	{"6", "1,100 connections to the admin port, of 1,024 files", 15 * time.Second, 1024, func(ctx context.Context, t *target) error {
		return each(ctx, 1100, func(int) error { return t.silent(ctx, t.Admin) })
	}},
	{"7", "400,000 resets of streams on 4 connections", 8 * time.Second, 0, func(ctx context.Context, t *target) error {
		return each(ctx, 4, func(int) error { return t.resets(ctx, 100_000, 6*time.Second) })
	}},
}

// choose are the rows of the numbers, in their order; all without a number.
func choose(numbers []string) (chosen []row, err error) {
	for _, n := range numbers {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.number == n }) {
			return nil, fmt.Errorf("there is no row %q", n)
		}
	}
	for _, r := range rows {
		if len(numbers) == 0 || slices.Contains(numbers, r.number) {
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}
