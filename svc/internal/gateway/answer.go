package gateway

import (
	"context"
	stderrors "errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/cut"
	"github.com/protosvc/protosvc/svc/internal/pushback"
)

// errTooLarge is answered with 413. gRPC uses the same code for a message that
// is too large.
var errTooLarge = &runtime.HTTPStatusError{
	HTTPStatus: http.StatusRequestEntityTooLarge,
	Err:        status.Error(codes.ResourceExhausted, "request body is too large"),
}

// errTooSlow is answered with 408. gRPC has the same code for a message that does
// not arrive in time.
var errTooSlow = &runtime.HTTPStatusError{
	HTTPStatus: http.StatusRequestTimeout,
	Err:        status.Error(codes.DeadlineExceeded, "request body arrives too slowly"),
}

// errTooMuch is for a body that had to make room. It is what a call gets that a server
// has no time for, and it had no effect either.
var errTooMuch = errors.Overloaded.New().After(time.Second)

// answerer turns errors into responses.
type answerer struct{ table errors.Table }

// failure answers with the error as google.rpc.Status. The delay that it may
// have before the next try is in the header Retry-After too, in whole seconds.
func (a answerer) failure(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if b, ok := r.Body.(*body); ok {
		if problem := b.problem(); problem != nil {
			err = problem
		}
		if b.tooSlow || b.tooMuch {
			w.Header().Set("Connection", "close")
		}
	}
	st, httpStatus := a.statusOf(err)
	if delay := pushback.Delay(st); delay > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(int64(math.Ceil(delay.Seconds())), 10))
	}
	runtime.DefaultHTTPErrorHandler(ctx, mux, m, w, r, &runtime.HTTPStatusError{HTTPStatus: httpStatus, Err: presentable(st).Err()})
}

// streamFailure is for errors after the first message: the last line.
func (a answerer) streamFailure(_ context.Context, err error) *status.Status {
	return presentable(errors.ToStatus(err))
}

// How many bytes of a request line an answer shows.
const (
	maxMethod = 16
	maxPath   = 128
)

// routingFailure answers a request that no route is for.
func (a answerer) routingFailure(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, httpStatus int) {
	text := map[int]string{
		http.StatusNotFound:         "no route for path",
		http.StatusMethodNotAllowed: "method " + cut.Text(r.Method, maxMethod) + " is not allowed for path",
	}[httpStatus]
	if text == "" {
		text = "malformed path"
	}
	a.failure(ctx, mux, m, w, r, &runtime.HTTPStatusError{
		HTTPStatus: httpStatus,
		Err:        status.Errorf(routingCode(httpStatus), "%s %q", text, cut.Text(r.URL.Path, maxPath)),
	})
}

// statusOf returns what is answered for an error, with its HTTP status.
func (a answerer) statusOf(err error) (*status.Status, int) {
	var fixed *runtime.HTTPStatusError
	if !stderrors.As(err, &fixed) {
		return errors.ToStatus(err), errors.HTTPStatus(err, a.table)
	}
	st, ok := status.FromError(fixed.Err)
	if !ok {
		st = status.New(routingCode(fixed.HTTPStatus), fixed.Err.Error())
	}
	return errors.ToStatus(st.Err()), fixed.HTTPStatus
}

// routingCode is the gRPC code of an error that the gateway found by itself.
func routingCode(httpStatus int) codes.Code {
	switch httpStatus {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusNotFound:
		return codes.NotFound
	case http.StatusMethodNotAllowed:
		return codes.Unimplemented
	}
	return codes.Internal
}

// presentable leaves out details of types that this binary does not know, which
// a callee may have sent. JSON cannot show them, and they would cost the caller
// the whole error.
func presentable(st *status.Status) *status.Status {
	p := st.Proto()
	p.Details = slices.DeleteFunc(p.Details, func(detail *anypb.Any) bool {
		_, err := protoregistry.GlobalTypes.FindMessageByURL(detail.GetTypeUrl())
		return err != nil
	})
	return status.FromProto(p)
}
