package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc/metadata"
)

// Extract returns ctx with the trace context and the baggage that a caller
// sent in the incoming gRPC metadata.
func Extract(ctx context.Context, p propagation.TextMapPropagator) context.Context {
	if !received(ctx, "traceparent") && !received(ctx, "baggage") {
		return ctx // spares the work of looking for each header again
	}
	return p.Extract(ctx, incoming{ctx})
}

func received(ctx context.Context, key string) bool {
	return len(metadata.ValueFromIncomingContext(ctx, key)) > 0
}

// Inject returns ctx with its trace context and baggage added to the outgoing
// gRPC metadata. Values that are there already, because a handler passed on
// what it received, are replaced: they name the wrong parent.
func Inject(ctx context.Context, p propagation.TextMapPropagator) context.Context {
	md, ok := metadata.FromOutgoingContext(ctx)
	if ok { // a copy
		p.Inject(ctx, outgoing(md))
		return metadata.NewOutgoingContext(ctx, md)
	}
	var added pairs
	p.Inject(ctx, &added)
	return metadata.AppendToOutgoingContext(ctx, added...)
}

// incoming reads the incoming metadata of a context without copying them all.
type incoming struct{ ctx context.Context }

var _ propagation.ValuesGetter = incoming{}

func (c incoming) Get(key string) string {
	if values := c.Values(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (c incoming) Values(key string) []string {
	return metadata.ValueFromIncomingContext(c.ctx, key)
}

func (incoming) Set(string, string) {} // incoming metadata are read only

func (c incoming) Keys() []string {
	md, _ := metadata.FromIncomingContext(c.ctx)
	return outgoing(md).Keys()
}

// outgoing writes to metadata that belong to it.
type outgoing metadata.MD

var _ propagation.TextMapCarrier = outgoing{}

func (c outgoing) Get(key string) string {
	if values := metadata.MD(c).Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (c outgoing) Set(key, value string) { metadata.MD(c).Set(key, value) }

func (c outgoing) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}

// pairs collects what a propagator sets, as alternating keys and values.
type pairs []string

var _ propagation.TextMapCarrier = (*pairs)(nil)

func (c *pairs) Get(key string) string {
	for i := 0; i+1 < len(*c); i += 2 {
		if (*c)[i] == key {
			return (*c)[i+1]
		}
	}
	return ""
}

func (c *pairs) Set(key, value string) { *c = append(*c, key, value) }

func (c *pairs) Keys() []string {
	var keys []string
	for i := 0; i < len(*c); i += 2 {
		keys = append(keys, (*c)[i])
	}
	return keys
}
