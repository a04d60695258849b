package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/internal/system"
	"github.com/protosvc/protosvc/svc/client"
)

// cluster is the flagship with replicas: order calls payments, each by way of a
// proxy that can break the connection, and finds them by DNS.
type cluster struct {
	dir      string
	shape    shape
	subnet   byte // 127.9.SUBNET.0/24 is where its payments are
	user     *system.Service
	payments []*system.Service
	orders   []*system.Service
	proxies  []*toxiproxy.Proxy // in front of the payments
	database *toxiproxy.Proxy   // in front of order's; nil for a file
	names    *nameserver
	userID   string

	stores map[string]string // URL of each service's database, past the proxy
	counts counts

	sharing []*system.Service  // payments whose shares of the load are compared
	marked  map[string]float64 // the calls before that
}

// shape is what a cluster consists of.
type shape struct {
	payments int // that the name server knows
	further  int // payments that run and nobody knows of
	orders   int
	environ  []string // of all processes
}

const headless = "payment-headless.test"

var clusters atomic.Int32

// startCluster starts everything, with databases of their own.
func startCluster(ctx context.Context, e engine, s shape) (_ *cluster, err error) {
	c := &cluster{shape: s, subnet: byte(clusters.Add(1)), stores: map[string]string{}, counts: counts{of: map[process]map[string]float64{}}}
	if c.dir, err = os.MkdirTemp("", "resilience-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	for _, name := range []string{"user", "payment", "order"} {
		if c.stores[name], err = e.create(ctx, c.dir, name); err != nil {
			return nil, err
		}
	}
	if c.user, err = c.start(ctx, "user", 0); err != nil {
		return nil, err
	}
	for i := range s.payments + s.further {
		p, err := c.start(ctx, "payment", i)
		if err != nil {
			return nil, err
		}
		c.payments = append(c.payments, p)
	}
	if err := c.wire(); err != nil {
		return nil, err
	}
	databaseURL := c.stores["order"]
	if c.database, databaseURL, err = e.wire(databaseURL); err != nil {
		return nil, err
	}
	for i := range s.orders {
		o, err := c.start(ctx, "order", i, "ORDER_DATABASE_URL="+databaseURL)
		if err != nil {
			return nil, err
		}
		c.orders = append(c.orders, o)
	}
	return c, c.createUser(ctx)
}

func (c *cluster) start(ctx context.Context, name string, i int, environ ...string) (*system.Service, error) {
	all := append([]string{
		"USER_DATABASE_URL=" + c.stores["user"],
		"PAYMENT_DATABASE_URL=" + c.stores["payment"],
		"ORDER_DATABASE_URL=" + c.stores["order"],
	}, c.shape.environ...)
	if name == "order" {
		all = append(all,
			"ORDER_CALLEES_USER_SERVICE_TARGET="+c.user.Target(),
			fmt.Sprintf("ORDER_CALLEES_PAYMENT_SERVICE_TARGET=dns://%s/%s:%s", c.names.conn.LocalAddr(), headless, port(c.proxies[0].Listen)))
	}
	return system.StartReplica(ctx, name, strconv.Itoa(i), system.Options{Dir: filepath.Join(c.dir, "logs"), Environ: append(all, environ...)})
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// wire puts a proxy in front of each payment, all on one port as the replicas of a
// headless Service are, and names those that are known from the beginning.
func (c *cluster) wire() (err error) {
	if c.names, err = startNameserver(headless); err != nil {
		return err
	}
	listen := "0"
	for i, p := range c.payments {
		proxy := newProxy(fmt.Sprintf("payment-%d", i), net.JoinHostPort(c.ip(i).String(), listen), p.GRPC)
		if err := proxy.Start(); err != nil {
			return err
		}
		listen = port(proxy.Listen)
		c.proxies = append(c.proxies, proxy)
	}
	c.know(0, c.shape.payments)
	return nil
}

// ip is the address of a payment's proxy.
func (c *cluster) ip(payment int) net.IP { return net.IPv4(127, 9, c.subnet, byte(11+payment)) }

// know has the name server know these payments and no others.
func (c *cluster) know(from, to int) {
	var records []net.IP
	for i := from; i < to; i++ {
		records = append(records, c.ip(i))
	}
	c.names.know(records)
}

func newProxy(name, listen, upstream string) *toxiproxy.Proxy {
	return toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.New(io.Discard)), name, listen, upstream)
}

// createUser tries until user's gRPC health says what its readiness did.
func (c *cluster) createUser(ctx context.Context) error {
	d := &client.Dialer{Options: client.Options{Target: c.user.Target()}}
	defer d.Close()
	users, err := userv1svc.DialUserService(d)
	if err != nil {
		return err
	}
	for end := time.Now().Add(5 * time.Second); ; {
		res, err := users.CreateUser(ctx, &userv1.CreateUserRequest{Email: "load@example.com", DisplayName: "Load"})
		if status.Code(err) != codes.Unavailable || time.Now().After(end) {
			c.userID = res.GetUser().GetUserId()
			return err
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// services are all processes.
func (c *cluster) services() []*system.Service {
	all := slices.Concat(c.orders, c.payments)
	if c.user != nil {
		all = append(all, c.user)
	}
	return all
}

// stop ends everything and keeps nothing.
func (c *cluster) stop() error {
	var faults []error
	for _, s := range c.services() {
		faults = append(faults, s.Kill())
	}
	for _, p := range c.proxies {
		p.Stop()
	}
	if c.database != nil {
		c.database.Stop()
	}
	if c.names != nil {
		c.names.close()
	}
	return errors.Join(append(faults, os.RemoveAll(c.dir))...)
}

// settle is how long what was interrupted may take to find its end.
const settle = 45 * time.Second
