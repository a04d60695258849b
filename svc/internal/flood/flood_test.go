package flood

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/http2"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call is what happens to one stream.
type call func(in, out *http2.Framer, stream uint32)

func open(f *http2.Framer, stream uint32) {
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, EndHeaders: true})
}

func answer(f *http2.Framer, stream uint32) {
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, EndHeaders: true})
	_ = f.WriteData(stream, false, make([]byte, 10))
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, EndHeaders: true, EndStream: true})
}

func answeredCall(in, out *http2.Framer, stream uint32) {
	open(in, stream)
	answer(out, stream)
}

func resetBy(client http2.ErrCode) call {
	return func(in, _ *http2.Framer, stream uint32) {
		open(in, stream)
		_ = in.WriteRSTStream(stream, client)
	}
}

func resetByServer(code http2.ErrCode) call {
	return func(in, out *http2.Framer, stream uint32) {
		open(in, stream)
		_ = out.WriteRSTStream(stream, code)
	}
}

// answeredEarly is a call that ends before the client has said everything.
func answeredEarly(in, out *http2.Framer, stream uint32) {
	answeredCall(in, out, stream)
	_ = out.WriteRSTStream(stream, http2.ErrCodeNo)
	_ = in.WriteRSTStream(stream, http2.ErrCodeNo)
}

// one is some call after others of another kind.
func one(of int, some, others call) call {
	return func(in, out *http2.Framer, stream uint32) {
		if int(stream/2)%of == 0 {
			some(in, out, stream)
		} else {
			others(in, out, stream)
		}
	}
}

// Who is cut, after how many calls, at so many in a second.
func TestDebt(t *testing.T) {
	cancelled := resetBy(http2.ErrCodeCancel)
	for _, test := range []struct {
		name      string
		perSecond int
		call      call
		cut       int // after so many calls; 0: never
	}{
		{"answered", 100_000, answeredCall, 0},
		{"answered early", 100_000, answeredEarly, 0},
		{"a hedge for every tenth", 100_000, one(11, cancelled, answeredCall), 0},
		{"a third is cancelled", 99_999, one(3, cancelled, answeredCall), 0},
		{"half is cancelled", 100_000, one(2, cancelled, answeredCall), 4031},
		{"cancelled at the rate", 200, cancelled, 0},
		{"cancelled at twice the rate", 400, cancelled, 2000},
		{"cancelled", 16_000, cancelled, 1013},
		{"all at once", 1_000_000_000, cancelled, 1001},
		{"reset without an error", 100_000, resetBy(http2.ErrCodeNo), 2009},
		{"refused by the server", 16_000, resetByServer(http2.ErrCodeRefusedStream), 1013},
		{"malformed", 16_000, resetByServer(http2.ErrCodeProtocol), 1013},
		{"past the deadline", 100_000, resetByServer(http2.ErrCodeCancel), 0},
		{"failed in the server", 100_000, resetByServer(http2.ErrCodeInternal), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := cutAfter(time.Hour, test.perSecond, test.call); got != test.cut {
				t.Errorf("cut after %d calls, want %d", got, test.cut)
			}
		})
	}
}

// A new connection is trusted with less, until time or answers have paid.
func TestNewConnection(t *testing.T) {
	cancelled := resetBy(http2.ErrCodeCancel)
	for _, test := range []struct {
		name string
		age  time.Duration
		call call
		cut  int
	}{
		{"new", 0, cancelled, 101},
		{"after a second", time.Second, cancelled, 301},
		{"after 4.5 s", 4500 * time.Millisecond, cancelled, 1001},
		{"after an hour", time.Hour, cancelled, 1001},
		{"answers", 0, answeredCall, 0},
		{"a third is cancelled", 0, one(3, cancelled, answeredCall), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := cutAfter(test.age, 1_000_000_000, test.call); got != test.cut {
				t.Errorf("cut after %d calls, want %d", got, test.cut)
			}
		})
	}
}

// cutAfter returns how many of 20,000 calls a client makes on a connection of an age, 0
// for all of them.
func cutAfter(age time.Duration, perSecond int, call call) int {
	c := watch(nil)
	c.in.skip = 0 // the preface is gone
	var in, out strings.Builder
	client, server := http2.NewFramer(&in, nil), http2.NewFramer(&out, nil)
	for i := range 20_000 {
		now := age + time.Duration(i)*time.Second/time.Duration(perSecond)
		call(client, server, uint32(2*i+1))
		over := c.debt.add(c.received([]byte(in.String()), now), now)
		over = c.debt.add(c.sent([]byte(out.String())), now) || over
		if over {
			return i + 1
		}
		in.Reset()
		out.Reset()
	}
	return 0
}

