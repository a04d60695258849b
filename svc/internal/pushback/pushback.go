// Package pushback is how servers tell callers when to try again: google.rpc.RetryInfo
// in the details of an error, and for gRPC's own retries a trailer.
package pushback

import (
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/details"
)

// key is the trailer. Clients of gRPC wait that long, in milliseconds, in place of their
// own backoff.
const key = "grpc-retry-pushback-ms"

// Trailer returns the trailer for a delay.
func Trailer(delay time.Duration) metadata.MD {
	return metadata.Pairs(key, strconv.FormatInt(delay.Milliseconds(), 10))
}

// Delay returns how long the details of a status ask to wait; zero if they do not say.
func Delay(st *status.Status) time.Duration {
	return details.Find[errdetails.RetryInfo](st.Proto().GetDetails()).GetRetryDelay().AsDuration()
}

// Wait is how long a server wants the client to wait before it tries
// again. A value that is no number, as gRPC has it, means never.
func Wait(trailer metadata.MD) (wait time.Duration, wanted bool) {
	values := trailer[key]
	if len(values) == 0 {
		return 0, true
	}
	ms, err := strconv.Atoi(values[0])
	if err != nil || ms < 0 || len(values) > 1 {
		return 0, false
	}
	return time.Duration(ms) * time.Millisecond, true
}
