// Package propagation takes the metadata that a contract declares, such as a tenant, from
// the caller and sends them on. Package propagate is what handlers use of it. Trace
// context is another matter: see package tracing.
package propagation

import (
	"context"
	"strconv"

	"google.golang.org/grpc/metadata"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/carried"
	"github.com/protosvc/protosvc/svc/propagate"
)

// FromCaller returns ctx with what the caller sent in the incoming gRPC metadata.
// An empty value is none. It refuses, with [errors.InvalidMetadata], several
// values of a key, one that is too long, and bytes that are not printable ASCII,
// which would not reach the next service, or split a line in somebody's log.
func FromCaller(ctx context.Context, keys propagate.Keys) (context.Context, error) {
	var found []string
	for _, key := range keys {
		values := metadata.ValueFromIncomingContext(ctx, key.Name)
		if len(values) == 0 || len(values) == 1 && values[0] == "" {
			continue
		}
		if problem := problemOf(key, values); problem != "" {
			return ctx, errors.InvalidMetadata.New("key", key.Name, "problem", problem)
		}
		found = append(found, key.Name, values[0])
	}
	if found == nil {
		return ctx, nil
	}
	return propagate.NewContext(ctx, found...), nil
}

// problemOf says what is wrong with the values; it does not repeat them.
func problemOf(key propagate.Key, values []string) string {
	if len(values) > 1 {
		return "has several values"
	}
	if len(values[0]) > key.MaxBytes {
		return "is longer than " + strconv.Itoa(key.MaxBytes) + " bytes"
	}
	if !Printable(values[0]) {
		return notPrintable
	}
	return ""
}

const notPrintable = "is not printable ASCII"

// Printable reports whether a value is printable ASCII, spaces included.
func Printable(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// CheckPrintable refuses values that are not printable ASCII, as FromCaller does. It
// is for HTTP/JSON, where other headers of that kind are dropped: the call would go on
// as if its caller had sent none.
func CheckPrintable(keys propagate.Keys, values func(key string) []string) error {
	for _, key := range keys {
		for _, value := range values(key.Name) {
			if !Printable(value) {
				return errors.InvalidMetadata.New("key", key.Name, "problem", notPrintable)
			}
		}
	}
	return nil
}

// ToCallee returns ctx with what travels with it added to the outgoing gRPC
// metadata, but for the keys that a handler has set there itself.
func ToCallee(ctx context.Context) context.Context {
	pairs := carried.Pairs(ctx)
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