// A reset counts while its stream is young, and never once it is old.
func TestYouth(t *testing.T) {
	for _, test := range []struct {
		age, step time.Duration // the connection is read at each step
		want      int
	}{
		{0, time.Millisecond, abandoned},
		{youth, time.Millisecond, abandoned},
		{2 * youth, time.Millisecond, 0},
		{youth - 1, youth - 1, abandoned},
		{2 * youth, 2 * youth, 0},
		{time.Hour, time.Hour, 0},
	} {
		for offset := time.Duration(0); offset < youth; offset += youth / 10 {
			c := watch(nil)
			c.in.skip = 0 // the preface is gone
			began := time.Hour + offset
			for now := time.Hour; now < began; now += time.Millisecond {
				c.received(nil, now)
			}
			c.received(written(func(f *http2.Framer) { open(f, 1) }), began)
			for now := began; now < began+test.age; now += test.step {
				c.received(nil, now)
			}
			later := written(func(f *http2.Framer) { open(f, 3); _ = f.WriteRSTStream(1, http2.ErrCodeCancel) })
			if got := c.received(later, began+test.age); got != test.want {
				t.Errorf("read each %v from %v on, a reset after %v is %d points, want %d", test.step, offset, test.age, got, test.want)
			}
		}
	}
}

// A stream is opened once: its number cannot make those after it old or young.
func TestHeadersOfAnOldStream(t *testing.T) {
	c, now := watch(nil), time.Hour
	c.in.skip = 0 // the preface is gone
	read := func(write func(*http2.Framer)) int { return c.received(written(write), now) }
	read(func(f *http2.Framer) { open(f, 9) })
	now += youth
	read(func(f *http2.Framer) { open(f, 1) })
	for range 2 {
		now += youth
		if got := read(func(f *http2.Framer) { _ = f.WriteRSTStream(9, http2.ErrCodeCancel) }); got != 0 {
			t.Errorf("%d points for a stream that is old", got)
		}
	}
}

// accepting is a listener of one connection.
type accepting struct{ net.Conn }

func (a accepting) Accept() (net.Conn, error) { return a.Conn, nil }
func (a accepting) Addr() net.Addr            { return a.LocalAddr() }

// A connection that is cut is closed, counted and logged once; what was sent last is
// read by nobody.
func TestCut(t *testing.T) {
	for name, act := range map[string]struct {
		client call
		do     func(c net.Conn, in, out []byte) (int, error)
		want   int // bytes
	}{
		"read": {resetBy(http2.ErrCodeCancel), func(c net.Conn, in, _ []byte) (int, error) { return c.Read(make([]byte, len(in))) }, 0},
		"write": {resetByServer(http2.ErrCodeProtocol), func(c net.Conn, _, out []byte) (int, error) {
			return c.Write(out)
		}, 1001 * (headerBytes + codeBytes)},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				var in, out strings.Builder
				for i := range uint32(burst + 1) {
					act.client(http2.NewFramer(&in, nil), http2.NewFramer(&out, nil), 2*i+1)
				}
				client, inner := net.Pipe()
				var log strings.Builder
				count := 0
				l := Listen(accepting{inner}, Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Count: func(why rpcmetrics.End) {
					if why != rpcmetrics.EndResets {
						t.Errorf("counted as %s", why)
					}
					count++
				}})
				c, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					_, _ = io.WriteString(client, http2.ClientPreface)
					_, _ = io.WriteString(client, in.String())
				}()
				go func() { _, _ = io.Copy(io.Discard, client) }()
				if n, err := c.Read(make([]byte, prefaceBytes)); n != prefaceBytes || err != nil {
					t.Fatalf("the preface: %d, %v", n, err)
				}
				if n, err := act.do(c, []byte(in.String()), []byte(out.String())); n != act.want || !errors.Is(err, errResets) {
					t.Errorf("got %d bytes, %v, want %d and %v", n, err, act.want, errResets)
				}
				if _, err := client.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("the client reads: %v", err)
				}
				c.(*conn).cut(errResets) // by what was written meanwhile
				if count != 1 {
					t.Errorf("counted %d times", count)
				}
				if want := `level=WARN msg="connection closed: its client resets streams too fast" peer=pipe` + "\n"; !strings.HasSuffix(log.String(), want) || strings.Count(log.String(), "\n") != 1 {
					t.Errorf("log is %q, want one line that ends with %q", log.String(), want)
				}
			})
		})
	}
}
