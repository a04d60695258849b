package tracing

import (
	"context"
	"slices"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc/metadata"
)

// Propagators other than the W3C ones may call any method of a carrier.
func TestCarriers(t *testing.T) {
	pairs := pairs{"a", "1", "b", "2"}
	md := metadata.Pairs(pairs...)
	carriers := map[string]propagation.TextMapCarrier{
		"incoming": incoming{metadata.NewIncomingContext(context.Background(), md)},
		"outgoing": outgoing(md.Copy()),
		"pairs":    &pairs,
	}
	for name, c := range carriers {
		t.Run(name, func(t *testing.T) {
			if c.Get("a") != "1" || c.Get("b") != "2" || c.Get("c") != "" {
				t.Errorf("got %q, %q, %q", c.Get("a"), c.Get("b"), c.Get("c"))
			}
			if keys := slices.Sorted(slices.Values(c.Keys())); !slices.Equal(keys, []string{"a", "b"}) {
				t.Errorf("got keys %q", keys)
			}
			c.Set("c", "3")
			if want := map[string]string{"incoming": "", "outgoing": "3", "pairs": "3"}[name]; c.Get("c") != want {
				t.Errorf("after Set: got %q, want %q", c.Get("c"), want)
			}
		})
	}
}
