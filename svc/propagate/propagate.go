// Package propagate carries declared metadata with a call through every service:
// the tenant, the request id. The server takes them from what its caller sent,
// clients send them on, and in between they are in the context, where the handler
// reads them ([Value]) and each log line does.
//
// They come from outside, so they are bounded and validated, and a value says
// nothing about who sent it: it is no authentication.
package propagate

import (
	"context"

	"github.com/protosvc/protosvc/svc/internal/carried"
)

// Key is a metadata key that travels.
type Key struct {
	// Name is the key as on the wire, in lower case: "x-tenant-id".
	Name string
	// MaxBytes is the length of the longest value.
	MaxBytes int
}

// Keys are what a service declares. Nil: nothing travels.
type Keys []Key

// NewContext returns ctx with these alternating keys and values instead of what
// it has. A server does so for every call; only work that no call has asked for,
// a background job for instance, needs it.
func NewContext(ctx context.Context, pairs ...string) context.Context {
	return carried.With(ctx, pairs)
}

// Value returns the value of a key, empty if the caller sent none or the
// contract does not declare the key.
func Value(ctx context.Context, key string) string {
	for pairs := carried.Pairs(ctx); len(pairs) > 1; pairs = pairs[2:] {
		if pairs[0] == key {
			return pairs[1]
		}
	}
	return ""
}
