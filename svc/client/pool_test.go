package client_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"

	"github.com/protosvc/protosvc/svc/client"
)

// callers counts calls by the connection that they came on.
type callers struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *callers) note(ctx context.Context) {
	p, _ := peer.FromContext(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	c.seen[p.Addr.String()]++
}

func (c *callers) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

func (c *callers) echo() *echo {
	return &echo{
		unary:  func(ctx context.Context, in *text) (*text, error) { c.note(ctx); return in, nil },
		stream: func(s grpc.ServerStream) error { c.note(s.Context()); return sendBack(s) },
	}
}

func TestConnections(t *testing.T) {
	for _, want := range []int{1, 3} {
		var a, b callers
		conn := dial(t, echoSpec(), client.Options{Connections: want}, startBackend(t, a.echo()), startBackend(t, b.echo()))
		ctx := soon(t)
		call := func() {
			if _, err := unary(ctx, conn, ""); err != nil {
				t.Fatal(err)
			}
			s, err := conn.NewStream(ctx, &echoDesc.Streams[2], bidiMethod)
			if err != nil {
				t.Fatal(err)
			}
			_ = s.CloseSend()
			_ = s.RecvMsg(&text{})
		}
		for a.count() < want || b.count() < want { // until all are connected
			call()
		}
		for range 30 * want {
			call()
		}
		if a.count() != want || b.count() != want {
			t.Errorf("backends have %d and %d connections, want %d each", a.count(), b.count(), want)
		}
	}
}

// The pool passes over a connection that is down.
func TestPoolAvoidsWhatIsDown(t *testing.T) {
	a := startBackend(t, named("a"))
	var dialled atomic.Int64
	conn := dial(t, echoSpec(), client.Options{Connections: 3, Dial: []grpc.DialOption{
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			if dialled.Add(1) == 1 { // the first connection hangs for ever
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}),
	}}, a)
	if err := conn.Check(soon(t)); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if _, err := unary(soon(t), conn, ""); err != nil {
			t.Error(err)
		}
	}
}

func TestPoolFollowsHealth(t *testing.T) {
	a, b := startBackend(t, named("a")), startBackend(t, named("b"))
	conn := dial(t, echoSpec(), client.Options{Connections: 2}, a, b)
	ctx := soon(t)
	awaitAnswers(t, ctx, conn, "ab")
	b.health.SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
	awaitAnswers(t, ctx, conn, "a")
}
