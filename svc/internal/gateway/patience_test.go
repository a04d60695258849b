package gateway_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/gateway"
)

// impatient serves the service to clients who may take 500 ms to accept each piece,
// and returns its address.
func impatient(t *testing.T, impl *echo) string {
	t.Helper()
	server := httptest.NewServer(newMux(t, impl, gateway.Options{Patience: 500 * time.Millisecond}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// A client who does not read loses its connection, and the handler its client.
func TestClientDoesNotRead(t *testing.T) {
	ended := make(chan error, 1)
	address := impatient(t, &echo{server: func(in *text, s grpc.ServerStreamingServer[text]) error {
		for {
			if err := s.Send(newText(strings.Repeat("x", 64<<10))); err != nil {
				ended <- err
				return err
			}
		}
	}})
	c := dial(t, address)
	fmt.Fprintf(c, "GET /v1/echo/hello HTTP/1.1\r\nHost: %s\r\n\r\n", address)
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the handler still sends")
	}
}

// A stream may be silent for longer than that: nobody waits for the client.
func TestSilentStreamGoesOn(t *testing.T) {
	address := impatient(t, &echo{server: func(in *text, s grpc.ServerStreamingServer[text]) error {
		for range 2 {
			time.Sleep(700 * time.Millisecond)
			if err := s.Context().Err(); err != nil {
				return err
			}
			if err := s.Send(in); err != nil {
				return err
			}
		}
		return nil
	}})
	response := do(t, request(t, http.MethodGet, "http://"+address+"/v1/echo/hello", nil))
	body, err := io.ReadAll(response.Body)
	if err != nil || strings.Count(string(body), "hello") != 2 {
		t.Errorf("got %q, %v", body, err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestRetryAfter(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{errors.RateLimited.New().After(1100 * time.Millisecond), "2"},
		{errors.Overloaded.New(), ""},
		{errors.Internal.New(), ""},
	} {
		url := serve(t, &echo{server: func(*text, grpc.ServerStreamingServer[text]) error { return test.err }})
		response := do(t, request(t, http.MethodGet, url+"/v1/echo/hello", nil))
		if got := response.Header.Get("Retry-After"); got != test.want {
			t.Errorf("%v: Retry-After is %q, want %q", test.err, got, test.want)
		}
	}
}
