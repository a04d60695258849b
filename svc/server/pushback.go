package server

import (
	"context"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/errors"
)

// pushbackKey is the trailer by which gRPC servers tell clients when to try
// again. Clients wait that long in place of their own backoff.
const pushbackKey = "grpc-retry-pushback-ms"

// pushback sends the delay of an error's google.rpc.RetryInfo the way that gRPC
// clients understand, whatever they are written in.
func pushback(ctx context.Context, outcome *status.Status) {
	if delay := errors.RetryDelay(outcome); delay > 0 {
		// It fails where there is no transport: HTTP/JSON has Retry-After.
		_ = grpc.SetTrailer(ctx, pushbackAfter(delay))
	}
}

func pushbackAfter(delay time.Duration) metadata.MD {
	return metadata.Pairs(pushbackKey, strconv.FormatInt(delay.Milliseconds(), 10))
}
