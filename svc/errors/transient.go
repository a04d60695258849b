package errors

import "github.com/protosvc/protosvc/internal/rpccode"

// IsTransient reports whether an error is about the moment, not about the request:
// the server was down, busy, too slow or in a conflict, or the caller went away, and
// the same call may succeed later. It goes by the gRPC code of the error. A handler
// passes such an error of a callee on, wrapped with %w, to a caller who may try again.
func IsTransient(err error) bool { return rpccode.IsTransient(ToStatus(err).Code()) }
