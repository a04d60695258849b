// Package rpccode says what the status codes of gRPC mean: to HTTP, to whoever
// runs the server, and to a caller that may try again. It is the one table of
// that, for the runtime and for the generator. Handlers ask package errors.
package rpccode

import (
	"strconv"

	"google.golang.org/grpc/codes"
)

// trait is what else there is to say of a code, a set of bits.
type trait uint8

const (
	serverFault trait = 1 << iota
	transient
)

// The HTTP statuses are numbers since the generator does not link net/http.
var table = [...]struct {
	name   string
	http   int
	traits trait
}{
	codes.OK:                 {"OK", 200, 0},
	codes.Canceled:           {"CANCELLED", 499, transient}, // "client closed request" of proxies
	codes.Unknown:            {"UNKNOWN", 500, serverFault},
	codes.InvalidArgument:    {"INVALID_ARGUMENT", 400, 0},
	codes.DeadlineExceeded:   {"DEADLINE_EXCEEDED", 504, serverFault | transient},
	codes.NotFound:           {"NOT_FOUND", 404, 0},
	codes.AlreadyExists:      {"ALREADY_EXISTS", 409, 0},
	codes.PermissionDenied:   {"PERMISSION_DENIED", 403, 0},
	codes.ResourceExhausted:  {"RESOURCE_EXHAUSTED", 429, transient},
	codes.FailedPrecondition: {"FAILED_PRECONDITION", 400, 0},
	codes.Aborted:            {"ABORTED", 409, transient},
	codes.OutOfRange:         {"OUT_OF_RANGE", 400, 0},
	codes.Unimplemented:      {"UNIMPLEMENTED", 501, serverFault},
	codes.Internal:           {"INTERNAL", 500, serverFault},
	codes.Unavailable:        {"UNAVAILABLE", 503, serverFault | transient},
	codes.DataLoss:           {"DATA_LOSS", 500, serverFault},
	codes.Unauthenticated:    {"UNAUTHENTICATED", 401, 0},
}

func known(c codes.Code) bool { return int(c) < len(table) }

// Name is the code as google.rpc.Code, service configs and the semantic
// conventions of OpenTelemetry spell it: "NOT_FOUND". A number that is no code
// is "CODE(99)".
func Name(c codes.Code) string {
	if known(c) {
		return table[c].name
	}
	return "CODE(" + strconv.Itoa(int(c)) + ")"
}

// HTTP is the HTTP status of a code, as google.rpc.Code maps it.
// A number that is no code is 500.
func HTTP(c codes.Code) int {
	if known(c) {
		return table[c].http
	}
	return HTTP(codes.Unknown)
}

// IsServerFault reports whether the code says that the server, not its caller,
// did something wrong: the list for RPC servers in the semantic conventions of
// OpenTelemetry. Logs, metrics and traces of a server agree on it.
func IsServerFault(c codes.Code) bool { return known(c) && table[c].traits&serverFault != 0 }

// IsTransient reports whether the code is about the moment, not about the
// request: the same call may succeed later. So may one that was ABORTED, by a
// conflict with another.
func IsTransient(c codes.Code) bool { return known(c) && table[c].traits&transient != 0 }
