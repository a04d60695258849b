package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	svcclient "github.com/protosvc/protosvc/svc/client"
)

// rate is how many orders are created in a second, whatever becomes of them.
const rate = 40

// overNewConnection is what a report calls HTTP/JSON without a connection that is kept.
const overNewConnection = "HTTP, new connection,"

// ways are by which calls come, one after the other.
var ways = []struct {
	protocol string
	create   func(*load, context.Context, *call)
}{
	{"gRPC", (*load).overGRPC},
	{"HTTP", func(l *load, ctx context.Context, c *call) { l.overHTTP(ctx, l.kept, c) }},
	{"gRPC", (*load).overGRPC},
	{overNewConnection, func(l *load, ctx context.Context, c *call) { l.overHTTP(ctx, l.fresh, c) }},
}

// connections are the callers that only look for an order, and how long each rests then.
const (
	connections = 10
	rest        = 50 * time.Millisecond
)

// patience is how long a caller without a deadline of its own waits.
const patience = 5 * time.Second

// call is one CreateOrder and what became of it.
type call struct {
	start    time.Time
	took     time.Duration
	protocol string
	outcome  string // OK, or a code, a status or a kind of error
	detail   string // of one that failed
	orderID  string
}

func (c call) ok() bool { return c.outcome == "OK" }

// unreached reports whether the call reached nobody, or lost whom it had reached.
func (c call) unreached() bool { return c.outcome == refused || c.outcome == reset }

// load creates orders, as programs in the cluster do: by the generated client over gRPC,
// and by the name of the Service over HTTP/JSON, with the standard library and without a
// second try, on connections that are kept and on new ones.
type load struct {
	kept   *http.Client
	fresh  *http.Client
	orders orderv1svc.OrderServiceClient
	dialer *svcclient.Dialer
	userID string

	stopped chan struct{}
	done    chan struct{}
	mu      sync.Mutex
	all     []call
	looks   []call // those of connect, which made no orders
}

// address is where a service is for programs in the cluster, over HTTP/JSON.
func address(service string) string {
	return fmt.Sprintf("http://%s.%s.svc.cluster.local:8080", service, namespace)
}

// newHTTPClient looks names up in the cluster's DNS. Connections are kept, or are new for
// every call.
func newHTTPClient(kept bool) *http.Client {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, dnsAddress+":53")
	}}
	dialer := &net.Dialer{Resolver: resolver}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 32, DisableKeepAlives: !kept}, Timeout: patience}
}

// createUser makes the user who orders.
func (f *flagship) createUser(ctx context.Context) error {
	body := `{"email": "load@example.com", "displayName": "Load"}`
	return f.server.apiserver.within(ctx, time.Minute, func(ctx context.Context) error {
		var res userv1.CreateUserResponse
		if outcome, detail := post(ctx, newHTTPClient(false), address("user")+"/v1/users", []byte(body), &res); outcome != "OK" {
			return errors.New(outcome + ": " + detail)
		}
		f.userID = res.GetUser().GetUserId()
		return nil
	})
}

// startLoad begins with the calls.
func (f *flagship) startLoad() (*load, error) {
	l := &load{kept: newHTTPClient(true), fresh: newHTTPClient(false), userID: f.userID, stopped: make(chan struct{}), done: make(chan struct{})}
	target := fmt.Sprintf("dns://%s/order-headless.%s.svc.cluster.local:9090", dnsAddress, namespace)
	l.dialer = &svcclient.Dialer{Options: svcclient.Options{Target: target, Breaker: &svcclient.Breaker{}}}
	var err error
	if l.orders, err = orderv1svc.DialOrderService(l.dialer); err != nil {
		return nil, err
	}
	go l.run()
	return l, nil
}

func (l *load) run() {
	defer close(l.done)
	var calls sync.WaitGroup
	defer calls.Wait()
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-l.stopped:
			return
		case <-tick.C:
			way := ways[i%len(ways)]
			calls.Go(func() {
				c := call{start: time.Now(), protocol: way.protocol}
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				way.create(l, ctx, &c)
				c.took = time.Since(c.start)
				l.mu.Lock()
				defer l.mu.Unlock()
				l.all = append(l.all, c)
			})
		}
	}
}

