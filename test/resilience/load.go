package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/svc/client"
)

// call is one CreateOrder, as the load process tells of it: a JSON line.
type call struct {
	RequestID string        `json:"request_id"`
	Start     time.Time     `json:"start"`
	Took      time.Duration `json:"took"`
	Code      string        `json:"code"`
	Error     string        `json:"error,omitempty"`
	OrderID   string        `json:"order_id,omitempty"`
}

func (c call) ok() bool { return c.Code == "OK" }

// rate is how many orders are created in a second, whatever becomes of them.
const rate = 40

// load is the program of the load process: it creates orders until it is told to
// stop, and then waits for the answers.
func load(args []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	targets := flags.String("orders", "", "addresses of order, with commas between them")
	user := flags.String("user", "", "id of the user who orders")
	_ = flags.Parse(args)
	orders, closing, err := dialOrders(strings.Split(*targets, ","))
	if err != nil {
		return err
	}
	defer closing()
	stopped := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent closes it, or dies
		close(stopped)
	}()
	out := json.NewEncoder(os.Stdout)
	var mu sync.Mutex
	var calls sync.WaitGroup
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for {
		select {
		case <-stopped:
			calls.Wait()
			return nil
		case <-tick.C:
			calls.Go(func() {
				c := create(context.Background(), orders, *user, rand.Text())
				mu.Lock()
				defer mu.Unlock()
				_ = out.Encode(c) // nobody is left to tell if the parent has gone
			})
		}
	}
}

// dialOrders connects as the contract says, breaker included.
func dialOrders(addresses []string) (orderv1svc.OrderServiceClient, func(), error) {
	r := manual.NewBuilderWithScheme("replicas")
	var state resolver.State
	for _, a := range addresses {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: a}}})
	}
	r.InitialState(state)
	d := &client.Dialer{Options: client.Options{Target: "replicas:///order", Resolver: r, Breaker: &client.Breaker{}}}
	orders, err := orderv1svc.DialOrderService(d)
	return orders, func() { _ = d.Close() }, err
}

// create orders once. The key makes a UUID of the request, so that the same order
// can be asked for again.
func create(ctx context.Context, orders orderv1svc.OrderServiceClient, user, key string) call {
	c := call{RequestID: uuid(key), Start: time.Now()}
	res, err := orders.CreateOrder(ctx, &orderv1.CreateOrderRequest{
		RequestId: c.RequestID, UserId: user, Channel: orderv1.Channel_CHANNEL_WEB,
		Items: []*orderv1.Item{{Sku: "TEA", Quantity: 1, UnitPrice: &orderv1.Money{CurrencyCode: "EUR", AmountMinor: 1250}}},
	})
	c.Took, c.Code, c.OrderID = time.Since(c.Start), status.Code(err).String(), res.GetOrder().GetOrderId()
	if err != nil {
		c.Error = err.Error()
	}
	return c
}

func uuid(key string) string {
	h := fmt.Sprintf("%x", key)
	return fmt.Sprintf("%s-%s-4%s-8%s-%s", h[0:8], h[8:12], h[13:16], h[17:20], h[20:32])
}

// loader is the load process.
type loader struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan []call
}

func startLoad(c *cluster) (*loader, error) {
	var targets []string
	for _, o := range c.orders {
		targets = append(targets, o.GRPC)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "load", "-orders", strings.Join(targets, ","), "-user", c.userID)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	l := &loader{cmd, stdin, make(chan []call, 1)}
	go func() {
		var all []call
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			var c call
			if json.Unmarshal(lines.Bytes(), &c) == nil {
				all = append(all, c)
			}
		}
		l.lines <- all
	}()
	return l, cmd.Start()
}

// stop ends the load and returns what became of every call.
func (l *loader) stop() ([]call, error) {
	_ = l.stdin.Close()
	calls := <-l.lines
	err := l.cmd.Wait()
	if len(calls) == 0 {
		err = errors.Join(err, errors.New("the load process made no call"))
	}
	return calls, err
}
