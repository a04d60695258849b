package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// conn is a connection of HTTP/2 that does what no library would do. It keeps to flow
// control, and to the streams that the server allows at once.
type conn struct {
	net    net.Conn
	tally  *tally
	mu     sync.Mutex
	out    *bufio.Writer
	framer *http2.Framer
	block  bytes.Buffer
	hpack  *hpack.Encoder
	last   uint32 // stream that was opened last

	moved   *sync.Cond
	ended   bool
	window  int64            // of the connection, and of each stream: what may be sent
	initial int64            // of a new stream
	streams map[uint32]int64 // those that are open
}

// dialHTTP2 connects; nil if it is refused, which is counted.
func (t *target) dialHTTP2(ctx context.Context) *conn {
	n := t.dial(ctx, t.GRPC)
	if n == nil {
		return nil
	}
	context.AfterFunc(ctx, func() { _ = n.Close() })
	c := &conn{net: n, tally: &t.tally, out: bufio.NewWriterSize(n, 64<<10), last: 1, window: 65_535, initial: 65_535, streams: map[uint32]int64{}}
	c.moved, c.hpack = sync.NewCond(&c.mu), hpack.NewEncoder(&c.block)
	c.framer = http2.NewFramer(c.out, bufio.NewReaderSize(n, 4<<10))
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.out.WriteString(http2.ClientPreface)
	_ = c.framer.WriteSettings()
	_ = c.out.Flush()
	go c.read()
	return c
}

// read answers what must be answered until the connection ends.
func (c *conn) read() {
	for {
		f, err := c.framer.ReadFrame()
		c.mu.Lock()
		if err != nil {
			if !c.ended {
				c.tally.closed.Add(1)
			}
			c.ended = true
			c.moved.Broadcast()
			c.mu.Unlock()
			_ = c.net.Close()
			return
		}
		c.take(f)
		c.moved.Broadcast()
		c.mu.Unlock()
	}
}

func (c *conn) take(frame http2.Frame) {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if f.IsAck() {
			return
		}
		if n, ok := f.Value(http2.SettingInitialWindowSize); ok {
			for id := range c.streams {
				c.streams[id] += int64(n) - c.initial
			}
			c.initial = int64(n)
		}
		_ = c.framer.WriteSettingsAck()
		_ = c.out.Flush()
	case *http2.PingFrame:
		if !f.IsAck() {
			_ = c.framer.WritePing(true /* answer */, f.Data)
			_ = c.out.Flush()
		}
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			c.window += int64(f.Increment)
		} else if _, open := c.streams[f.StreamID]; open {
			c.streams[f.StreamID] += int64(f.Increment)
		}
	case *http2.DataFrame: // small ones: no window is given back
		c.finish(f.StreamID, f.StreamEnded())
	case *http2.HeadersFrame:
		c.finish(f.StreamID, f.StreamEnded())
	case *http2.RSTStreamFrame:
		c.finish(f.StreamID, true)
	}
}

func (c *conn) finish(stream uint32, ended bool) {
	if _, open := c.streams[stream]; open && ended {
		delete(c.streams, stream)
		c.tally.ended.Add(1)
	}
}

// begin opens a stream. The caller holds the lock and flushes.
func (c *conn) begin(method string) (uint32, error) {
	c.block.Reset()
	for _, f := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", method}, {":authority", "order"},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		_ = c.hpack.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	c.last += 2
	c.streams[c.last] = c.initial
	c.tally.opened.Add(1)
	return c.last, c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: c.last, BlockFragment: c.block.Bytes(), EndHeaders: true})
}

// open calls a method, sends the data and leaves the stream open.
func (c *conn) open(method string, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	stream, err := c.begin(method)
	for err == nil && len(data) > 0 {
		window, open := c.streams[stream]
		n := min(c.window, window, 16<<10, int64(len(data)))
		switch {
		case c.ended || !open:
			return nil
		case n <= 0:
			if err = c.out.Flush(); err == nil {
				c.moved.Wait()
			}
			continue
		}
		err = c.framer.WriteData(stream, false /* it goes on */, data[:n])
		data, c.window, c.streams[stream] = data[n:], c.window-n, window-n
		c.tally.bytes.Add(n)
	}
	_ = c.out.Flush()
	return nil // an end is counted where it is read
}

// streams makes connections for count streams and calls open for each.
func (t *target) streams(ctx context.Context, count, perConnection int, open func(*conn) error) error {
	return each(ctx, (count+perConnection-1)/perConnection, func(int) error {
		c := t.dialHTTP2(ctx)
		if c == nil {
			return nil
		}
		_ = sleep(ctx, 100*time.Millisecond) // the server says what it allows
		return each(ctx, perConnection, func(int) error { return open(c) })
	})
}

// resets opens streams and resets them at once, so many in so much time, and connects
// anew where it is cut off.
func (t *target) resets(ctx context.Context, count int, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for count > 0 && ctx.Err() == nil {
		c := t.dialHTTP2(ctx)
		if c == nil {
			_ = sleep(ctx, 10*time.Millisecond)
			continue
		}
		for ; count > 0 && ctx.Err() == nil && c.reset("/order.v1.OrderService/GetOrder") == nil; count-- {
		}
		c.close(count > 0 && ctx.Err() == nil)
	}
	return nil
}

// close ends a connection, and counts it where the server did so before.
func (c *conn) close(before bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before && !c.ended {
		c.tally.closed.Add(1)
	}
	c.ended = true
	_ = c.net.Close()
}

// reset opens a stream and resets it.
func (c *conn) reset(method string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return io.EOF
	}
	stream, err := c.begin(method)
	if err != nil {
		return err
	}
	delete(c.streams, stream)
	c.tally.resets.Add(1)
	return c.framer.WriteRSTStream(stream, http2.ErrCodeCancel)
}

// message is one of gRPC, not compressed.
func message(data string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(data))), data...)
}

// unfinished is one of so many bytes, but for the last of them.
func unfinished(size int) []byte {
	return message(string(make([]byte, size)))[:size-64]
}

// field is a short field of text in a message of protobuf.
func field(number byte, text string) string {
	return string([]byte{number<<3 | 2, byte(len(text))}) + text
}
