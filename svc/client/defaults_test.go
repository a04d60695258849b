package client_test

import (
	"context"
	stderrors "errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// A call that a callee leaves without an answer is its fault from half of the
// method's time on. Less may be the haste of the caller.
func TestPatience(t *testing.T) {
	for _, test := range []struct {
		waits time.Duration // of the method's second
		fault bool
	}{{490 * time.Millisecond, false}, {510 * time.Millisecond, true}, {time.Second, true}} {
		t.Run(test.waits.String(), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				spec := echoSpec()
				spec.Methods[0].Timeout = time.Second
				conn := dial(t, spec, touchy(), startInMemory(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
					<-ctx.Done()
					return in, ctx.Err()
				}}))
				var last error
				for range 6 { // one more than opens the breaker
					ctx, cancel := context.WithTimeout(context.Background(), test.waits)
					_, last = unary(ctx, conn, "")
					cancel()
				}
				if open := stderrors.Is(last, errors.CircuitOpen); open != test.fault {
					t.Errorf("after five calls that waited %v in vain: %v; the breaker is open: %t, want %t", test.waits, last, open, test.fault)
				}
			})
		})
	}
}

// dials are the attempts to connect.
type dials struct {
	mu             sync.Mutex
	begin          []time.Time
	attemptTimeout time.Duration // of the last
}

func (d *dials) dial(ctx context.Context, _ string) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.begin = append(d.begin, time.Now())
	if deadline, ok := ctx.Deadline(); ok {
		d.attemptTimeout = time.Until(deadline)
	}
	return nil, stderrors.New("refused")
}

// However long a callee was away, a client looks for it each second, 20 % more or
// less, and waits 5 seconds for an answer.
func TestConnectAttempts(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var d dials
		conn := dial(t, echoSpec(), client.Options{Dial: []grpc.DialOption{grpc.WithContextDialer(d.dial)}}, backend{address: "away"})
		_, _ = unary(soon(t), conn, "") // connects
		time.Sleep(2 * time.Minute)
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.begin) < 100 {
			t.Fatalf("%d attempts to connect within two minutes, want 100 or more", len(d.begin))
		}
		if first := d.begin[1].Sub(d.begin[0]); first < 80*time.Millisecond || first > 120*time.Millisecond {
			t.Errorf("the second attempt comes after %v, want 80 to 120 ms", first)
		}
		for i := 10; i < len(d.begin); i++ { // when the waits have grown
			if wait := d.begin[i].Sub(d.begin[i-1]); wait < 800*time.Millisecond || wait > 1200*time.Millisecond {
				t.Fatalf("attempt %d comes %v after the one before, want 800 to 1200 ms", i+1, wait)
			}
		}
		if d.attemptTimeout != 5*time.Second {
			t.Errorf("an attempt may take %v, want 5s", d.attemptTimeout)
		}
	})
}

// muteConn is a connection whose other end hears nothing more, once it is mute.
type muteConn struct {
	net.Conn
	mute *atomic.Bool
}

func (c muteConn) Write(p []byte) (int, error) {
	if c.mute.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// A machine that went away without a word is noticed after 40 seconds: it is
// probed after 30, and has 10 to answer.
func TestDeadMachineIsNoticed(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		reached := make(chan struct{}, 1)
		b := startInMemory(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
			reached <- struct{}{}
			<-ctx.Done()
			return in, ctx.Err()
		}})
		var mute atomic.Bool
		o := client.Options{Dial: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			conn, err := b.memory.DialContext(ctx)
			return muteConn{conn, &mute}, err
		})}}
		conn := dial(t, echoSpec(), o, backend{address: b.address})
		begin := time.Now()
		ended := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		go func() { _, err := unary(ctx, conn, ""); ended <- err }()
		<-reached
		mute.Store(true)
		err := <-ended
		if took := time.Since(begin); status.Code(err) != codes.Unavailable || took != 40*time.Second {
			t.Errorf("the call ended after %v with %v, want after 40s with Unavailable", took, err)
		}
	})
}

// The policies are the contract's: what the name service says about methods
// changes nothing.
func TestNameServiceHasNoSay(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := startInMemory(t, &echo{unary: func(ctx context.Context, in *text) (*text, error) {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return in, ctx.Err()
		}})
		r := manual.NewBuilderWithScheme("echo")
		conn := dial(t, echoSpec(), client.Options{Resolver: r}, b)
		if _, err := unary(soon(t), conn, ""); err != nil { // the resolver runs
			t.Fatal(err)
		}
		config := r.CC().ParseServiceConfig(`{"methodConfig": [{"name": [{}], "timeout": "0.1s"}]}`)
		if config.Err != nil {
			t.Fatal(config.Err)
		}
		r.UpdateState(resolver.State{
			Endpoints:     []resolver.Endpoint{{Addresses: []resolver.Address{{Addr: b.address}}}},
			ServiceConfig: config,
		})
		synctest.Wait()
		if _, err := unary(soon(t), conn, ""); err != nil {
			t.Errorf("with a timeout from the name service: %v", err)
		}
	})
}

// A message may have 4 MiB, and no byte more.
func TestDefaultReceiveBytes(t *testing.T) {
	const head = 5 // of the message's only field, at this size
	for bytes, want := range map[int]error{4<<20 - head: nil, 4<<20 - head + 1: errors.MessageTooLarge} {
		conn := dial(t, echoSpec(), client.Options{}, startInMemory(t, &echo{unary: func(context.Context, *text) (*text, error) {
			return &text{Value: string(make([]byte, bytes))}, nil
		}}))
		if _, err := unary(soon(t), conn, ""); !stderrors.Is(err, want) {
			t.Errorf("a message with a text of %d bytes: %v, want %v", bytes, err, want)
		}
	}
}
