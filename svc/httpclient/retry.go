package httpclient

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/protosvc/protosvc/svc/internal/sleep"
)

// The wait before a further attempt doubles from one to the other, 20 % more or
// less.
const (
	initialBackoff = 50 * time.Millisecond
	maxBackoff     = time.Second
	jitter         = 0.2
)

// discarded is how much of a response is read that nobody wants, so that its
// connection can be used again.
const discarded = 64 << 10

// repeatable are the methods of which a second request does no more than one.
var repeatable = []string{"", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete}

// try sends a request as often as it may, and returns an answer.
func (c *Client) try(ctx context.Context, req *http.Request) (*http.Response, error) {
	attempts := 1
	if slices.Contains(repeatable, req.Method) && (req.Body == nil || req.Body == http.NoBody || req.GetBody != nil) {
		attempts = c.attempts
	}
	for n := 0; ; n++ {
		res, err := c.once(ctx, req, n)
		wait := backoff(n)
		if err == nil {
			if !temporary(res.StatusCode) {
				c.tokens.Give()
				return res, nil
			}
			wait = retryAfter(res.Header, wait)
			_, _ = io.CopyN(io.Discard, res.Body, discarded)
			_ = res.Body.Close()
			err = &StatusError{res.StatusCode}
		}
		if n+1 >= attempts || !pause(ctx, wait, c.tokens.Take) {
			return nil, err
		}
	}
}

// temporary reports whether a status says that the request may succeed later.
func temporary(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func backoff(n int) time.Duration {
	wait := float64(min(initialBackoff<<min(n, 10), maxBackoff))
	return time.Duration(wait * (1 - jitter + 2*jitter*rand.Float64()))
}

// retryAfter is what the header Retry-After asks for, seconds or a date, or the
// wait where there is none.
func retryAfter(h http.Header, wait time.Duration) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(date))
	}
	return wait
}

// pause waits for the next attempt, and reports whether there may be one: not
// after the deadline, and not without a token.
func pause(ctx context.Context, wait time.Duration, token func() bool) bool {
	if deadline, ok := ctx.Deadline(); ctx.Err() != nil || ok && time.Until(deadline) <= wait || !token() {
		return false
	}
	return sleep.For(ctx, wait)
}
