package gateway

import (
	stderrors "errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/internal/budget"
)

// body is a request body that comes at a least rate, and that remembers why it
// could not be read.
//
// A body that is too slow would hold what has come of it, and the handler's
// goroutine, for as long as its client likes. So it is read against a deadline that
// each byte moves by what it takes at the least rate, but never further away than
// the pause. Of the defaults, 10 s and 32 KiB/s, follows that
//
//   - n bytes take at the most 10 s + n / 32 KiB/s: 138 s for 4 MiB, and 11 s for 32 KiB;
//   - a client that sends 32 KiB/s, a slow mobile link, is never too slow, and may
//     pause for 10 s, once or in pieces; what a faster one gains makes up for further
//     pauses, of 10 s each at the most;
//   - one that has sent nearly all of it at once, and then a byte every 10 s, is
//     refused 10 s after the pause began.
//
// What has come of it counts against a budget until the request is answered, and while
// it is on its way it can be evicted, which ends the wait for the rest of it.
type body struct {
	io.ReadCloser
	limit    int64 // bytes of it
	control  *http.ResponseController
	pause    time.Duration
	rate     int // bytes per second
	deadline time.Time
	account  *budget.Account

	tooLarge, tooSlow, tooMuch bool

	mu    sync.Mutex
	ended bool // the deadline is not the body's any more
}

// start begins the time of the body. What the handler leaves unread, the server
// reads within it.
func (b *body) start() *body {
	b.deadline = time.Now().Add(b.pause)
	b.wait(b.deadline)
	return b
}

// evict has the body not be waited for any longer.
func (b *body) evict() {
	b.wait(time.Now())
	b.over()
}

// wait sets the deadline. Requests without a connection have none.
func (b *body) wait(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		_ = b.control.SetReadDeadline(until)
	}
}

// over leaves the deadline to the server: it may be that of the next request soon.
func (b *body) over() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

// done gives back what the body held, once its request is answered.
func (b *body) done() {
	b.over()
	b.account.Close()
}

// received moves the deadline.
func (b *body) received(bytes int) {
	b.deadline = b.deadline.Add(time.Duration(bytes) * time.Second / time.Duration(b.rate))
	if latest := time.Now().Add(b.pause); latest.Before(b.deadline) {
		b.deadline = latest
	}
	b.wait(b.deadline)
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if !b.hold(n) {
		return 0, os.ErrDeadlineExceeded
	}
	if err == io.EOF {
		b.account.Arrived()
		b.over()
		return n, err // the server, which now waits for the client to go, has ended the deadline
	}
	b.received(n)
	if _, ok := stderrors.AsType[*http.MaxBytesError](err); ok {
		b.tooLarge = true
	}
	if stderrors.Is(err, os.ErrDeadlineExceeded) {
		b.tooSlow = true
	}
	return n, err
}

// hold counts what has come, and reports whether there is room for it.
func (b *body) hold(bytes int) bool {
	ok := b.account.Hold(defaults.BodyCopies * bytes)
	b.tooMuch = b.tooMuch || !ok
	return ok
}

// problem returns why the body could not be read; nil if it is not to blame.
func (b *body) problem() error {
	switch {
	case b.tooLarge:
		return errTooLarge
	case b.tooMuch:
		return errTooMuch
	case b.tooSlow:
		return errTooSlow
	}
	return nil
}
