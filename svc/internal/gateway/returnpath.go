package gateway

import (
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

var _ grpc.ServerTransportStream = (*returnPath)(nil)

// returnPath carries what a handler sends beside its messages. It stands in the
// handler's context, where grpc.SetHeader and its kin look for it.
type returnPath struct {
	method string
	sent   chan struct{} // closed when the header is on its way

	mu              sync.Mutex
	done            bool // sent is closed
	header, trailer metadata.MD
}

func newReturnPath(method string) *returnPath {
	return &returnPath{method: method, sent: make(chan struct{})}
}

// Method returns the full name of the method.
func (r *returnPath) Method() string { return r.method }

// SetHeader adds to the header, which must not have been sent.
func (r *returnPath) SetHeader(md metadata.MD) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(md) == 0 {
		return nil
	}
	if r.done {
		return status.Error(codes.Internal, "the header was sent already")
	}
	r.header = metadata.Join(r.header, md)
	return nil
}

// SendHeader adds to the header and sends it.
func (r *returnPath) SendHeader(md metadata.MD) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		return status.Error(codes.Internal, "the header was sent already")
	}
	r.header = metadata.Join(r.header, md)
	r.done = true
	close(r.sent)
	return nil
}

// SetTrailer adds to the trailer.
func (r *returnPath) SetTrailer(md metadata.MD) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trailer = metadata.Join(r.trailer, md)
	return nil
}

// flush sends the header with the first message, if it was not sent before.
func (r *returnPath) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		r.done = true
		close(r.sent)
	}
}

func (r *returnPath) headers() metadata.MD {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.header.Copy()
}

func (r *returnPath) trailers() metadata.MD {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trailer.Copy()
}
