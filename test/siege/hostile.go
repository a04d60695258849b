package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// hostile is the argument by which this program is the hostile client.
const hostile = "hostile"

// attack is the program of the hostile client: the name of a row and, as JSON, its target.
// It lasts until its input ends, and then says on its output what it did.
func attack(args []string) error {
	t := &target{}
	if len(args) != 2 {
		return errors.New("want the name of a row and a target")
	}
	if err := json.Unmarshal([]byte(args[1]), t); err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r row) bool { return r.name == args[0] })
	if i < 0 {
		return fmt.Errorf("there is no row %q", args[0])
	}
	moreFiles()
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent closes it, or dies
		fmt.Println(t.tally.String())        // before the end of what is counted
		stop()
	}()
	err := rows[i].attack(ctx, t)
	<-ctx.Done()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// moreFiles raises the limit of open files as far as this process may.
func moreFiles() uint64 {
	const wanted = 65_536
	var limit syscall.Rlimit
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: wanted, Max: wanted})
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return limit.Cur
}

// tally counts what became of the client's doings.
type tally struct {
	connected, failed, closed atomic.Int64 // connections
	opened, ended, resets     atomic.Int64 // streams
	bytes                     atomic.Int64
	mu                        sync.Mutex
	why                       string // of the first that failed
}

func (t *tally) String() string {
	var parts []string
	for _, p := range []struct {
		format string
		count  int64
	}{
		{"%d connections made", t.connected.Load()},
		{"%d failed", t.failed.Load()},
		{"%d closed by the server", t.closed.Load()},
		{"%d streams opened", t.opened.Load()},
		{"%d ended by the server", t.ended.Load()},
		{"%d reset", t.resets.Load()},
		{"%d MiB sent", t.bytes.Load() >> 20},
	} {
		if p.count > 0 {
			parts = append(parts, fmt.Sprintf(p.format, p.count))
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.why != "" {
		parts = append(parts, "the first failure was "+t.why)
	}
	return strings.Join(parts, ", ")
}

// each runs count of the same at once, and returns the first fault. More than some hundred
// connections are not opened at a time: backlogs are short.
func each(ctx context.Context, count int, do func(i int) error) error {
	faults := make(chan error, count)
	for i := range count {
		if i%200 == 199 {
			_ = sleep(ctx, 20*time.Millisecond)
		}
		go func() { faults <- do(i) }()
	}
	for range count {
		if err := <-faults; err != nil {
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

// addresses are those that connections come from. Each has some thousand ports.
type addresses struct{ used atomic.Int64 }

func (a *addresses) next() net.Addr {
	const ports = 5000
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+(a.used.Add(1)-1)/ports))}
}

// dial connects. A connection that is refused is counted: it is nil.
func (t *target) dial(ctx context.Context, address string) net.Conn {
	d := net.Dialer{LocalAddr: t.addresses.next(), Timeout: 5 * time.Second, KeepAlive: -1}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		t.tally.failed.Add(1)
		t.tally.mu.Lock()
		defer t.tally.mu.Unlock()
		if t.tally.why == "" {
			t.tally.why = err.Error()
		}
		return nil
	}
	t.tally.connected.Add(1)
	return c
}

// silent connects and says nothing until ctx ends.
func (t *target) silent(ctx context.Context, address string) error {
	c := t.dial(ctx, address)
	if c == nil {
		return nil
	}
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	_, _ = io.Copy(io.Discard, c)
	t.tally.closed.Add(1)
	return nil
}

// trickle posts a body of JSON of which it sends all but the last bytes at once, and then
// a byte every ten seconds.
func (t *target) trickle(ctx context.Context, path string, size int) error {
	c := t.dial(ctx, t.HTTP)
	if c == nil {
		return nil
	}
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	go func() {
		_, _ = io.Copy(io.Discard, bufio.NewReader(c))
		t.tally.closed.Add(1)
		_ = c.Close()
	}()
	const kept = 64
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: order\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, size)
	body := head + `{"requestId": "` + strings.Repeat("x", size-kept)
	for len(body) > 0 {
		n, err := c.Write([]byte(body[:min(len(body), 64<<10)]))
		t.tally.bytes.Add(int64(n))
		if body = body[n:]; err != nil {
			return nil
		}
	}
	for sleep(ctx, 10*time.Second) == nil {
		if _, err := c.Write([]byte("x")); err != nil {
			return nil
		}
	}
	return nil
}
