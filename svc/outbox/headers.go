package outbox

import (
	"context"
	"encoding/json"

	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc/metadata"

	"github.com/protosvc/protosvc/svc/internal/carried"
	"github.com/protosvc/protosvc/svc/internal/tracing"
	"github.com/protosvc/protosvc/svc/propagate"
)

// headers are what a message carries besides its request.
type headers struct {
	Trace    propagation.MapCarrier `json:"trace,omitempty"`
	Metadata metadata.MD            `json:"metadata,omitempty"`
	// Propagated is what travels by the contract, as alternating keys and values.
	Propagated []string `json:"propagated,omitempty"`
}

// carry notes down the trace context, the outgoing metadata of a call and what
// travels with it.
func carry(ctx context.Context) []byte {
	h := headers{Trace: propagation.MapCarrier{}, Propagated: carried.Pairs(ctx)}
	tracing.Propagator().Inject(ctx, h.Trace)
	h.Metadata, _ = metadata.FromOutgoingContext(ctx)
	text, err := json.Marshal(h)
	if err != nil {
		return []byte("{}") // maps of strings can be encoded
	}
	return text
}

// restore is the way back: spans made with the context belong to the trace of the
// call that enqueued.
func restore(ctx context.Context, text []byte) context.Context {
	var h headers
	if json.Unmarshal(text, &h) != nil {
		return ctx
	}
	if len(h.Metadata) > 0 {
		ctx = metadata.NewOutgoingContext(ctx, h.Metadata)
	}
	if len(h.Propagated) > 0 {
		ctx = propagate.NewContext(ctx, h.Propagated...)
	}
	return tracing.Propagator().Extract(ctx, h.Trace)
}
