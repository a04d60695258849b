package server

import (
	"context"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// pushbackKey is the trailer by which gRPC servers tell clients when to try
// again. Clients wait that long in place of their own backoff.
const pushbackKey = "grpc-retry-pushback-ms"

// pushback sends the delay of an error's google.rpc.RetryInfo the way that gRPC
// clients understand, whatever they are written in.
func pushback(ctx context.Context, outcome *status.Status) {
	for _, detail := range outcome.Proto().GetDetails() {
		info := new(errdetails.RetryInfo)
		if !detail.MessageIs(info) || detail.UnmarshalTo(info) != nil {
			continue
		}
		if delay := info.GetRetryDelay().AsDuration(); delay > 0 {
			// It fails where there is no transport: HTTP/JSON has Retry-After.
			_ = grpc.SetTrailer(ctx, pushbackAfter(delay))
		}
		return
	}
}

func pushbackAfter(delay time.Duration) metadata.MD {
	return metadata.Pairs(pushbackKey, strconv.FormatInt(delay.Milliseconds(), 10))
}
