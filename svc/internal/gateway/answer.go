package gateway

import (
	stderrors "errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/pushback"
	"github.com/protosvc/protosvc/svc/internal/transcode"
)

// fixedError is an error whose HTTP status does not follow from its code.
type fixedError struct {
	http   int
	status *status.Status
}

func (e *fixedError) Error() string { return e.status.Message() }

func fixed(httpStatus int, code codes.Code, format string, args ...any) error {
	return &fixedError{httpStatus, status.Newf(code, format, args...)}
}

// errTooLarge is answered with 413. gRPC uses the same code for a message that
// is too large.
var errTooLarge = fixed(http.StatusRequestEntityTooLarge, codes.ResourceExhausted, "request body is too large")

// errTooSlow is answered with 408. gRPC has the same code for a message that does
// not arrive in time.
var errTooSlow = fixed(http.StatusRequestTimeout, codes.DeadlineExceeded, "request body arrives too slowly")

// errTooMuch is for a body that had to make room. It is what a call gets that a server
// has no time for, and it had no effect either.
var errTooMuch = errors.Overloaded.New().After(time.Second)

// send answers with the response of a handler.
func (c *call) send(contentType string, data []byte) {
	if contentType == "" {
		contentType = "application/octet-stream" // nobody should guess from the bytes
	}
	c.write(http.StatusOK, contentType, data)
}

// write answers with a body, and with what the handler sent beside it.
func (c *call) write(httpStatus int, contentType string, data []byte) {
	header := c.w.Header()
	header.Set("Content-Type", contentType)
	data = c.compressed(contentType, data)
	var trailers http.Header
	if c.back != nil {
		addMetadata(header, metadataPrefix, c.back.headers())
		if acceptsTrailers(c.Header) {
			trailers = http.Header{}
			addMetadata(trailers, trailerPrefix, c.back.trailers())
		}
	}
	for name := range trailers {
		header.Add("Trailer", name)
	}
	if len(trailers) == 0 {
		header.Set("Content-Length", strconv.Itoa(len(data)))
	}
	c.w.WriteHeader(httpStatus)
	_, _ = c.w.Write(data) // or the client is gone
	for name, values := range trailers {
		header[name] = values
	}
}

// answerer turns errors into responses.
type answerer struct{ table errors.Table }

// fail answers with the error as google.rpc.Status. The delay that it may
// have before the next try is in the header Retry-After too, in whole seconds.
func (a answerer) fail(c *call, err error) {
	header := c.w.Header()
	if b, ok := c.Body.(*body); ok {
		if problem := b.problem(); problem != nil {
			err = problem
		}
		if b.tooSlow || b.tooMuch {
			header.Set("Connection", "close")
		}
	}
	st, httpStatus := a.statusOf(err)
	if delay := pushback.Delay(st); delay > 0 {
		header.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(delay.Seconds())), 10))
	}
	if st.Code() == codes.Unauthenticated {
		header.Set("WWW-Authenticate", st.Message())
	}
	c.write(httpStatus, transcode.JSON, append(appendStatus(nil, st), '\n'))
}

// statusOf returns what is answered for an error, with its HTTP status.
func (a answerer) statusOf(err error) (*status.Status, int) {
	if fixed, ok := stderrors.AsType[*fixedError](err); ok {
		return fixed.status, fixed.http
	}
	return errors.ToStatus(err), errors.HTTPStatus(err, a.table)
}

// appendStatus appends an error in JSON. It leaves out details of types that this
// binary does not know, which a callee may have sent: JSON cannot show them, and they
// would cost the caller the whole error.
func appendStatus(out []byte, st *status.Status) []byte {
	p := st.Proto()
	p.Details = slices.DeleteFunc(p.Details, func(detail *anypb.Any) bool {
		_, err := protoregistry.GlobalTypes.FindMessageByURL(detail.GetTypeUrl())
		return err != nil
	})
	data, err := transcode.AppendStatus(out, p)
	if err == nil {
		return data
	}
	p.Details, p.Message = nil, "internal error" // what was wrong with it
	data, _ = transcode.AppendStatus(out, p)     // a number and this text have a form
	return data
}
