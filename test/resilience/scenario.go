package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/internal/system"
)

// scenario is a fault and what it may do.
type scenario struct {
	name string
	// engine is the kind of database it needs; empty for any.
	engine string
	// once is a fault of connections, or of processes that end in order. None dies
	// or stands still in the middle of a transaction, so the kind of the database
	// plays no part, and PostgreSQL is enough where it is there.
	once bool
	// shape is the cluster, if not the usual one.
	shape shape
	// fault breaks something, waits, and mends it, while the load runs.
	fault func(context.Context, *cluster, engine) error
	// steps takes the place of fault where there is no load: it counts as calls
	// what it tries, and as success what ends well.
	steps func(context.Context, engine, *result) error
	// alone says that nothing else may run on the engine meanwhile.
	alone bool
	// never are the codes with which no call may end.
	never []codes.Code
	// growth holds order to the goroutines and the heap that it had before.
	growth bool
	// success is the least share of calls that must succeed while the fault lasts.
	// 1 holds before and after, too.
	success float64
}

// on reports whether it runs on an engine, of both or of this one alone.
func (s scenario) on(engine string, both bool) bool {
	if both && s.once {
		return engine == postgres{}.name()
	}
	return s.engine == "" || s.engine == engine
}

const (
	faultTime = 5 * time.Second
	after     = 3 * time.Second // longer than any recovery may take
)

// faults are the codes that say that the service itself is at fault.
var faults = []codes.Code{codes.Internal, codes.Unknown}

// usual is the cluster of most scenarios.
var usual = shape{payments: 3, orders: 2}

// scenarios are in the order of the report. Where success is 0, nobody can answer.
var scenarios = []scenario{
	{name: "nothing happens", fault: wait, success: 1},
	{name: "one payment of three is killed", fault: killOne, success: 0.99},
	{name: "one payment hangs (SIGSTOP)", fault: hangOne, success: 0.85},
	{name: "one payment is slower than its deadline", once: true, fault: toxic(0, `{"type":"latency","attributes":{"latency":500}}`), success: 0.85},
	{name: "one payment is slow (150 ms)", once: true, fault: toxic(0, `{"type":"latency","attributes":{"latency":150}}`), success: 0.99},
	{name: "one payment flaps", once: true, fault: flap, success: 0.97},
	{name: "one payment is restarted (SIGTERM)", once: true, fault: restartOne, success: 0.999},
	{name: "all replicas replaced right after a scale-out", once: true, shape: replaced, fault: replaceAll, success: 1},
	{name: "one connection is reset again and again", once: true, fault: toxic(0, `{"type":"reset_peer","attributes":{"timeout":200}}`), success: 0.95},
	{name: "one connection closes slowly", once: true, fault: toxic(0, `{"type":"slow_close","attributes":{"delay":2000}}`), success: 0.99},
	{name: "one connection has 4 KB/s", once: true, fault: toxic(0, `{"type":"bandwidth","attributes":{"rate":4}}`), success: 0.9},
	{name: "all payments are down for 30 s", fault: allDown},
	{name: "one order of two is killed", fault: killOrder, success: 0.97},
	{name: "ten rounds of kills, hangs and resets", fault: rounds, growth: true, success: 0.8},
	{name: "order is killed at each message to its database", engine: "PostgreSQL", steps: everyStep, success: 1},
	{name: "order's database is locked", engine: "SQLite", fault: lock},
	{name: "order's database is slow (300 ms)", engine: "PostgreSQL", fault: slowDatabase},
	{name: "order's database is gone and back", engine: "PostgreSQL", fault: databaseGone},
	{name: "the server of all databases restarts", engine: "PostgreSQL", alone: true, fault: restartServer, never: faults},
	{name: "nobody reads the log of order", once: true, shape: talkative, fault: unreadLog, success: 0.97, never: faults},
}

func wait(ctx context.Context, _ *cluster, _ engine) error { return sleep(ctx, faultTime) }

func killOne(ctx context.Context, c *cluster, _ engine) error {
	if err := c.payments[0].Kill(); err != nil {
		return err
	}
	if err := sleep(ctx, faultTime); err != nil {
		return err
	}
	return c.payments[0].Restart(ctx)
}

func hangOne(ctx context.Context, c *cluster, e engine) error {
	if err := c.hang(ctx, e, c.payments[0]); err != nil {
		return err
	}
	if err := sleep(ctx, faultTime); err != nil {
		return err
	}
	return c.payments[0].Signal(syscall.SIGCONT)
}

