package admin

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/internal/logging"
)

// Bounds of what a client may take, so that there is always room for a probe.
const (
	readTimeout  = defaults.Handshake      // for a whole request
	writeTimeout = 30 * time.Second        // for an answer, or for one part of a recording
	idleTimeout  = defaults.IdleConnection // between requests; longer than most intervals of scrapes
	bodyLimit    = 64 << 10                // bytes of a body, which only a dry run needs

	closedLogInterval = 10 * time.Second // between lines about connections that are closed for others
)

// NewServer returns a server of [Handler] that nobody can keep from answering probes.
//
// A request that has not come after 10 s, a body of more than 64 KiB and an answer that has not been read after
// 30 s end with their connection. Recordings, /debug/pprof/profile and trace, take as
// long as they were asked for, and each of their parts has the 30 s. At most 64
// connections are open: one more closes the one that has waited longest for a
// request, or, where all are busy, the one that has been so for longest; the log says so.
func NewServer(o Options) *http.Server {
	open := &newest{log: o.log(), logged: logging.Sampler{Burst: 1, Every: closedLogInterval}}
	return &http.Server{
		Handler:      Handler(o),
		ReadTimeout:  readTimeout,
		WriteTimeout: writeTimeout,
		IdleTimeout:  idleTimeout,
		ConnState:    open.changed,
		ErrorLog:     logging.HTTP(o.log()),
	}
}

// newest keeps the connections of a server within their number. A new one is let in
// always: it may be that of a probe.
type newest struct {
	log    *slog.Logger
	logged logging.Sampler

	mu   sync.Mutex
	open []connection // the one whose state changed last is the last one
}

type connection struct {
	net.Conn
	busy bool // with a request whose headers are here
}

// changed is the ConnState of a server.
func (n *newest) changed(c net.Conn, state http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := slices.IndexFunc(n.open, func(other connection) bool { return other.Conn == c })
	if known >= 0 {
		n.open = slices.Delete(n.open, known, known+1)
	} else if state != http.StateNew {
		return // has been closed for another
	}
	if state == http.StateClosed {
		return
	}
	if len(n.open) == defaults.AdminConnections {
		first := max(0, slices.IndexFunc(n.open, func(c connection) bool { return !c.busy }))
		n.report(n.open[first])
		_ = n.open[first].Close()
		n.open = slices.Delete(n.open, first, first+1)
	}
	n.open = append(n.open, connection{c, state == http.StateActive})
}

// report says that a connection is closed for another.
func (n *newest) report(c connection) {
	if suppressed, ok := n.logged.Pass(); ok {
		n.log.LogAttrs(context.Background(), slog.LevelWarn, "the admin port has too many connections: one is closed for a new one",
			append(suppressed, slog.Int("connections", defaults.AdminConnections), slog.String("closed", c.RemoteAddr().String()), slog.Bool("busy", c.busy))...)
	}
}

// received lets a request pass once all of it is here: the server would wait for the
// rest with an answer that is ready.
func received(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var tooLarge *http.MaxBytesError
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
		switch {
		case errors.As(err, &tooLarge):
			write(w, http.StatusRequestEntityTooLarge, plainText, fmt.Sprintf("the body is larger than %d bytes\n", bodyLimit))
			return
		case err != nil:
			write(w, http.StatusRequestTimeout, plainText, "the body did not come\n")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// parts is an answer that takes longer than the server allows: each of its parts may
// take as long as a whole one.
type parts struct {
	io.Writer
	control *http.ResponseController
	timeout time.Duration
}

// inParts returns the writer of an answer whose first part comes after a while.
func inParts(w http.ResponseWriter, r *http.Request, after time.Duration) parts {
	srv := r.Context().Value(http.ServerContextKey).(*http.Server)
	p := parts{w, http.NewResponseController(w), cmp.Or(srv.WriteTimeout, writeTimeout)}
	p.within(after + p.timeout)
	return p
}

func (p parts) within(d time.Duration) { _ = p.control.SetWriteDeadline(time.Now().Add(d)) }

func (p parts) Write(part []byte) (int, error) {
	p.within(p.timeout)
	return p.Writer.Write(part)
}
