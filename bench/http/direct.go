package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// exchange sends the request of a call once. What it returns is good until the next time.
type exchange func() (status int, body []byte, err error)

// wire is a request as it is sent. No side compresses what nobody says to accept.
func (c call) wire() string {
	head := c.method + " " + c.target + " HTTP/1.1\r\n" +
		"Host: orders.example.com\r\nUser-Agent: bench\r\nAccept: application/json\r\nAuthorization: Bearer " + orderID + "\r\n" +
		"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nX-Request-Id: " + userID + "\r\n"
	if c.body != "" {
		head += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(c.body))
	}
	return head + "\r\n" + c.body
}

// serverContext is what a server's requests have. It ends with the process.
func serverContext() (context.Context, context.CancelFunc) {
	local := net.Addr(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080})
	return context.WithCancel(context.WithValue(context.Background(), http.LocalAddrContextKey, local))
}

// direct calls a handler as a server does that costs nothing: requests and responses are
// the same ones always.
func direct(ctx context.Context, s side, c call) (exchange, error) {
	sent, err := http.ReadRequest(bufio.NewReader(strings.NewReader(c.wire())))
	if err != nil {
		return nil, err
	}
	sent.RemoteAddr = "127.0.0.1:40312"
	sent = sent.WithContext(ctx)
	var (
		w    = &writer{header: http.Header{}}
		r    = new(http.Request)
		body = &content{}
	)
	return func() (int, []byte, error) {
		*r = *sent // handlers change it
		if c.body != "" {
			body.Reset(c.body)
			r.Body = body
		}
		w.reset()
		s.handler.ServeHTTP(w, r)
		return w.status, w.body.Bytes(), nil
	}, nil
}

type content struct{ strings.Reader }

func (*content) Close() error { return nil }

// writer is a response that is used again.
type writer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *writer) reset() {
	clear(w.header)
	w.status = http.StatusOK
	w.body.Reset()
}

func (w *writer) Header() http.Header              { return w.header }
func (w *writer) WriteHeader(status int)           { w.status = status }
func (w *writer) Write(b []byte) (int, error)      { return w.body.Write(b) }
func (w *writer) Flush()                           {}
func (w *writer) SetReadDeadline(time.Time) error  { return nil }
func (w *writer) SetWriteDeadline(time.Time) error { return nil }

// socket sends requests over one connection to a server of net/http.
func socket(_ context.Context, s side, c call) (exchange, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: s.handler}
	go func() { _ = server.Serve(listener) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return nil, err
	}
	var (
		sent = []byte(c.wire())
		in   = bufio.NewReader(conn)
		body bytes.Buffer
	)
	return func() (int, []byte, error) {
		if _, err := conn.Write(sent); err != nil {
			return 0, nil, err
		}
		response, err := http.ReadResponse(in, nil)
		if err != nil {
			return 0, nil, err
		}
		body.Reset()
		_, err = io.Copy(&body, response.Body)
		return response.StatusCode, body.Bytes(), err
	}, nil
}
