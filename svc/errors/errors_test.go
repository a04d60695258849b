package errors_test

import (
	"context"
	"database/sql/driver"
	stderrors "errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/protosvc/protosvc/svc/errors"
)

var (
	userNotFound = &errors.Code{
		Domain: "order.shop", Reason: "ORDER_ERROR_USER_NOT_FOUND",
		GRPC: codes.NotFound, HTTP: 422, Message: "user {user_id} does not exist",
	}
	timeout = &errors.Code{
		Domain: "order.shop", Reason: "ORDER_ERROR_DB_TIMEOUT",
		GRPC: codes.Unavailable, Retryable: true, Message: "database timeout",
	}
	table = errors.Table{userNotFound, timeout}
)

// send is the way of an error over the wire.
func send(t *testing.T, err error, known errors.Table) error {
	t.Helper()
	p := errors.ToStatus(err).Proto()
	data, encodeErr := proto.Marshal(p)
	if encodeErr != nil {
		t.Fatalf("the status cannot be encoded: %v", encodeErr)
	}
	p.Reset()
	if err := proto.Unmarshal(data, p); err != nil {
		t.Fatal(err)
	}
	return errors.FromStatus(status.FromProto(p).Err(), known)
}

func TestMessage(t *testing.T) {
	tests := []struct {
		template string
		metadata []any
		want     string
	}{
		{"no places", []any{"a", "1"}, "no places"},
		{"user {id} of {shop}", []any{"id", "7", "shop", "x"}, "user 7 of x"},
		{"{a}{b}", []any{"a", "{b}", "b", "2"}, "{b}2"},
		{"user {id}", nil, "user {id}"},
		{"{unknown} {a}", []any{"a", "1"}, "{unknown} 1"},
		{"open { {a", []any{"a", "1"}, "open { {a"},
		{"{x{a}}", []any{"a", "1"}, "{x1}"},
		{"{a}", []any{"a"}, ""},
		{"", nil, "REASON"},
	}
	for _, test := range tests {
		code := &errors.Code{Reason: "REASON", Message: test.template}
		if got := code.New(test.metadata...).Message(); got != test.want {
			t.Errorf("template %q with %v = %q, want %q", test.template, test.metadata, got, test.want)
		}
	}
}

func TestCauseStaysLocal(t *testing.T) {
	cause := stderrors.New("pq: secret host refused")
	err := fmt.Errorf("loading order: %w", userNotFound.New("user_id", "7").WithCause(cause))

	if got, want := err.Error(), "loading order: user 7 does not exist: pq: secret host refused"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !stderrors.Is(err, cause) {
		t.Error("the cause is not reachable in the process")
	}
	if got := errors.ToStatus(err).Proto().String(); strings.Contains(got, "secret") || strings.Contains(got, "loading") {
		t.Errorf("the wire carries local text: %s", got)
	}
}

func TestCopies(t *testing.T) {
	first := userNotFound.New("user_id", "7")
	second := first.WithMetadata("user_id", "8", "shop", "x").WithCause(context.Canceled)
	one := second.WithDetails(&errdetails.LocalizedMessage{Message: "one"})
	two := second.WithDetails(&errdetails.LocalizedMessage{Message: "two"})

	if diff := cmp.Diff(map[string]string{"user_id": "7"}, first.Metadata); diff != "" {
		t.Errorf("the original has changed: %s", diff)
	}
	if diff := cmp.Diff(map[string]string{"user_id": "8", "shop": "x"}, second.Metadata); diff != "" {
		t.Error(diff)
	}
	if first.Unwrap() != nil || second.Unwrap() != context.Canceled {
		t.Error("the cause is not that of the copy")
	}
	for e, want := range map[*errors.Error]string{one: "one", two: "two"} {
		details := e.GRPCStatus().Details()
		if got := details[len(details)-1].(*errdetails.LocalizedMessage).GetMessage(); got != want {
			t.Errorf("last detail = %q, want %q", got, want)
		}
	}
}