// hang stops a payment at a moment when it does not hold the lock of the file that
// all payments have where there is no server: with that, all of them would hang. That
// is another scenario.
func (c *cluster) hang(ctx context.Context, e engine, payment *system.Service) error {
	for {
		if err := payment.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		locked, err := e.locked(ctx, c.stores["payment"])
		if !locked || err != nil {
			return err
		}
		if err := payment.Signal(syscall.SIGCONT); err != nil {
			return err
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

func restartOne(ctx context.Context, c *cluster, _ engine) error { return c.payments[0].Restart(ctx) }

// toxic breaks the connection to one payment.
func toxic(i int, json string) func(context.Context, *cluster, engine) error {
	return func(ctx context.Context, c *cluster, _ engine) error {
		return poison(ctx, c.proxies[i], json, faultTime)
	}
}

func poison(ctx context.Context, p *toxiproxy.Proxy, json string, d time.Duration) error {
	t, err := p.Toxics.AddToxicJson(strings.NewReader(json))
	if err != nil {
		return err
	}
	if err := sleep(ctx, d); err != nil {
		return err
	}
	return p.Toxics.RemoveToxic(ctx, t.Name)
}

func flap(ctx context.Context, c *cluster, _ engine) error {
	for range faultTime / time.Second {
		c.proxies[0].Stop()
		if err := sleep(ctx, time.Second/2); err != nil {
			return err
		}
		if err := c.proxies[0].Start(); err != nil {
			return err
		}
		if err := sleep(ctx, time.Second/2); err != nil {
			return err
		}
	}
	return nil
}

func allDown(ctx context.Context, c *cluster, _ engine) error {
	for _, p := range c.payments {
		if err := p.Kill(); err != nil {
			return err
		}
	}
	if err := sleep(ctx, 30*time.Second); err != nil {
		return err
	}
	for _, p := range c.payments {
		if err := p.Restart(ctx); err != nil {
			return err
		}
	}
	return nil
}

func killOrder(ctx context.Context, c *cluster, _ engine) error {
	if err := c.orders[0].Kill(); err != nil {
		return err
	}
	if err := sleep(ctx, faultTime); err != nil {
		return err
	}
	return c.orders[0].Restart(ctx)
}

// rounds breaks one thing after the other, ten times.
func rounds(ctx context.Context, c *cluster, _ engine) error {
	for range 10 {
		if err := c.payments[0].Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		if err := sleep(ctx, 700*time.Millisecond); err != nil {
			return err
		}
		if err := c.payments[0].Signal(syscall.SIGCONT); err != nil {
			return err
		}
		if err := c.payments[1].Kill(); err != nil {
			return err
		}
		if err := c.payments[1].Restart(ctx); err != nil {
			return err
		}
		if err := poison(ctx, c.proxies[2], `{"type":"reset_peer","attributes":{"timeout":100}}`, 300*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// lock holds the write lock of order's file.
func lock(ctx context.Context, c *cluster, e engine) error {
	db, err := e.open(c.stores["order"])
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil) // immediate: it has the lock
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	return sleep(ctx, faultTime)
}

func slowDatabase(ctx context.Context, c *cluster, _ engine) error {
	return poison(ctx, c.database, `{"type":"latency","attributes":{"latency":300}}`, faultTime)
}

func databaseGone(ctx context.Context, c *cluster, _ engine) error {
	c.database.Stop()
	if err := sleep(ctx, faultTime); err != nil {
		return err
	}
	return c.database.Start()
}

// restartServer restarts PostgreSQL three times under everybody's connections.
func restartServer(ctx context.Context, _ *cluster, _ engine) error {
	for range 3 {
		if out, err := exec.CommandContext(ctx, os.Getenv(postgresControl), "restart").CombinedOutput(); err != nil {
			return fmt.Errorf("restart of PostgreSQL: %w: %s", err, out)
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

// talkative is a cluster whose orders log every call.
var talkative = shape{payments: 3, orders: 2, environ: []string{"ORDER_LOG_LEVEL=debug"}}

// unreadLog gives the orders pipes for logs that nobody reads. They must serve all the
// same, and must stop when they are told to.
func unreadLog(ctx context.Context, c *cluster, _ engine) error {
	for _, o := range c.orders {
		if err := o.Stop(); err != nil {
			return err
		}
		if err := errors.Join(os.Remove(o.Log), syscall.Mkfifo(o.Log, 0o600)); err != nil {
			return err
		}
		held, err := os.OpenFile(o.Log, os.O_RDWR, 0) // there is a reader, who does not read
		if err != nil {
			return err
		}
		defer held.Close()
		if err := o.Restart(ctx); err != nil {
			return err
		}
	}
	if err := sleep(ctx, faultTime); err != nil {
		return err
	}
	for _, o := range c.orders {
		if err := o.Restart(ctx); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
