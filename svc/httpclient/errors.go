package httpclient

import (
	"context"
	stderrors "errors"
	"fmt"
	"io"
	"net/http"

	"github.com/protosvc/protosvc/svc/errors"
)

// StatusError is the cause of [errors.Unavailable] when the last attempt was
// answered, with a status that says to try again later.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("answered %d %s", e.Status, http.StatusText(e.Status))
}

// typed turns what went wrong into an error that a handler may return: whom it
// was about stays here, as its cause.
func (c *Client) typed(ctx context.Context, req *http.Request, err error) error {
	code := errors.Unavailable
	switch {
	case stderrors.Is(err, context.DeadlineExceeded), stderrors.Is(ctx.Err(), context.DeadlineExceeded):
		code = errors.DeadlineExceeded
	case stderrors.Is(err, context.Canceled), ctx.Err() != nil:
		code = errors.Canceled
	}
	return code.New().WithCause(fmt.Errorf("%s: %s %s: %w", c.name, req.Method, req.URL.Path, err))
}

// body is the body of a response: limited, with typed errors, and the end of
// the request's context.
type body struct {
	io.ReadCloser
	client *Client
	ctx    context.Context
	req    *http.Request
	cancel context.CancelFunc
	left   int64 // bytes that may be read
}

// Read returns an error that is no *errors.Error when the response is too large.
func (b *body) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		return int(b.left), fmt.Errorf("%s: %s %s: the response has more than %d bytes", b.client.name, b.req.Method, b.req.URL.Path, b.client.limit)
	}
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		err = b.client.typed(b.ctx, b.req, err)
	}
	return n, err
}

func (b *body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
