package server_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/server"
)

// Types of HTTP/2 frames, and settings.
const (
	frameSettings, framePing, frameGoAway = 4, 6, 7

	settingMaxStreams, settingMaxHeaderBytes = 3, 6
)

// listen serves a server with the default options in memory.
func listen(t *testing.T) *bufconn.Listener {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	s := server.New(server.Options{}).NewGRPC(server.GRPCOptions{})
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return listener
}

// frame is a frame that a server sent, and when it did.
type frame struct {
	kind    byte
	after   time.Duration
	payload []byte
}

// heard is what a server says to a client that has no calls until it closes the
// connection, and how long that took. A client that answers answers pings.
func heard(t *testing.T, listener *bufconn.Listener, answers bool) (frames []frame, took time.Duration) {
	t.Helper()
	begin := time.Now()
	conn, err := listener.DialContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	for {
		var head [9]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return frames, time.Since(begin)
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(conn, payload); err != nil {
			return frames, time.Since(begin)
		}
		frames = append(frames, frame{head[3], time.Since(begin), payload})
		if head[3] == framePing && head[4] == 0 && answers {
			if _, err := conn.Write(append([]byte{0, 0, 8, framePing, 1, 0, 0, 0, 0}, payload...)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func first(t *testing.T, frames []frame, kind byte) frame {
	t.Helper()
	for _, f := range frames {
		if f.kind == kind {
			return f
		}
	}
	t.Fatalf("no frame of type %d among %v", kind, frames)
	return frame{}
}

// A connection whose client does not answer is probed after a minute and closed
// 20 seconds later.
func TestSilentConnectionIsClosed(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		frames, took := heard(t, listen(t), false)
		if ping := first(t, frames, framePing); ping.after != time.Minute {
			t.Errorf("probed after %v, want 1m", ping.after)
		}
		if took != 80*time.Second {
			t.Errorf("closed after %v, want 1m20s", took)
		}
	})
}

// A connection that works is asked to end after 5 minutes, 10 % more or less.
func TestConnectionHasItsAge(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		frames, _ := heard(t, listen(t), true)
		if end := first(t, frames, frameGoAway).after; end < 270*time.Second || end > 330*time.Second {
			t.Errorf("asked to end after %v, want 4m30s to 5m30s", end)
		}
	})
}

// Clients are told how many calls and how large headers they may send.
func TestAnnouncedLimits(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		frames, _ := heard(t, listen(t), false)
		got := map[uint16]uint32{}
		for s := first(t, frames, frameSettings).payload; len(s) >= 6; s = s[6:] {
			got[binary.BigEndian.Uint16(s)] = binary.BigEndian.Uint32(s[2:])
		}
		if got[settingMaxStreams] != 1000 || got[settingMaxHeaderBytes] != 16384 {
			t.Errorf("%d streams and headers of %d bytes are announced, want 1000 and 16384", got[settingMaxStreams], got[settingMaxHeaderBytes])
		}
	})
}

// Clients may probe the server every 10 seconds without having a call. Else those
// that look for dead connections would lose the good ones.
func TestIdleClientsMayPing(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		listener := listen(t)
		conn, err := grpc.NewClient("passthrough:///memory",
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second, PermitWithoutStream: true}))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Connect()
		time.Sleep(time.Millisecond)
		if s := conn.GetState(); s != connectivity.Ready {
			t.Fatalf("the connection is %v", s)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute) // less than its age
		defer cancel()
		if conn.WaitForStateChange(ctx, connectivity.Ready) {
			t.Errorf("a client that pings without a call lost its connection: it is %v", conn.GetState())
		}
	})
}
