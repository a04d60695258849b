package server_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/internal/server"
)

// A client that probes the server all the time is disconnected, and told why.
func TestTooManyPings(t *testing.T) {
	address := serve(t, server.New(server.Options{}).NewGRPC(server.GRPCOptions{})).Target()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	settings := []byte{0, 0, 0, 4, 0, 0, 0, 0, 0}                    // a frame of type SETTINGS
	ping := append([]byte{0, 0, 8, 6, 0, 0, 0, 0, 0}, "whoareu?"...) // a frame of type PING
	if _, err := c.Write(append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings...)); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := c.Write(ping); err != nil {
			break // disconnected already
		}
	}
	_ = c.SetReadDeadline(time.Now().Add(8 * time.Second))
	said, _ := io.ReadAll(c) // a reset may follow
	if !bytes.Contains(said, []byte("too_many_pings")) {
		t.Errorf("the server said %q", said)
	}
}
