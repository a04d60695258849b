package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
)

// Deadlines are the timeouts that the contract gives the methods. Who makes a connection,
// too, has less time than the kernel waits before it tries to make one again: a connection
// that was refused its place is noticed, a machine that is slow is not.
const (
	getTimeout    = 300 * time.Millisecond
	createTimeout = 2 * time.Second
	anewTimeout   = 950 * time.Millisecond
)

// address is what differs in errors that are the same.
var address = regexp.MustCompile(`[0-9.]+:[0-9]{4,5}`)

// calls are those of one kind of honest caller.
type calls struct {
	mu   sync.Mutex
	took []time.Duration // of the good ones
	all  int
	why  map[string]int // the others
}

func (c *calls) add(took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all++; err == nil {
		c.took = append(c.took, took)
		return
	}
	if c.why == nil {
		c.why = map[string]int{}
	}
	c.why[address.ReplaceAllString(err.Error(), "…")]++
}

func (c *calls) good() float64 { return float64(len(c.took)) / float64(max(c.all, 1)) }

// quantile is a duration that so many of a hundred good calls do not exceed.
func (c *calls) quantile(percent int) time.Duration {
	if len(c.took) == 0 {
		return 0
	}
	slices.Sort(c.took)
	return c.took[len(c.took)*percent/100]
}

// fault says why calls are not good, the most frequent reason first.
func (c *calls) fault(least float64) error {
	if c.good() >= least && c.all > 0 {
		return nil
	}
	var most string
	for why, n := range c.why {
		if most == "" || cmp.Or(cmp.Compare(n, c.why[most]), cmp.Compare(most, why)) > 0 {
			most = why
		}
	}
	return fmt.Errorf("%d of %d are good; %d ended with %s", len(c.took), c.all, c.why[most], most)
}

// honest are the callers beside the hostile one. Those of old have connections that they
// keep, newcomers make one for each call.
type honest struct {
	old, newcomers, probes calls

	target *target
	conn   *grpc.ClientConn
	orders orderv1.OrderServiceClient
	http   *http.Client
	userID string
}

// meet makes a user and an order, and the connections of old.
func (b *base) meet(ctx context.Context, r *replica) (h *honest, err error) {
	h = &honest{target: &target{GRPC: r.GRPC, HTTP: r.HTTP, Admin: r.Admin}, http: &http.Client{Transport: &http.Transport{}}}
	users, err := dial(b.user.GRPC)
	if err != nil {
		return nil, err
	}
	defer users.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	u, err := userv1.NewUserServiceClient(users).CreateUser(ctx,
		&userv1.CreateUserRequest{Email: rand.Text() + "@example.com", DisplayName: "Honest"}, grpc.WaitForReady(true))
	if err != nil {
		return nil, err
	}
	h.userID = u.GetUser().GetUserId()
	if h.conn, err = dial(r.GRPC); err != nil {
		return nil, err
	}
	h.orders = orderv1.NewOrderServiceClient(h.conn)
	for range 20 { // until user is healthy for order
		var o *orderv1.CreateOrderResponse
		if o, err = h.order(ctx); err == nil {
			h.target.OrderID = o.GetOrder().GetOrderId()
			return h, nil
		}
		_ = sleep(ctx, 200*time.Millisecond)
	}
	return nil, errors.Join(err, h.conn.Close())
}

func dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
}

func (h *honest) order(ctx context.Context) (*orderv1.CreateOrderResponse, error) {
	key := fmt.Sprintf("%x", rand.Text())
	return h.orders.CreateOrder(ctx, &orderv1.CreateOrderRequest{
		RequestId: fmt.Sprintf("%s-%s-4%s-8%s-%s", key[0:8], key[8:12], key[13:16], key[17:20], key[20:32]),
		UserId:    h.userID, Channel: orderv1.Channel_CHANNEL_WEB,
		Items: []*orderv1.Item{{Sku: "TEA", Quantity: 1, UnitPrice: &orderv1.Money{CurrencyCode: "EUR", AmountMinor: 1250}}},
	})
}

// call goes on until ctx ends, and returns when all have their answers.
func (h *honest) call(ctx context.Context, patience time.Duration) {
	get := &orderv1.GetOrderRequest{OrderId: h.target.OrderID}
	page := "http://" + h.target.HTTP + "/v1/orders/" + h.target.OrderID
	var all sync.WaitGroup
	for _, k := range []struct {
		into     *calls
		every    time.Duration
		deadline time.Duration
		do       func(context.Context) error
	}{
		{&h.old, 50 * time.Millisecond, getTimeout, func(ctx context.Context) error {
			_, err := h.orders.GetOrder(ctx, get)
			return err
		}},
		{&h.old, 50 * time.Millisecond, getTimeout, func(ctx context.Context) error { return h.get(ctx, page, false /* kept */) }},
		{&h.old, 200 * time.Millisecond, createTimeout, func(ctx context.Context) error {
			_, err := h.order(ctx)
			return err
		}},
		{&h.newcomers, 200 * time.Millisecond, anewTimeout, func(ctx context.Context) error { return h.get(ctx, page, true /* anew */) }},
		{&h.newcomers, 200 * time.Millisecond, anewTimeout, func(ctx context.Context) error {
			conn, err := dial(h.target.GRPC)
			if err != nil {
				return err
			}
			defer conn.Close()
			_, err = orderv1.NewOrderServiceClient(conn).GetOrder(ctx, get)
			return err
		}},
		{&h.probes, time.Second, patience, func(ctx context.Context) error {
			return h.get(ctx, "http://"+h.target.Admin+"/livez", true /* anew */)
		}},
		{&h.probes, time.Second, patience, func(ctx context.Context) error {
			return h.get(ctx, "http://"+h.target.Admin+"/readyz", true /* anew */)
		}},
	} {
		all.Go(func() {
			for sleep(ctx, k.every) == nil {
				all.Go(func() {
					limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.deadline)
					defer cancel()
					began := time.Now()
					err := k.do(limited)
					k.into.add(time.Since(began), err)
				})
			}
		})
	}
	all.Wait()
}

// get asks for a page of JSON or of text.
func (h *honest) get(ctx context.Context, url string, anew bool) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Close = anew
	res, err := h.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

func (h *honest) close() {
	_ = h.conn.Close()
	h.http.CloseIdleConnections()
}
