package errors

import (
	stderrors "errors"
	"net/http"

	"google.golang.org/grpc/codes"
)

// statusClientClosedRequest is what proxies log for a request whose client went
// away. It has no name in net/http.
const statusClientClosedRequest = 499

// httpStatus maps gRPC codes as grpc-gateway does.
var httpStatus = map[codes.Code]int{
	codes.OK:                 http.StatusOK,
	codes.Canceled:           statusClientClosedRequest,
	codes.Unknown:            http.StatusInternalServerError,
	codes.InvalidArgument:    http.StatusBadRequest,
	codes.DeadlineExceeded:   http.StatusGatewayTimeout,
	codes.NotFound:           http.StatusNotFound,
	codes.AlreadyExists:      http.StatusConflict,
	codes.PermissionDenied:   http.StatusForbidden,
	codes.ResourceExhausted:  http.StatusTooManyRequests,
	codes.FailedPrecondition: http.StatusBadRequest,
	codes.Aborted:            http.StatusConflict,
	codes.OutOfRange:         http.StatusBadRequest,
	codes.Unimplemented:      http.StatusNotImplemented,
	codes.Internal:           http.StatusInternalServerError,
	codes.Unavailable:        http.StatusServiceUnavailable,
	codes.DataLoss:           http.StatusInternalServerError,
	codes.Unauthenticated:    http.StatusUnauthorized,
}

// HTTPStatus returns the status of the JSON response that carries the error:
// what the contract says for its reason, looked up in the table where the error
// is a gRPC status, or else what grpc-gateway maps its gRPC code to. A nil error
// is 200.
func HTTPStatus(err error, known Table) int {
	var typed *Error
	if stderrors.As(FromStatus(err, known), &typed) && typed.code().HTTP != 0 {
		return typed.code().HTTP
	}
	if code, ok := httpStatus[ToStatus(err).Code()]; ok {
		return code
	}
	return http.StatusInternalServerError
}
