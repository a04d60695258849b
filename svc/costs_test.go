package svc

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/policy"
	"github.com/protosvc/protosvc/svc/server"
)

// What the generator reckons with when it holds limits against the memory of a replica is
// what they cost, and no less. How much less it is depends on the stacks that goroutines of
// other tests have left.
func TestCosts(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has memory of its own")
	}
	const n = 500
	entered := make(chan struct{}, n)
	s := greeter(t, nil)
	s.Migrations = nil
	s.Settings.Database = nil
	s.Settings.Listen.HTTP = "127.0.0.1:0"
	s.HTTP = []Route{}
	s.Start = patient(waiter(entered))
	r := start(t, s, Options{})
	for name, c := range map[string]struct {
		cost int // that of the table
		open func(t *testing.T)
	}{
		"a connection of gRPC and one of HTTP": {defaults.ConnectionBytes, func(t *testing.T) {
			for range n {
				idle(t, r.GRPC, preface())
				idle(t, r.HTTP, []byte("GET / HTTP/1.1\r\nHost: greeter\r\n\r\n"))
			}
		}},
		"a call": {defaults.CallBytes, func(t *testing.T) {
			_, f := raw(t, r.GRPC)
			for i := range uint32(n) {
				message := encoded(t, wrapperspb.String("wait"))
				must(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: rawHeaders(), EndHeaders: true}))
				must(t, f.WriteData(2*i+1, true, message))
			}
			for range n {
				<-entered
			}
		}},
		"a stream": {defaults.StreamBytes, func(t *testing.T) {
			_, f := raw(t, r.GRPC)
			for i := range uint32(n) {
				must(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: headersOf("/grpc.health.v1.Health/Watch"), EndHeaders: true}))
				must(t, f.WriteData(2*i+1, true, make([]byte, 5)))
			}
			for answered := 0; answered < n; {
				frame, err := f.ReadFrame()
				must(t, err)
				if frame.Header().Type == http2.FrameData {
					answered++
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			before := live()
			c.open(t)
			measured := (live() - before) / n
			t.Logf("%s costs %d bytes, of %d", name, measured, c.cost)
			if measured > c.cost {
				t.Errorf("it costs %d bytes; the table says %d", measured, c.cost)
			}
		})
	}
}

// patient starts a greeter whose calls have a minute.
func patient(newHandler func(*App) (greet, error)) func(*App) error {
	return Start(&greeterDesc, func(app *App) *App { return app }, newHandler, func(b *server.Binder, h greet, _ *App) *greetServer {
		return &greetServer{server.BindUnary(b, policy.Method{Name: greetName, Timeout: time.Minute}, nil, h)}
	})
}

// live is what is in use: objects, and the stacks of goroutines.
func live() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what was released in the first
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// idle connects, says this, and waits for the beginning of an answer.
func idle(t *testing.T, address string, hello []byte) {
	c, err := net.Dial("tcp", address)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, err = c.Write(hello)
	must(t, err)
	_, err = io.ReadFull(c, make([]byte, 9))
	must(t, err)
}

// preface is what a client of gRPC says first.
func preface() []byte {
	b := bytes.NewBufferString(http2.ClientPreface)
	_ = http2.NewFramer(b, nil).WriteSettings()
	return b.Bytes()
}

// encoded is a message of gRPC as it is in DATA.
func encoded(t *testing.T, m proto.Message) []byte {
	body, err := proto.Marshal(m)
	must(t, err)
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
}
