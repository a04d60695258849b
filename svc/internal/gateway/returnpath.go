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
	method, route string

	mu              sync.Mutex
	sent            bool // the header
	header, trailer metadata.MD
}

// Method returns the full name of the method.
func (r *returnPath) Method() string { return r.method }

// Route returns the template of the path by which the method was found, for its span.
func (r *returnPath) Route() string { return r.route }

// SetHeader adds to the header, which must not have been sent.
func (r *returnPath) SetHeader(md metadata.MD) error { return r.add(md, false) }

// SendHeader adds to the header, and is the last to do so. It is on its way with the
// first message.
func (r *returnPath) SendHeader(md metadata.MD) error { return r.add(md, true) }

func (r *returnPath) add(md metadata.MD, last bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent && (last || len(md) > 0) {
		return status.Error(codes.Internal, "the header was sent already")
	}
	r.header = metadata.Join(r.header, md)
	r.sent = r.sent || last
	return nil
}

// SetTrailer adds to the trailer.
func (r *returnPath) SetTrailer(md metadata.MD) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trailer = metadata.Join(r.trailer, md)
	return nil
}

// headers are what goes before the first message. Nothing can be added any more.
func (r *returnPath) headers() metadata.MD {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = true
	return copyOf(r.header)
}

func (r *returnPath) trailers() metadata.MD {
	r.mu.Lock()
	defer r.mu.Unlock()
	return copyOf(r.trailer)
}

// copyOf is a copy, which is not made where there is nothing to copy.
func copyOf(md metadata.MD) metadata.MD {
	if md == nil {
		return nil
	}
	return md.Copy()
}
