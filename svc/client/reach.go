package client

import (
	stderrors "errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/dns"
)

// reach knows where a callee is, whether it can be reached, and if not, why.
type reach struct {
	service, target string
	log             *slog.Logger

	cause atomic.Pointer[error] // what went wrong on the way; nil: nothing since the last that went well
	lost  atomic.Bool           // calls fail on their way, and that has been logged
}

// resolver returns the resolver of the target: the one given, that of grpc-go for
// the target's scheme, or ours for DNS.
func (r *reach) resolver(given resolver.Builder) resolver.Builder {
	if given != nil {
		return given
	}
	if u, err := url.Parse(r.target); err == nil && u.Scheme != "dns" {
		if b := resolver.Get(u.Scheme); b != nil {
			return b
		}
	}
	return &dns.Builder{OnStale: r.stale}
}

func (r *reach) stale(err error) {
	if err != nil {
		r.log.Warn("callee is not found, its last addresses stay in use", slog.String("target", r.target), slog.Any("error", plain(err)))
	} else {
		r.log.Info("callee is found again", slog.String("target", r.target))
	}
}

// note keeps what went wrong, and forgets it with nil.
func (r *reach) note(err error) {
	if err == nil {
		r.cause.Store(nil)
		return
	}
	err = plain(err)
	r.cause.Store(&err)
}

// plain is an error without what gRPC and net say around it.
func plain(err error) error {
	if lookup, ok := stderrors.AsType[*net.DNSError](err); ok {
		if lookup.IsNotFound {
			return stderrors.New(lookup.Err)
		}
		return lookup
	}
	if dial, ok := stderrors.AsType[*net.OpError](err); ok {
		return dial
	}
	return err
}

// answered is called when the callee has answered.
func (r *reach) answered(conns *pool) {
	if r.lost.Load() && conns.ready() && r.lost.CompareAndSwap(true, false) {
		r.log.Info("callee can be reached again", slog.String("target", r.target))
	}
}

// failed adds to an error of gRPC, if the call failed on its way, where it was to
// go and why it did not get there. The log hears of it with the first such call.
func (r *reach) failed(conns *pool, method string, err error) error {
	_, ours := stderrors.AsType[*errors.Error](err) // the breaker is open
	if code := status.Code(err); ours || code != codes.Unavailable && code != codes.DeadlineExceeded {
		return err
	}
	out := &callError{method: strings.TrimPrefix(method, "/"), target: r.target, status: err}
	if conns.ready() {
		return out
	}
	if cause := r.cause.Load(); cause != nil {
		out.cause = *cause
	}
	if r.lost.CompareAndSwap(false, true) {
		r.log.Warn("callee cannot be reached", slog.String("method", out.method), slog.String("target", r.target), slog.Any("error", out.why()))
	}
	return out
}

// unready says why nothing can be called.
func (r *reach) unready(state connectivity.State) error {
	if cause := r.cause.Load(); cause != nil && state != connectivity.Shutdown {
		return fmt.Errorf("%s at %s: %w", r.service, r.target, *cause)
	}
	return fmt.Errorf("%s at %s is not reachable (%s)", r.service, r.target, state)
}

// callError is a status that gRPC made, or one of a server that gives no reason.
type callError struct {
	method, target string
	cause          error // nil: the status says it
	status         error
}

func (e *callError) Error() string {
	return fmt.Sprintf("%s at %s: %v", e.method, e.target, e.why())
}

func (e *callError) why() error {
	if e.cause != nil {
		return e.cause
	}
	return stderrors.New(status.Convert(e.status).Message())
}

// Unwrap returns the status.
func (e *callError) Unwrap() error { return e.status }