// connect looks for an order that does not exist, on a new connection each time, until ctx
// ends. That it is told so is a success.
func (l *load) connect(ctx context.Context) {
	for sleep(ctx, rest) == nil {
		c := call{start: time.Now(), protocol: overNewConnection, outcome: "OK"}
		status, answer, err := ask(context.WithoutCancel(ctx), l.fresh, http.MethodGet, address("order")+"/v1/orders/"+uuid.NewString())
		switch {
		case err != nil:
			c.outcome, c.detail = kind(err), err.Error()
		case status != http.StatusNotFound:
			c.outcome, c.detail = strconv.Itoa(status), answer
		}
		c.took = time.Since(c.start)
		l.mu.Lock()
		l.looks = append(l.looks, c)
		l.mu.Unlock()
	}
}

// stop waits for the last answers and returns what became of every call, in the order in
// which they began.
func (l *load) stop() []call {
	close(l.stopped)
	<-l.done
	_ = l.dialer.Close()
	l.kept.CloseIdleConnections()
	all := l.soFar()
	slices.SortFunc(all, func(a, b call) int { return a.start.Compare(b.start) })
	return all
}

// soFar are the calls that have ended.
func (l *load) soFar() []call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(l.all, l.looks)
}

func (l *load) request() *orderv1.CreateOrderRequest {
	return &orderv1.CreateOrderRequest{
		RequestId: uuid.NewString(), UserId: l.userID, Channel: orderv1.Channel_CHANNEL_WEB,
		Items: []*orderv1.Item{{Sku: "TEA", Quantity: 1, UnitPrice: &orderv1.Money{CurrencyCode: "EUR", AmountMinor: 1250}}},
	}
}

func (l *load) overGRPC(ctx context.Context, c *call) {
	res, err := l.orders.CreateOrder(ctx, l.request())
	c.outcome, c.orderID = status.Code(err).String(), res.GetOrder().GetOrderId()
	if err != nil {
		c.detail = err.Error()
	}
}

func (l *load) overHTTP(ctx context.Context, client *http.Client, c *call) {
	body, err := protojson.Marshal(l.request())
	if err != nil {
		c.outcome, c.detail = "invalid", err.Error()
		return
	}
	var res orderv1.CreateOrderResponse
	c.outcome, c.detail = post(ctx, client, address("order")+"/v1/orders", body, &res)
	c.orderID = res.GetOrder().GetOrderId()
}

// post sends a body and reads the answer into a message. The outcome is OK, the status of
// another answer, or the kind of the error that came instead of one.
func post(ctx context.Context, c *http.Client, url string, body []byte, into proto.Message) (outcome, detail string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "invalid", err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.Do(req)
	if err != nil {
		return kind(err), err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return kind(err), err.Error()
	}
	if res.StatusCode != http.StatusOK {
		return strconv.Itoa(res.StatusCode), string(text)
	}
	// A newer service may send what this one has not heard of.
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, into); err != nil {
		return "invalid", err.Error()
	}
	return "OK", ""
}

// Outcomes of calls that reached nobody, or lost whom they had reached, and of those whose
// caller gave up.
const (
	refused = "refused"
	reset   = "reset"
	timeout = "timeout"
)

// kind is a word for an error of a connection.
func kind(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH): // a Service without pods answers either
		return refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return reset
	case errors.As(err, &network) && network.Timeout():
		return timeout
	}
	return "failed"
}

// failed are the calls that did not succeed.
func failed(calls []call) (all []call) {
	for _, c := range calls {
		if !c.ok() {
			all = append(all, c)
		}
	}
	return all
}

// outcomes counts what became of calls, as "gRPC OK 40, HTTP refused 2".
func outcomes(calls []call) string {
	counts := map[string]int{}
	for _, c := range calls {
		counts[c.protocol+" "+c.outcome]++
	}
	var all []string
	for _, outcome := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %d", outcome, counts[outcome]))
	}
	return strings.Join(all, ", ")
}
