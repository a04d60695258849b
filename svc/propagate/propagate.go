// Package propagate carries declared metadata with a call through every service:
// the tenant, the request id. A server takes them from what its caller sent
// ([Keys.Extract]), a client sends them on ([Inject]), and in between they are
// in the context, where the handler reads them ([Value]) and each log line does.
//
// They come from outside, so they are bounded and validated, and a value says
// nothing about who sent it: it is no authentication.
package propagate

import (
	"context"
	"strconv"

	"google.golang.org/grpc/metadata"

	"github.com/protosvc/protosvc/svc/errors"
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

// Names returns the names of the keys.
func (k Keys) Names() []string {
	var names []string
	for _, key := range k {
		names = append(names, key.Name)
	}
	return names
}

// Extract returns ctx with what the caller sent in the incoming gRPC metadata.
// An empty value is none. It refuses, with [errors.InvalidMetadata], several
// values of a key, one that is too long, and bytes that are not printable ASCII,
// which would not reach the next service, or split a line in somebody's log.
func (k Keys) Extract(ctx context.Context) (context.Context, error) {
	var found []string
	for _, key := range k {
		values := metadata.ValueFromIncomingContext(ctx, key.Name)
		if len(values) == 0 || len(values) == 1 && values[0] == "" {
			continue
		}
		if problem := key.problem(values); problem != "" {
			return ctx, errors.InvalidMetadata.New("key", key.Name, "problem", problem)
		}
		found = append(found, key.Name, values[0])
	}
	if found == nil {
		return ctx, nil
	}
	return NewContext(ctx, found...), nil
}

// problem says what is wrong with the values; it does not repeat them.
func (k Key) problem(values []string) string {
	if len(values) > 1 {
		return "has several values"
	}
	if len(values[0]) > k.MaxBytes {
		return "is longer than " + strconv.Itoa(k.MaxBytes) + " bytes"
	}
	if !printable(values[0]) {
		return notPrintable
	}
	return ""
}

const notPrintable = "is not printable ASCII"

// printable reports whether a value is printable ASCII, spaces included.
func printable(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// CheckPrintable refuses values that are not printable ASCII, as Extract does. It
// is for HTTP/JSON: grpc-gateway drops such headers, and the call would go on as
// if its caller had sent none.
func (k Keys) CheckPrintable(values func(key string) []string) error {
	for _, key := range k {
		for _, value := range values(key.Name) {
			if !printable(value) {
				return errors.InvalidMetadata.New("key", key.Name, "problem", notPrintable)
			}
		}
	}
	return nil
}

type contextKey struct{}

// NewContext returns ctx with these alternating keys and values instead of what
// it has. A server does so for every call; only work that no call has asked for,
// a background job for instance, needs it.
func NewContext(ctx context.Context, pairs ...string) context.Context {
	return context.WithValue(ctx, contextKey{}, pairs)
}

// Pairs returns everything that travels with the context, as alternating keys
// and values in the order of the contract. Do not change it.
func Pairs(ctx context.Context) []string {
	pairs, _ := ctx.Value(contextKey{}).([]string)
	return pairs
}

// Value returns the value of a key, empty if the caller sent none or the
// contract does not declare the key.
func Value(ctx context.Context, key string) string {
	for pairs := Pairs(ctx); len(pairs) > 1; pairs = pairs[2:] {
		if pairs[0] == key {
			return pairs[1]
		}
	}
	return ""
}

// Inject returns ctx with what travels with it added to the outgoing gRPC
// metadata, but for the keys that a handler has set there itself.
func Inject(ctx context.Context) context.Context {
	pairs := Pairs(ctx)
	if len(pairs) == 0 {
		return ctx
	}
	set, ok := metadata.FromOutgoingContext(ctx)
	if !ok || len(set) == 0 {
		return metadata.AppendToOutgoingContext(ctx, pairs...)
	}
	for ; len(pairs) > 1; pairs = pairs[2:] {
		if len(set.Get(pairs[0])) == 0 {
			ctx = metadata.AppendToOutgoingContext(ctx, pairs[0], pairs[1])
		}
	}
	return ctx
}