func TestToStatus(t *testing.T) {
	joined := stderrors.Join(stderrors.New("first"), userNotFound.New())
	tests := []struct {
		name string
		err  error
		code codes.Code
		text string
	}{
		{"nil", nil, codes.OK, ""},
		{"typed", userNotFound.New("user_id", "7"), codes.NotFound, "user 7 does not exist"},
		{"wrapped", fmt.Errorf("a: %w", timeout.New()), codes.Unavailable, "database timeout"},
		{"joined", joined, codes.NotFound, "user {user_id} does not exist"},
		{"caused by a cancelled context", timeout.New().WithCause(context.Canceled), codes.Unavailable, "database timeout"},
		{"code", fmt.Errorf("a: %w", timeout), codes.Unavailable, "database timeout"},
		{"without code", &errors.Error{}, codes.Internal, "internal error"},
		{"status", status.Error(codes.Aborted, "conflict"), codes.Aborted, "conflict"},
		{"wrapped status", fmt.Errorf("secret: %w", status.Error(codes.Aborted, "conflict")), codes.Aborted, "conflict"},
		{"status OK", okError{}, codes.Internal, "internal error"},
		{"cancelled", fmt.Errorf("query: %w", context.Canceled), codes.Canceled, "canceled"},
		{"deadline", fmt.Errorf("query: %w", context.DeadlineExceeded), codes.DeadlineExceeded, "deadline exceeded"},
		{"refused connection", fmt.Errorf("query: %w", &net.OpError{Op: "dial", Net: "tcp", Err: stderrors.New("secret")}), codes.Unavailable, "unavailable"},
		{"broken connection", fmt.Errorf("query: %w", driver.ErrBadConn), codes.Unavailable, "unavailable"},
		{"unknown", stderrors.New("secret"), codes.Internal, "internal error"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			st := errors.ToStatus(test.err)
			if st.Code() != test.code || st.Message() != test.text {
				t.Errorf("ToStatus = %v %q, want %v %q", st.Code(), st.Message(), test.code, test.text)
			}
		})
	}
}

// okError is an error that claims to be none.
type okError struct{}

func (okError) Error() string              { return "secret" }
func (okError) GRPCStatus() *status.Status { return nil }

func TestDetails(t *testing.T) {
	bad := &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "a", Reason: "string.min_len"}}}
	want := []any{
		&errdetails.ErrorInfo{Domain: "order.shop", Reason: "ORDER_ERROR_DB_TIMEOUT", Metadata: map[string]string{"table": "orders"}},
		&errdetails.RetryInfo{},
		bad,
	}
	local := timeout.New("table", "orders").WithDetails(bad)
	remote := send(t, local, table)
	for where, err := range map[string]error{"local": local, "remote": remote, "remote of remote": send(t, remote, nil)} {
		if diff := cmp.Diff(want, status.Convert(err).Details(), protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", where, diff)
		}
	}
}

func TestOtherSide(t *testing.T) {
	for name, known := range map[string]errors.Table{"known": table, "unknown": nil} {
		t.Run(name, func(t *testing.T) {
			err := send(t, fmt.Errorf("x: %w", userNotFound.New("user_id", "7")), known)

			var typed *errors.Error
			if !stderrors.As(err, &typed) {
				t.Fatalf("%T is not an *errors.Error", err)
			}
			if !stderrors.Is(err, userNotFound) || stderrors.Is(err, timeout) || !stderrors.Is(err, userNotFound.New()) {
				t.Error("errors.Is does not find the code of the contract")
			}
			if got := typed.Metadata["user_id"]; got != "7" {
				t.Errorf("metadata user_id = %q, want 7", got)
			}
			if got, want := err.Error(), "user 7 does not exist"; got != want {
				t.Errorf("message = %q, want %q", got, want)
			}
			if known != nil && typed.Code != userNotFound {
				t.Error("the code is not the one of the table")
			}
		})
	}
}

func TestRetryableOnOtherSide(t *testing.T) {
	for name, known := range map[string]errors.Table{"known": table, "unknown": nil} {
		for code, want := range map[*errors.Code]bool{timeout: true, userNotFound: false} {
			var typed *errors.Error
			if !stderrors.As(send(t, code, known), &typed) || typed.Retryable() != want {
				t.Errorf("%s: Retryable of %s is not %t", name, code.Reason, want)
			}
		}
	}
}

