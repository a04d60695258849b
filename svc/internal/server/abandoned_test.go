package server_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/policy"
)

// perConnection is how many streams a test opens on one connection.
const perConnection = 200

// abandonment is a way in which callers leave streams behind.
type abandonment struct {
	name, method string
	half         bool // the caller says that it sends no more
	cancel       bool // it cancels
	kill         bool // its connection is cut
}

var ways = []abandonment{
	{name: "killed", method: bidiName, kill: true},
	{name: "half-closed", method: clientName, half: true},
	{name: "cancelled", method: bidiName, cancel: true},
	{name: "silent", method: clientName},
	{name: "not read", method: serverName, half: true},
}

// Ten thousand streams that their callers open and abandon in every way leave
// nothing behind: no goroutine, no memory, no count.
func TestAbandonedStreams(t *testing.T) {
	total := 10_000
	if raceEnabled || testing.Short() {
		total = 1000
	}
	flood := strings.Repeat("x", 8<<10)
	e := deaf()
	e.serverStream = func(_ *text, s grpc.ServerStreamingServer[text]) error {
		for {
			if err := s.Send(wrapperspb.String(flood)); err != nil {
				return err
			}
		}
	}
	e.clientStream = func(s grpc.ClientStreamingServer[text, text]) error { // answers to nobody
		for {
			if _, err := s.Recv(); err == io.EOF {
				<-s.Context().Done()
				return s.Context().Err()
			} else if err != nil {
				return err
			}
		}
	}
	registry := metrics.New(metrics.BuildInfo{})
	b := server.New(server.Options{Metrics: registry, Log: slog.New(slog.DiscardHandler)})
	impl := decorate(b, e, 0, nil, func(m *policy.Method) {
		m.Stream = policy.Stream{IdleTimeout: 2 * time.Second, SendTimeout: 2 * time.Second}
	})
	s := b.NewGRPC(server.GRPCOptions{})
	b.Register(s, &echoDesc, impl)
	f := &fixture{registry: registry, binder: b, conn: serve(t, s)}

	round := func(n int) {
		for _, way := range ways {
			began := time.Now()
			f.abandon(t, n, way)
			t.Logf("%s: %d streams gone after %v", way.name, n, time.Since(began).Round(time.Millisecond))
		}
	}
	round(perConnection) // pools, timers, what the first use of anything keeps
	park(4 * total / len(ways))
	goroutines, heap := settledMemory(0)
	round(total / len(ways))
	after, heapAfter := settledMemory(goroutines)
	t.Logf("goroutines %d -> %d, heap %d KiB -> %d KiB", goroutines, after, heap>>10, heapAfter>>10)
	if after > goroutines {
		stacks := make([]byte, 1<<20)
		t.Errorf("goroutines went from %d to %d:\n%s", goroutines, after, stacks[:runtime.Stack(stacks, true)])
	}
	if heapAfter > heap+1<<20 {
		t.Errorf("the heap went from %d to %d bytes", heap, heapAfter)
	}
	for _, name := range streams {
		if open := f.value(t, "grpc_server_streams_open", name, ""); open != 0 {
			t.Errorf("%s: %v streams are open", name, open)
		}
	}
}

// park has goroutines at the same time. The runtime keeps the descriptor of each
// for the next one, which is not memory that streams leave behind.
func park(n int) {
	var wg sync.WaitGroup
	release := make(chan struct{})
	for range n {
		wg.Go(func() { <-release })
	}
	close(release)
	wg.Wait()
}

// abandon opens streams on connections of its own, leaves them, and returns when
// the server has none of them any more.
func (f *fixture) abandon(t *testing.T, n int, way abandonment) {
	t.Helper()
	var mu sync.Mutex
	var sockets []*net.TCPConn
	dialer := func(ctx context.Context, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			sockets = append(sockets, c.(*net.TCPConn))
		}
		return c, err
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := f.value(t, "grpc_server_started_total", way.method, "")
	var wg sync.WaitGroup
	for range n / perConnection {
		conn, err := grpc.NewClient("passthrough:///"+f.conn.Target(),
			grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(dialer),
			// Windows that do not grow: a caller who does not read shall not take
			// megabytes for each stream before it makes the server wait.
			grpc.WithStaticStreamWindowSize(64<<10), grpc.WithStaticConnWindowSize(64<<10))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		wg.Go(func() { openMany(ctx, t, conn, way) })
	}
	wg.Wait()
	awaitAll(t, func() bool { return f.value(t, "grpc_server_started_total", way.method, "") == before+float64(n) })
	if way.cancel {
		cancel()
	}
	if way.kill {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range sockets {
			_ = c.SetLinger(0) // a reset, as of a process that died
			_ = c.Close()
		}
	}
	awaitAll(t, func() bool { _, live := f.binder.Live(); return live == 0 })
}

func openMany(ctx context.Context, t *testing.T, conn *grpc.ClientConn, way abandonment) {
	for range perConnection {
		stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, way.method)
		if err != nil {
			t.Error(err)
			return
		}
		_ = stream.SendMsg(wrapperspb.String("hello"))
		if way.half {
			_ = stream.CloseSend()
		}
	}
}

// awaitAll waits for what thousands of streams take on a busy machine.
func awaitAll(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("streams are still there, or not yet")
		}
	}
}

// settledMemory returns the goroutines and the heap in use once nothing more
// goes away, or the goroutines are as few as they were.
func settledMemory(want int) (goroutines int, heap uint64) {
	goroutines = runtime.NumGoroutine()
	for range 100 {
		time.Sleep(50 * time.Millisecond)
		now := runtime.NumGoroutine()
		if want == 0 && now == goroutines || want > 0 && now <= want {
			break
		}
		goroutines = now
	}
	runtime.GC()
	runtime.GC() // finalizers, pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}
