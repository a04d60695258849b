package errors

import "google.golang.org/grpc/codes"

// Domain is the domain of the errors that the runtime itself makes. They belong
// to the contract of every method.
const Domain = "svc.protosvc.dev"

// The errors of the runtime. [FromStatus] knows them without a table.
var (
	// InvalidRequest: the request breaks a rule of its message. The status
	// carries google.rpc.BadRequest with one violation for each broken rule.
	InvalidRequest = &Code{Domain: Domain, Reason: "INVALID_REQUEST", GRPC: codes.InvalidArgument, Message: "invalid request"}

	// Internal: the handler panicked, or failed with an error that the contract
	// does not know. What happened is in the server's log.
	Internal = &Code{Domain: Domain, Reason: "INTERNAL", GRPC: codes.Internal, Message: "internal error"}

	// DeadlineExceeded: the call took longer than its deadline.
	DeadlineExceeded = &Code{Domain: Domain, Reason: "DEADLINE_EXCEEDED", GRPC: codes.DeadlineExceeded, Message: "deadline exceeded"}

	// Canceled: the caller went away.
	Canceled = &Code{Domain: Domain, Reason: "CANCELED", GRPC: codes.Canceled, Message: "canceled"}

	// IdempotencyKeyConflict: the idempotency key was used before, for a request that says
	// something else.
	IdempotencyKeyConflict = &Code{Domain: Domain, Reason: "IDEMPOTENCY_KEY_CONFLICT", GRPC: codes.AlreadyExists, Message: "{field} {key} was used for a different request"}

	// Overloaded: the server has too much to do; the request had no effect.
	Overloaded = &Code{Domain: Domain, Reason: "OVERLOADED", GRPC: codes.ResourceExhausted, Retryable: true, Message: "overloaded"}

	// InvalidMetadata: a metadata key that travels has a value that does not. The
	// status carries the key as metadata of the error.
	InvalidMetadata = &Code{Domain: Domain, Reason: "INVALID_METADATA", GRPC: codes.InvalidArgument, Message: "metadata {key} {problem}"}

	// MessageTooLarge: a message between this service and one that it calls is larger
	// than its receiver accepts. That is a matter between the two: the caller of this
	// service can do nothing about it, and the callee is well.
	MessageTooLarge = &Code{Domain: Domain, Reason: "MESSAGE_TOO_LARGE", GRPC: codes.Internal, TripsBreaker: new(false), Message: "a message between services is too large"}

	// ResourceExhausted: the server has no room for what the call wants to store,
	// or a message is larger than what the other side accepts.
	ResourceExhausted = &Code{Domain: Domain, Reason: "RESOURCE_EXHAUSTED", GRPC: codes.ResourceExhausted, Message: "resource exhausted"}

	// Unimplemented: the server does not have the method, or not yet.
	Unimplemented = &Code{Domain: Domain, Reason: "UNIMPLEMENTED", GRPC: codes.Unimplemented, Message: "unimplemented"}
	// RateLimited: the caller calls more often than it may; the request had no
	// effect. RetryInfo says when there is room again.
	RateLimited = &Code{Domain: Domain, Reason: "RATE_LIMITED", GRPC: codes.ResourceExhausted, Retryable: true, Message: "too many calls from one caller"}

	// Unavailable: the server cannot serve now, or cannot be reached.
	Unavailable = &Code{Domain: Domain, Reason: "UNAVAILABLE", GRPC: codes.Unavailable, Retryable: true, Message: "unavailable"}

	// Aborted: the call was in conflict with others that wanted to change the same,
	// each time that the server tried it. It had no effect.
	Aborted = &Code{Domain: Domain, Reason: "ABORTED", GRPC: codes.Aborted, Retryable: true, Message: "in conflict with another call"}

	// CircuitOpen: a service that is needed failed too often and is not called for
	// now. The call had no effect. It trips no further breaker: whoever calls the
	// service that says so finds it at work.
	CircuitOpen = &Code{Domain: Domain, Reason: "CIRCUIT_OPEN", GRPC: codes.Unavailable, Retryable: true, TripsBreaker: new(false), Message: "a service that is needed is not available"}
)

// How the runtime ends streams. None says anything against the server, so none
// trips a breaker.
var (
	// StreamMaxAge: the stream is as old as it may become. Connect anew.
	StreamMaxAge = ends("STREAM_MAX_AGE", codes.Unavailable, true, "the stream has reached its maximum age")

	// IdleTimeout: there was no message in either direction for too long.
	IdleTimeout = ends("IDLE_TIMEOUT", codes.Unavailable, true, "no message for too long")

	// Stopping: the server stops. Connect anew, which leads to another one.
	Stopping = ends("STOPPING", codes.Unavailable, true, "server is stopping")

	// TooManyMessages: the caller sent more messages than a stream may have.
	TooManyMessages = ends("TOO_MANY_MESSAGES", codes.ResourceExhausted, false, "too many messages")

	// SlowConsumer: a message waited too long for the caller to read.
	SlowConsumer = ends("SLOW_CONSUMER", codes.ResourceExhausted, false, "caller does not read")
)

func ends(reason string, code codes.Code, again bool, message string) *Code {
	return &Code{Domain: Domain, Reason: reason, GRPC: code, Retryable: again, TripsBreaker: new(false), Message: message}
}

// StreamEnds are the codes with which the runtime ends streams that are at a
// bound.
func StreamEnds() Table {
	return Table{StreamMaxAge, IdleTimeout, Stopping, TooManyMessages, SlowConsumer}
}

// framework lists the codes above.
var framework = append(Table{
	InvalidRequest, InvalidMetadata, Internal, DeadlineExceeded, Canceled, Overloaded, RateLimited, MessageTooLarge, ResourceExhausted,
	Unavailable, Aborted, CircuitOpen, Unimplemented, IdempotencyKeyConflict,
}, StreamEnds()...)
