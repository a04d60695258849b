package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc/status"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
)

// tap stands between order and PostgreSQL. It knows where a message of order ends,
// and can kill the process at a message of a given number: before PostgreSQL gets
// it, or after, so that the answer is lost.
type tap struct {
	listener net.Listener
	upstream string

	mu    sync.Mutex
	pid   int // 0: nobody is killed
	left  int // messages until the kill
	after bool
}

func startTap(upstream string) (*tap, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &tap{listener: l, upstream: upstream}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go t.serve(conn)
		}
	}()
	return t, nil
}

func (t *tap) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", t.upstream)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		client.Close()
	}()
	_ = t.forward(bufio.NewReader(client), server) // ends with either side
}

// forward passes on message by message. The first one of a connection has no type.
func (t *tap) forward(from *bufio.Reader, to io.Writer) error {
	for header := 4; ; header = 5 {
		head := make([]byte, header)
		if _, err := io.ReadFull(from, head); err != nil {
			return err
		}
		size := int(binary.BigEndian.Uint32(head[header-4:])) - 4
		message := append(head, make([]byte, size)...)
		if _, err := io.ReadFull(from, message[header:]); err != nil {
			return err
		}
		pid, after := t.due()
		if pid != 0 && !after {
			return syscall.Kill(pid, syscall.SIGKILL)
		}
		if _, err := to.Write(message); err != nil {
			return err
		}
		if pid != 0 {
			return syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// due counts a message and returns who is to be killed at it.
func (t *tap) due() (pid int, after bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pid == 0 {
		return 0, false
	}
	if t.left--; t.left > 0 {
		return 0, false
	}
	pid, t.pid = t.pid, 0
	return pid, t.after
}

func (t *tap) arm(pid, message int, after bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pid, t.left, t.after = pid, message, after
}

// disarm reports whether the kill has not come to pass.
func (t *tap) disarm() (unused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	unused = t.pid != 0
	t.pid = 0
	return unused
}

// operation is one call of order that is repeated until it succeeds.
type operation struct {
	name string
	// prepare returns the call. What it does itself is not disturbed.
	prepare func(context.Context, orderv1svc.OrderServiceClient, string) (func() call, error)
}

var operations = []operation{
	{"CreateOrder", func(ctx context.Context, orders orderv1svc.OrderServiceClient, user string) (func() call, error) {
		key := rand.Text()
		return func() call { return create(ctx, orders, user, key) }, nil
	}},
	{"CancelOrder", func(ctx context.Context, orders orderv1svc.OrderServiceClient, user string) (func() call, error) {
		key := rand.Text()
		made, err := eventually(ctx, func() call { return create(ctx, orders, user, key) })
		if err != nil {
			return nil, err
		}
		if !made.ok() {
			return nil, fmt.Errorf("create the order to cancel: %s", made.Error)
		}
		return func() call {
			res, err := orders.CancelOrder(ctx, &orderv1.CancelOrderRequest{OrderId: made.OrderID})
			c := call{Code: status.Code(err).String(), OrderID: res.GetOrder().GetOrderId()}
			if err != nil {
				c.Error = err.Error()
			}
			return c
		}, nil
	}},
}

// steps is a series of kills at the messages of one operation.
type steps struct {
	operation
	after bool // PostgreSQL has the message, and order does not have the answer
}

// everyStep kills order at the first message that an operation sends to its database,
// at the second, and so on, until the operation is through before the kill; once so
// that the message is lost and once so that the answer is. Each time order starts
// again, the caller asks again, and the books must agree.
//
// Most of the time goes by until a lease of the dead ends, so all series run at once,
// each on a cluster of its own.
func everyStep(ctx context.Context, e engine, r *result) error {
	var series []steps
	for _, op := range operations {
		series = append(series, steps{op, false}, steps{op, true})
	}
	results, faults := make([]result, len(series)), make([]error, len(series))
	var runs sync.WaitGroup
	for i, s := range series {
		runs.Go(func() { faults[i] = s.run(ctx, e, &results[i]) })
	}
	runs.Wait()
	for _, of := range results {
		r.add(of)
	}
	return errors.Join(faults...)
}

// add counts what another one counted.
func (r *result) add(o result) {
	r.calls += o.calls
	r.during += o.during
	r.succeeded += o.succeeded
	r.money.Orders += o.money.Orders
	r.money.Payments += o.money.Payments
	r.money.Wrong += o.money.Wrong
	r.money.Problems = append(r.money.Problems, o.money.Problems...)
}

func (s steps) run(ctx context.Context, e engine, r *result) (err error) {
	c, err := startCluster(ctx, e, shape{payments: 1})
	if err != nil {
		return err
	}
	defer func() {
		if stopped := c.stop(); err == nil {
			err = stopped
		}
	}()
	u, err := url.Parse(c.stores["order"])
	if err != nil {
		return err
	}
	t, err := startTap(u.Host)
	if err != nil {
		return err
	}
	defer t.listener.Close()
	u.Host = t.listener.Addr().String()
	order, err := c.start(ctx, "order", 0, "ORDER_DATABASE_URL="+u.String())
	if err != nil {
		return err
	}
	c.orders = append(c.orders, order)
	for message := 1; ; message++ {
		through, err := c.killAt(ctx, e, r, t, s, message)
		if err != nil {
			return fmt.Errorf("%s, message %d, after %t: %w", s.name, message, s.after, err)
		}
		if through {
			return nil
		}
	}
}

// killAt does the operation while order is killed, and reports whether it was
// through before that.
func (c *cluster) killAt(ctx context.Context, e engine, r *result, t *tap, s steps, message int) (through bool, err error) {
	order := c.orders[0]
	orders, closing, err := dialOrders([]string{order.GRPC})
	if err != nil {
		return false, err
	}
	defer closing()
	do, err := s.prepare(ctx, orders, c.userID)
	if err != nil {
		return false, err
	}
	t.arm(order.PID(), message, s.after)
	first := do()
	if t.disarm() {
		return true, nil
	}
	if err := order.Kill(); err != nil { // it is dead, and this notices
		return false, err
	}
	if err := order.Restart(ctx); err != nil {
		return false, err
	}
	again, err := eventually(ctx, do)
	if err != nil {
		return false, err
	}
	books, err := c.audit(ctx, e, []call{first, again})
	if err != nil {
		return false, err
	}
	r.calls++
	r.during++
	r.money.Orders, r.money.Payments = books.Orders, books.Payments
	if again.ok() && books.Wrong == 0 && (!first.ok() || first.OrderID == again.OrderID) {
		r.succeeded++
		return false, nil
	}
	r.money.Wrong++
	r.money.Problems = append(append(r.money.Problems, books.Problems...), fmt.Sprintf("%s killed at message %d (after %t): %s, then %s", s.name, message, s.after, first.Code, again.Error))
	return false, nil
}

// eventually repeats a call until it succeeds, for ten seconds.
func eventually(ctx context.Context, do func() call) (call, error) {
	c := do()
	for end := time.Now().Add(10 * time.Second); !c.ok() && time.Now().Before(end); c = do() {
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return c, err
		}
	}
	return c, nil
}
