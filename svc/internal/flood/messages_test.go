package flood

import (
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/budget"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
)

// of is a message of gRPC with so many bytes.
func of(bytes int) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(bytes)), make([]byte, bytes)...)
}

// What of a stream's bytes belongs to a message that is not whole, wherever they are split.
func TestMessage(t *testing.T) {
	for _, test := range []struct {
		name   string
		stream []byte
		want   int
	}{
		{"nothing", nil, 0},
		{"part of a prefix", of(300)[:3], 3},
		{"a prefix", of(300)[:prefixBytes], prefixBytes},
		{"all but one byte", of(300)[:prefixBytes+299], prefixBytes + 299},
		{"whole", of(300), 0},
		{"empty", of(0), 0},
		{"the length has four bytes", of(0x01020304)[:10], 10},
		{"empty, whole, and one that begins", slices.Concat(of(0), of(70_000), of(9)[:8]), 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			for at := range min(len(test.stream)+1, 400) {
				var m message
				m.add(test.stream[:at])
				m.add(test.stream[at:])
				if m.have != test.want {
					t.Fatalf("split at %d: %d bytes are not whole, want %d", at, m.have, test.want)
				}
			}
		})
	}
}

// held is how much a connection holds after what was read and written.
func held(act func(in, out *http2.Framer)) int {
	c := watch(nil)
	c.in.skip = 0 // the preface is gone
	act(http2.NewFramer(writer(func(p []byte) { c.received(p, 0) }), nil), http2.NewFramer(writer(func(p []byte) { c.sent(p) }), nil))
	return c.messages.held
}

type writer func(p []byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

func TestHeld(t *testing.T) {
	part := of(1000)[:600]
	begin := func(in *http2.Framer, streams ...uint32) {
		for _, stream := range streams {
			open(in, stream)
			_ = in.WriteData(stream, false, part)
		}
	}
	for _, test := range []struct {
		name string
		act  func(in, out *http2.Framer)
		want int
	}{
		{"a message on each of two streams", func(in, _ *http2.Framer) { begin(in, 1, 3) }, 1200},
		{"one is whole", func(in, _ *http2.Framer) {
			begin(in, 1, 3)
			_ = in.WriteData(1, false, of(1000)[600:])
		}, 600},
		{"padding is no part of it", func(in, _ *http2.Framer) {
			open(in, 1)
			_ = in.WriteDataPadded(1, false, part, make([]byte, 200))
			_ = in.WriteDataPadded(1, false, make([]byte, 10), nil)
		}, 610},
		{"nothing but padding", func(in, _ *http2.Framer) {
			open(in, 1)
			_ = in.WriteDataPadded(1, false, nil, make([]byte, 200))
		}, 0},
		{"more padding than payload", func(in, _ *http2.Framer) {
			open(in, 1)
			_ = in.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, []byte{200, 0, 0})
		}, 0},
		{"no payload at all, but padded", func(in, _ *http2.Framer) {
			open(in, 1)
			_ = in.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, nil)
			_ = in.WriteData(1, false, part)
		}, 600},
		{"the client resets one", func(in, _ *http2.Framer) {
			begin(in, 1, 3)
			_ = in.WriteRSTStream(3, http2.ErrCodeCancel)
		}, 600},
		{"the server answers one", func(in, out *http2.Framer) {
			begin(in, 1, 3)
			answer(out, 3)
		}, 600},
		{"the server resets one", func(in, out *http2.Framer) {
			begin(in, 1, 3)
			_ = out.WriteRSTStream(1, http2.ErrCodeNo)
		}, 600},
		{"headers are no answer", func(in, out *http2.Framer) {
			begin(in, 1)
			_ = out.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true})
		}, 600},
		{"what comes after the answer is dropped", func(in, out *http2.Framer) {
			begin(in, 1)
			answer(out, 1)
			_ = in.WriteData(1, false, part)
			_ = in.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true})
			_ = in.WriteData(1, false, part)
		}, 0},
		{"a stream that was never opened", func(in, _ *http2.Framer) { _ = in.WriteData(1, false, part) }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := held(test.act); got != test.want {
				t.Errorf("%d bytes are held, want %d", got, test.want)
			}
		})
	}
}

// The connection that holds the most is closed, whoever spends the last of the budget,
// and what it held is there for others; so is what one held that closes by itself.
func TestCutForMemory(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		memory := budget.New(2000)
		var log strings.Builder
		var ends []rpcmetrics.End
		o := Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Memory: memory, Count: func(why rpcmetrics.End) { ends = append(ends, why) }}
		begun := func(bytes int) (client, server net.Conn) {
			client, inner := net.Pipe()
			server, err := Listen(accepting{inner}, o).Accept()
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				_, _ = io.WriteString(client, http2.ClientPreface)
				f := http2.NewFramer(client, nil)
				open(f, 1)
				_ = f.WriteData(1, false, of(1 << 20)[:bytes])
			}()
			return client, server
		}
		all := func(c net.Conn, bytes int) error {
			_, err := io.ReadFull(c, make([]byte, prefaceBytes+2*headerBytes+bytes))
			return err
		}
		large, largest := begun(1200)
		_, small := begun(700)
		_, other := begun(300)
		if err := errors.Join(all(largest, 1200), all(small, 700), all(other, 300)); err != nil {
			t.Fatal(err)
		}
		if _, err := large.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the client of the largest reads: %v", err)
		}
		if _, err := largest.Read(make([]byte, 1)); err == nil {
			t.Error("the largest can still be read")
		}
		if err := small.Close(); err != nil {
			t.Error(err)
		}
		if got := memory.Held(); got != 300 {
			t.Errorf("%d bytes are held, want 300", got)
		}
		_, sole := begun(2001)
		if err := all(sole, 2001); !errors.Is(err, errMemory) {
			t.Errorf("reading what is too much gives %v, want %v", err, errMemory)
		}
		if want := []rpcmetrics.End{rpcmetrics.EndMemory, rpcmetrics.EndMemory}; !slices.Equal(ends, want) {
			t.Errorf("counted %q, want %q", ends, want)
		}
		if want := `level=WARN msg="connection closed: its messages that are arriving take too much memory" peer=pipe` + "\n"; strings.Count(log.String(), want) != 2 {
			t.Errorf("log is %q, want two lines that end with %q", log.String(), want)
		}
		_ = other.Close()
	})
}

