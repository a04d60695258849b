// Package carried keeps the metadata that travel with a call in its context.
package carried

import "context"

type contextKey struct{}

// With returns ctx with these alternating keys and values instead of what it has.
func With(ctx context.Context, pairs []string) context.Context {
	return context.WithValue(ctx, contextKey{}, pairs)
}

// Pairs returns everything that travels with the context, as alternating keys and
// values in the order of the contract. Do not change it.
func Pairs(ctx context.Context) []string {
	pairs, _ := ctx.Value(contextKey{}).([]string)
	return pairs
}
