package admin_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/trace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/internal/reload"
	"github.com/protosvc/protosvc/svc/internal/admin"
)

// hurry divides the timeouts of a server, for tests that wait for them.
const hurry = 50

// listen starts the server on a real socket, in a hurry.
func listen(t *testing.T, o admin.Options) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := admin.NewServer(o)
	srv.ReadTimeout /= hurry
	srv.WriteTimeout /= hurry
	done := make(chan error, 1)
	go func() { done <- srv.Serve(listener) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return listener.Addr().String()
}

// send opens a connection and sends text, which need not be a whole request.
func send(t *testing.T, address, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// rest is what the server sends until it closes the connection.
func rest(t *testing.T, conn net.Conn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("the connection is still open: %v", err)
	}
	return string(text)
}

// A body is not needed and does no harm: not when it is large, and not when it does
// not come.
func TestBodies(t *testing.T) {
	for _, test := range []struct {
		name, length, body, want string
		reloads                  int
	}{
		{"none", "0", "", "200 OK", 1},
		{"small", "5", "a=b&c", "200 OK", 1},
		{"never comes", "5", "a", "408 Request Timeout", 0},
		{"large", "70000", strings.Repeat("x", 70000), "413 Request Entity Too Large", 0},
	} {
		reloads := 0
		address := listen(t, options(func(reload.Request) reload.Response { reloads++; return reload.Response{} }))
		conn := send(t, address, "POST /config/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "+test.length+"\r\n\r\n"+test.body)
		if answer := rest(t, conn); !strings.HasPrefix(answer, "HTTP/1.1 "+test.want) || reloads != test.reloads {
			t.Errorf("%s: %d reloads, answer %s", test.name, reloads, answer)
		}
	}
	silent := send(t, listen(t, options(nil)), "GET /livez HTTP/1.1\r\n")
	if answer := rest(t, silent); answer != "" {
		t.Errorf("half a header is answered with %s", answer)
	}
}

// Who asks for a page and does not read it does not keep it for ever.
func TestUnreadPage(t *testing.T) {
	o := options(nil)
	ended := make(chan error, 1)
	o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 64<<20))
		ended <- err
	})
	send(t, listen(t, o), "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the page is said to have been read")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the page waits for its reader")
	}
}

// Recordings take longer than any other page may.
func TestRecordings(t *testing.T) {
	address := listen(t, options(nil))
	for name, magic := range map[string]string{"profile": "\x1f\x8b", "trace": "go 1."} {
		began := time.Now()
		code, _, body := ask(t, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/%s?seconds=1.2", address, name))
		if took := time.Since(began); code != http.StatusOK || !strings.HasPrefix(body, magic) || took < 1200*time.Millisecond {
			t.Errorf("%s: %d after %v, %d bytes", name, code, took, len(body))
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// A trace that nobody reads ends before its time, and makes room for the next.
func TestUnreadTrace(t *testing.T) {
	address := listen(t, options(nil))
	send(t, address, "GET /debug/pprof/trace?seconds=600 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	text := strings.Repeat("x", 1000)
	begun := false
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if begun = begun || trace.IsEnabled(); begun && !trace.IsEnabled() {
			return
		}
		for range 100 { // 100 MB a second
			trace.Log(t.Context(), "", text)
		}
	}
	t.Errorf("the trace goes on (begun: %v)", begun)
}

// However many connections there are, idle or busy, probes are answered at once, and a
// recording goes on while others are idle.
func TestManyConnections(t *testing.T) {
	const many = 2000
	for name, text := range map[string]string{
		"silent": "",
		"idle":   "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"busy":   "POST /config/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			o, log := options(reloaded), new(lockedBuffer)
			o.Log = slog.New(slog.NewJSONHandler(log, nil))
			address := listen(t, o)
			recording := send(t, address, "GET /debug/pprof/trace?seconds=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
			for deadline := time.Now().Add(10 * time.Second); !trace.IsEnabled(); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the recording does not begin")
				}
			}
			conns := make([]net.Conn, many)
			for i := range conns {
				conns[i] = send(t, address, text)
			}
			client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
			for _, page := range []string{"/livez", "/readyz"} {
				resp, err := client.Get("http://" + address + page)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("%s: %s", page, resp.Status)
				}
			}
			if name != "busy" {
				if answer := rest(t, recording); !strings.Contains(answer, "go 1.") || !strings.HasSuffix(answer, "0\r\n\r\n") {
					t.Errorf("the recording has no end after %d bytes", len(answer))
				}
			}
			if lines := strings.Count(log.String(), "the admin port has too many connections"); lines != 1 {
				t.Errorf("%d lines say that connections are closed, want 1\n%s", lines, log)
			}
			if left := stillOpen(t, conns); left > 64 {
				t.Errorf("%d of %d connections are open, want at most 64", left, many)
			}
		})
	}
}

// TestWhichConnectionCloses: the one that has been idle for longest, or else the one that
// has been busy for longest.
func TestWhichConnectionCloses(t *testing.T) {
	for _, test := range []struct {
		name string
		busy func(i int) bool
		want int
	}{
		{"idle", func(int) bool { return false }, 0},
		{"busy", func(int) bool { return true }, 0},
		{"idle since a while", func(i int) bool { return i < 5 }, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := admin.NewServer(options(nil)).ConnState
			conns := make([]*closing, defaults.AdminConnections+1)
			for i := range conns {
				conns[i] = new(closing)
				changed(conns[i], http.StateNew)
				if test.busy(i) {
					changed(conns[i], http.StateActive)
				}
			}
			for i, c := range conns {
				if c.closed != (i == test.want) {
					t.Errorf("connection %d is closed: %v", i, c.closed)
				}
			}
		})
	}
}

// closing is a connection that says whether it was closed.
type closing struct {
	net.Conn
	closed bool
}

func (c *closing) Close() error       { c.closed = true; return nil }
func (*closing) RemoteAddr() net.Addr { return new(net.TCPAddr) }

// stillOpen counts those that the server does not close.
func stillOpen(t *testing.T, conns []net.Conn) int64 {
	t.Helper()
	var n atomic.Int64
	var all sync.WaitGroup
	deadline := time.Now().Add(time.Second)
	for _, conn := range conns {
		all.Go(func() {
			_ = conn.SetReadDeadline(deadline)
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				n.Add(1)
			}
		})
	}
	all.Wait()
	return n.Load()
}

// What net/http has to say is a line of the log.
func TestErrorLog(t *testing.T) {
	log := new(lockedBuffer)
	o := options(nil)
	o.Log = slog.New(slog.NewJSONHandler(log, nil))
	admin.NewServer(o).ErrorLog.Print("http: Accept error")
	if got := log.String(); !strings.Contains(got, `"level":"WARN","msg":"http: Accept error"`) {
		t.Errorf("got %q", got)
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