// A caller returns an error of its callee: it travels on as it was, even when
// this process has a table of another version.
func TestTravelsOn(t *testing.T) {
	newer := &errors.Code{Domain: userNotFound.Domain, Reason: userNotFound.Reason, GRPC: codes.FailedPrecondition, Message: "gone: {user_id}"}
	first := newer.New("user_id", "7")
	want := first.GRPCStatus().Proto()
	for name, known := range map[string]errors.Table{"same": {newer}, "older": table, "none": nil} {
		received := send(t, first, known)
		got := errors.ToStatus(fmt.Errorf("charging: %w", received)).Proto()
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("table %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFromStatusUnchanged(t *testing.T) {
	plain := status.Error(codes.Unimplemented, "unknown method")
	local := userNotFound.New()
	for name, err := range map[string]error{"nil": nil, "no status": context.Canceled, "no info": plain, "typed": local} {
		if got := errors.FromStatus(err, table); got != err {
			t.Errorf("%s: FromStatus = %#v, want %#v", name, got, err)
		}
	}
}

// What gRPC says of a connection names addresses; a handler that returns it must
// not send them on.
func TestFromStatusOfTransport(t *testing.T) {
	err := errors.FromStatus(status.Error(codes.Unavailable, "dial tcp 10.0.0.7:9090: connection refused"), table)
	if !stderrors.Is(err, errors.Unavailable) {
		t.Fatalf("FromStatus = %#v, want errors.Unavailable", err)
	}
	if got := errors.ToStatus(err).Message(); got != "unavailable" {
		t.Errorf("message on the wire = %q, want %q", got, "unavailable")
	}
	if !strings.Contains(err.Error(), "10.0.0.7") {
		t.Errorf("error for the log = %q, want it to keep the cause", err)
	}
}

func TestFrameworkCodesNeedNoTable(t *testing.T) {
	err := send(t, context.DeadlineExceeded, nil)
	var typed *errors.Error
	if !stderrors.As(err, &typed) || typed.Code != errors.DeadlineExceeded {
		t.Errorf("%#v does not have the code DeadlineExceeded", err)
	}
}

func TestInvalidUTF8(t *testing.T) {
	err := send(t, userNotFound.New("user_id", "a\xffb", "k\xff", "v"), table)
	want := map[string]string{"user_id": "a\uFFFDb", "k\uFFFD": "v"}
	var typed *errors.Error
	if !stderrors.As(err, &typed) {
		t.Fatal("the details are lost")
	}
	if diff := cmp.Diff(want, typed.Metadata); diff != "" {
		t.Error(diff)
	}
}

func TestHTTPStatus(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"nil", nil, 200},
		{"by the table", userNotFound.GRPCStatus().Err(), 422},
		{"by the code itself", userNotFound.New(), 422},
		{"no own status", timeout.GRPCStatus().Err(), 503},
		{"wrapped", fmt.Errorf("x: %w", userNotFound.New()), 422},
		{"unknown reason", (&errors.Code{Reason: "OTHER", GRPC: codes.AlreadyExists, HTTP: 418}).GRPCStatus().Err(), 409},
		{"plain status", status.Error(codes.PermissionDenied, ""), 403},
		{"unknown code", status.Error(77, ""), 500},
		{"cancelled", context.Canceled, 499},
		{"anything", stderrors.New("x"), 500},
	}
	for _, test := range tests {
		if got := errors.HTTPStatus(test.err, table); got != test.want {
			t.Errorf("%s: HTTPStatus = %d, want %d", test.name, got, test.want)
		}
	}
}

// A handler asks about an error in any of the forms that one may have.
func TestIsTransient(t *testing.T) {
	for err, want := range map[error]bool{
		nil:                                   false,
		errors.Unavailable:                    true,
		errors.CircuitOpen.New():              true,
		errors.Overloaded.New():               true,
		fmt.Errorf("x: %w", context.Canceled): true,
		context.DeadlineExceeded:              true,
		send(t, timeout.New(), table):         true,
		status.Error(codes.Unavailable, ""):   true,
		status.Error(codes.Aborted, ""):       true,
		userNotFound.New():                    false,
		stderrors.New("x"):                    false,
	} {
		if got := errors.IsTransient(err); got != want {
			t.Errorf("IsTransient(%v) = %v, want %v", err, got, want)
		}
	}
}

func ExampleCode() {
	// As generated:
	userNotFound := &errors.Code{
		Domain: "order.shop", Reason: "ORDER_ERROR_USER_NOT_FOUND",
		GRPC: codes.NotFound, HTTP: 404, Message: "user {user_id} does not exist",
	}

	// The handler returns
	err := fmt.Errorf("creating order: %w", userNotFound.New("user_id", "u-17").WithCause(stderrors.New("no rows")))
	fmt.Println("log: ", err)

	// and the caller gets
	received := errors.FromStatus(errors.ToStatus(err).Err(), errors.Table{userNotFound})
	fmt.Println("wire:", received)
	fmt.Println("is:  ", stderrors.Is(received, userNotFound))
	// Output:
	// log:  creating order: user u-17 does not exist: no rows
	// wire: user u-17 does not exist
	// is:   true
}