// Where too many streams are open on all connections together, the one with the most is
// closed; streams that ended do not count.
func TestCutForStreams(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		streams := budget.New(6)
		var log strings.Builder
		var ends []rpcmetrics.End
		o := Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Streams: streams, Count: func(why rpcmetrics.End) { ends = append(ends, why) }}
		connect := func() (client, server net.Conn) {
			client, inner := net.Pipe()
			server, err := Listen(accepting{inner}, o).Accept()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _, _ = client.Close(), server.Close() })
			go func() { _, _ = io.WriteString(client, http2.ClientPreface) }()
			if _, err := io.ReadFull(server, make([]byte, prefaceBytes)); err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.Copy(io.Discard, client) }()
			return client, server
		}
		begin := func(client, server net.Conn, ids ...uint32) error {
			sent := written(func(f *http2.Framer) {
				for _, id := range ids {
					open(f, id)
				}
			})
			go func() { _, _ = client.Write(sent) }()
			_, err := io.ReadFull(server, make([]byte, len(sent)))
			return err
		}
		client, most := connect()
		if err := begin(client, most, 1, 3, 5, 7, 9); err != nil {
			t.Fatal(err)
		}
		if _, err := most.Write(written(func(f *http2.Framer) { answer(f, 3) })); err != nil {
			t.Fatal(err)
		}
		other, few := connect()
		if err := begin(other, few, 1, 3); err != nil || streams.Held() != 6 {
			t.Fatalf("%v, and %d streams are open, want 6", err, streams.Held())
		}
		if err := begin(other, few, 5); err != nil {
			t.Errorf("the one with less is closed: %v", err)
		}
		if _, err := most.Read(make([]byte, 1)); err == nil {
			t.Error("the one with the most is not closed")
		}
		if got := streams.Held(); got != 3 {
			t.Errorf("%d streams are open, want 3", got)
		}
		third, alone := connect()
		if err := begin(third, alone, 1, 3, 5, 7); !errors.Is(err, errStreams) {
			t.Errorf("one that opens too many at once: %v, want %v", err, errStreams)
		}
		if want := []rpcmetrics.End{rpcmetrics.EndStreams, rpcmetrics.EndStreams}; !slices.Equal(ends, want) {
			t.Errorf("counted %q, want %q", ends, want)
		}
		if want := `level=WARN msg="connection closed: its open streams are too many" peer=pipe` + "\n"; strings.Count(log.String(), want) != 2 {
			t.Errorf("log is %q, want two lines that end with %q", log.String(), want)
		}
	})
}

// used is a connection that notes what it is told.
type used struct {
	net.Conn
	said []string
}

func (u *used) Busy() { u.said = append(u.said, "busy") }
func (u *used) Idle() { u.said = append(u.said, "idle") }

// A connection is busy from its first stream to the end of its last, and idle between.
func TestUse(t *testing.T) {
	inner := new(used)
	accepted, err := Listen(accepting{inner}, Options{}).Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := accepted.(*conn)
	c.in.skip = 0 // the preface is gone
	in := http2.NewFramer(writer(func(p []byte) { c.received(p, 0) }), nil)
	out := http2.NewFramer(writer(func(p []byte) { c.sent(p) }), nil)
	for _, step := range []struct {
		what string
		do   func()
		want []string
	}{
		{"settings", func() { _ = in.WriteSettings() }, nil},
		{"a stream", func() { open(in, 1) }, []string{"busy"}},
		{"another one", func() { open(in, 3) }, []string{"busy"}},
		{"the answer to one", func() { answer(out, 1) }, []string{"busy"}},
		{"a reset of the other", func() { _ = in.WriteRSTStream(3, http2.ErrCodeCancel) }, []string{"busy", "idle"}},
		{"a reset of one that has ended", func() { _ = in.WriteRSTStream(3, http2.ErrCodeCancel) }, []string{"busy", "idle"}},
		{"one more", func() { open(in, 5) }, []string{"busy", "idle", "busy"}},
		{"which the server resets", func() { _ = out.WriteRSTStream(5, http2.ErrCodeInternal) }, []string{"busy", "idle", "busy", "idle"}},
	} {
		step.do()
		if !slices.Equal(inner.said, step.want) {
			t.Fatalf("after %s: %q, want %q", step.what, inner.said, step.want)
		}
	}
}
