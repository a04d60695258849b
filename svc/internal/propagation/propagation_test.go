package propagation_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/carried"
	"github.com/protosvc/protosvc/svc/internal/propagation"
	"github.com/protosvc/protosvc/svc/propagate"
)

var keys = propagate.Keys{{Name: "x-tenant-id", MaxBytes: 8}, {Name: "x-request-id", MaxBytes: 16}}

func incoming(pairs ...string) context.Context {
	return metadata.NewIncomingContext(context.Background(), metadata.Pairs(pairs...))
}

func TestExtract(t *testing.T) {
	for name, test := range map[string]struct {
		sent    []string
		want    []string
		problem string
	}{
		"nothing":         {nil, nil, ""},
		"one":             {[]string{"x-request-id", "r 1~"}, []string{"x-request-id", "r 1~"}, ""},
		"both, in order":  {[]string{"x-request-id", "r", "X-Tenant-Id", "acme"}, []string{"x-tenant-id", "acme", "x-request-id", "r"}, ""},
		"other key":       {[]string{"authorization", "secret"}, nil, ""},
		"empty":           {[]string{"x-tenant-id", ""}, nil, ""},
		"longest":         {[]string{"x-tenant-id", "12345678"}, []string{"x-tenant-id", "12345678"}, ""},
		"too long":        {[]string{"x-tenant-id", "123456789"}, nil, "metadata x-tenant-id is longer than 8 bytes"},
		"several":         {[]string{"x-tenant-id", "a", "x-tenant-id", "a"}, nil, "metadata x-tenant-id has several values"},
		"line feed":       {[]string{"x-tenant-id", "a\nb"}, nil, "metadata x-tenant-id is not printable ASCII"},
		"delete":          {[]string{"x-tenant-id", "a\x7f"}, nil, "metadata x-tenant-id is not printable ASCII"},
		"not ASCII":       {[]string{"x-tenant-id", "é"}, nil, "metadata x-tenant-id is not printable ASCII"},
		"second is wrong": {[]string{"x-tenant-id", "acme", "x-request-id", strings.Repeat("r", 17)}, nil, "metadata x-request-id is longer than 16 bytes"},
	} {
		ctx, err := propagation.FromCaller(incoming(test.sent...), keys)
		if test.problem != "" {
			if !errors.Is(err, svcerrors.InvalidMetadata) || err.Error() != test.problem {
				t.Errorf("%s: error %v, want %q", name, err, test.problem)
			}
			continue
		}
		if err != nil || !slices.Equal(carried.Pairs(ctx), test.want) {
			t.Errorf("%s: got %q, %v, want %q", name, carried.Pairs(ctx), err, test.want)
		}
	}
}

func TestInject(t *testing.T) {
	travels := propagate.NewContext(t.Context(), "x-tenant-id", "acme", "x-request-id", "r")
	for name, test := range map[string]struct {
		ctx  context.Context
		want metadata.MD
	}{
		"nothing travels": {t.Context(), nil},
		"all":             {travels, metadata.Pairs("x-tenant-id", "acme", "x-request-id", "r")},
		"beside others":   {metadata.AppendToOutgoingContext(travels, "k", "v"), metadata.Pairs("k", "v", "x-tenant-id", "acme", "x-request-id", "r")},
		"handler's wins":  {metadata.AppendToOutgoingContext(travels, "X-Tenant-Id", "other"), metadata.Pairs("x-tenant-id", "other", "x-request-id", "r")},
	} {
		got, _ := metadata.FromOutgoingContext(propagation.ToCallee(test.ctx))
		if !maps.EqualFunc(got, test.want, slices.Equal) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestCostsNothingWhenAbsent(t *testing.T) {
	ctx := incoming("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if n := testing.AllocsPerRun(100, func() {
		ctx, _ := propagation.FromCaller(ctx, keys)
		propagation.ToCallee(ctx)
	}); n != 0 {
		t.Errorf("%v allocations for a call with which nothing travels", n)
	}
}
