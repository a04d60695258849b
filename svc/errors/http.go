package errors

import (
	stderrors "errors"

	"github.com/protosvc/protosvc/internal/rpccode"
)

// HTTPStatus returns the status of the JSON response that carries the error:
// what the contract says for its reason, looked up in the table where the error
// is a gRPC status, or else what its gRPC code is in HTTP. A nil error is 200.
func HTTPStatus(err error, known Table) int {
	var typed *Error
	if stderrors.As(FromStatus(err, known), &typed) && typed.code().HTTP != 0 {
		return typed.code().HTTP
	}
	return rpccode.HTTP(ToStatus(err).Code())
}
