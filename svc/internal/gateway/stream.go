package gateway

import (
	"context"
	"io"
	"net/http"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/transcode"
)

// serve answers with the messages of the handler, one by one.
func (s streaming) serve(ctx context.Context, c *call) error {
	ctx, cancel := context.WithCancel(ctx)
	r := &responses{returnPath: returnPath{method: c.rpc, route: c.path}, call: c, cancel: cancel}
	c.back = &r.returnPath
	r.ctx = grpc.NewContextWithServerTransportStream(ctx, &r.returnPath)
	if !c.plan.Raw() {
		r.framing = framingOf(c.Header)
		c.w.Header().Add("Vary", "Accept")
	}
	return r.end(s.desc.Handler(s.impl, r))
}

// responses are the stream as its handler sees it.
type responses struct {
	returnPath
	*call
	ctx    context.Context
	cancel context.CancelFunc // nothing can be sent any more
	framing

	received bool

	mu    sync.Mutex
	began bool // the head of the response is written
}

var _ grpc.ServerStream = (*responses)(nil)

// Context returns the context of the call.
func (r *responses) Context() context.Context { return r.ctx }

// SetTrailer adds to the trailer.
func (r *responses) SetTrailer(md metadata.MD) { _ = r.returnPath.SetTrailer(md) } // returns nil always

// RecvMsg fills the request; there is one.
func (r *responses) RecvMsg(m any) error {
	if r.received {
		return io.EOF
	}
	r.received = true
	return r.decode(m)
}

// SendMsg writes a message, and returns when the connection has it.
func (r *responses) SendMsg(m any) error {
	message, err := messageOf(m)
	if err != nil {
		return err
	}
	contentType, line, err := r.plan.Line(message)
	if err != nil {
		return errors.Internal.New().WithCause(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() == nil {
		r.begin(contentType)
		if r.write(line) == nil {
			return nil
		}
		r.cancel()
	}
	return status.FromContextError(r.ctx.Err()).Err()
}

// begin writes the head of the response, once.
func (r *responses) begin(contentType string) {
	if r.began {
		return
	}
	r.began = true
	header := r.w.Header()
	addMetadata(header, metadataPrefix, r.headers())
	if contentType = r.contentType(contentType); contentType != "" {
		header.Set("Content-Type", contentType)
	}
	r.w.WriteHeader(http.StatusOK)
}

func (r *responses) write(line []byte) error {
	if _, err := r.w.Write(r.frame(line)); err != nil {
		return err
	}
	return http.NewResponseController(r.w).Flush()
}

// end writes how the stream ended. It waits for a message that is being written. An
// error of a stream that has not begun is the response.
func (r *responses) end(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel() // the handler may send late
	switch {
	case err == nil && r.plan.Raw():
		r.begin("")
	case err == nil:
		r.begin(transcode.Lines)
	case !r.began:
		return err
	case r.plan.Raw() && r.Request.Method != http.MethodHead:
		panic(http.ErrAbortHandler) // or the client would take it for the end
	default:
		_ = r.write(errorLine(errors.ToStatus(err))) // or the client is gone, or wants no body
	}
	return nil
}

// errorLine is the last line of a stream that failed.
func errorLine(st *status.Status) []byte {
	line := appendStatus([]byte(`{"error":`), st)
	return append(line, "}\n"...)
}

// framing is what stands around the lines of a stream.
type framing struct{ events bool }

func (f framing) contentType(lines string) string {
	if f.events {
		return "text/event-stream"
	}
	return lines
}

// frame makes an event of a line, which brings one of its two newlines.
func (f framing) frame(line []byte) []byte {
	if !f.events {
		return line
	}
	event := append(make([]byte, 0, len("data: ")+len(line)+1), "data: "...)
	return append(append(event, line...), '\n')
}
