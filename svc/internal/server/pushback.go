package server

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/pushback"
)

// sendPushback sends the delay of an error's google.rpc.RetryInfo the way that gRPC
// clients understand, whatever they are written in.
func sendPushback(ctx context.Context, outcome *status.Status) {
	if delay := pushback.Delay(outcome); delay > 0 {
		// It fails where there is no transport: HTTP/JSON has Retry-After.
		_ = grpc.SetTrailer(ctx, pushback.Trailer(delay))
	}
}
