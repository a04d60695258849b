package errors_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"maps"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/errors"
)

var (
	declined = &errors.Code{Domain: "payment", Reason: "DECLINED", GRPC: codes.FailedPrecondition, Message: "declined: {why}"}
	unpaid   = &errors.Code{Domain: "order", Reason: "UNPAID", GRPC: codes.Aborted, Message: "not paid: {why}"}
	unknown  = &errors.Code{Domain: "payment", Reason: "UNKNOWN_CARD", GRPC: codes.NotFound, Message: "card {card}"}
)

// received is the error as a caller of the service that returned it has it.
func received(t *testing.T, err error) error { return send(t, err, nil) }

func TestContract(t *testing.T) {
	secret := stderrors.New("secret")
	tests := []struct {
		name     string
		err      error
		declared bool
		lenient  error // what it becomes; nil: what it was
		strict   error
	}{
		{"none", nil, true, nil, nil},
		{"declared", fmt.Errorf("pay: %w", unpaid.New("why", "broke")), true, unpaid, unpaid},
		{"declared, as a code", unpaid, true, unpaid, unpaid},
		{"mapped", fmt.Errorf("pay: %w", received(t, declined.New("why", "limit"))), true, unpaid, unpaid},
		{"undeclared", received(t, unknown.New()), false, unknown, errors.Internal},
		{"runtime's", errors.InvalidRequest.New(), true, errors.InvalidRequest, errors.InvalidRequest},
		{"callee's moment", received(t, errors.Overloaded), true, errors.Overloaded, errors.Overloaded},
		{"callee's conflict", received(t, errors.Aborted), true, errors.Aborted, errors.Aborted},
		{"callee's invalid request", received(t, errors.InvalidRequest), false, errors.InvalidRequest, errors.Internal},
		{"callee's internal error", received(t, errors.Internal), false, errors.Internal, errors.Internal},
		{"mapped, by another client", declined.New("why", "limit").GRPCStatus().Err(), true, unpaid, unpaid},
		{"undeclared, by another client", unknown.GRPCStatus().Err(), false, nil, errors.Internal},
		{"callee's internal error without text", received(t, (&errors.Code{Domain: errors.Domain, Reason: "INTERNAL", GRPC: codes.Internal}).GRPCStatus().Err()), false, errors.Internal, errors.Internal},
		{"callee is gone", errors.FromStatus(status.Error(codes.Unavailable, "127.0.0.1 refused"), nil), true, errors.Unavailable, errors.Unavailable},
		{"gRPC's own", status.Error(codes.ResourceExhausted, "larger than max"), true, nil, errors.ResourceExhausted},
		{"not implemented", status.Error(codes.Unimplemented, "method Pay not implemented"), true, nil, errors.Unimplemented},
		{"a bare status", status.Error(codes.NotFound, "secret"), false, nil, errors.Internal},
		{"no status", secret, true, secret, secret},
		{"context", context.Canceled, true, context.Canceled, context.Canceled},
		{"without code", &errors.Error{}, true, errors.Internal, errors.Internal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for strict, want := range map[bool]error{false: test.lenient, true: test.strict} {
				c := errors.Contract{
					Declared: errors.Table{unpaid},
					Mapped:   []errors.Mapping{{From: declined, To: unpaid}},
					Strict:   strict,
				}
				got, declared := c.Apply(test.err)
				if declared != test.declared {
					t.Errorf("strict %v: declared is %v, want %v", strict, declared, test.declared)
				}
				if want == nil {
					want = test.err
				}
				if !stderrors.Is(got, want) {
					t.Errorf("strict %v: got %v, want %v", strict, got, want)
				}
				if !stderrors.Is(got, test.err) {
					t.Errorf("strict %v: %v has lost its cause %v", strict, got, test.err)
				}
			}
		})
	}
}

func TestMappedErrorKeepsMetadata(t *testing.T) {
	c := errors.Contract{Declared: errors.Table{unpaid}, Mapped: []errors.Mapping{{From: declined, To: unpaid}}}
	ending, _ := c.Apply(received(t, declined.New("why", "limit", "card", "4711")))
	got := received(t, ending).(*errors.Error)
	if want := map[string]string{"why": "limit", "card": "4711"}; !maps.Equal(got.Metadata, want) || got.Message() != "not paid: limit" {
		t.Errorf("got %q with %v, want %v", got.Message(), got.Metadata, want)
	}
}

func TestStrictContractKeepsSecrets(t *testing.T) {
	c := errors.Contract{Strict: true}
	for _, err := range []error{
		status.Error(codes.Unavailable, "secret"), status.Error(codes.NotFound, "secret"), stderrors.New("secret"),
		received(t, errors.Internal.New("key", "secret")), fmt.Errorf("secret: %w", received(t, unknown.New("card", "secret"))),
	} {
		ending, _ := c.Apply(err)
		assertNoSecret(t, errors.ToStatus(ending))
	}
}

func TestTripsBreaker(t *testing.T) {
	yes, no := *unknown, *unknown
	yes.TripsBreaker, no.TripsBreaker = new(true), new(false)
	no.GRPC = codes.Unavailable
	for err, want := range map[error]bool{
		unknown: false, &yes: true, &no: false, errors.Unavailable: true, errors.InvalidRequest: false, errors.Overloaded: false,
		status.Error(codes.Internal, ""): true, status.Error(codes.NotFound, ""): false,
		context.DeadlineExceeded: true, context.Canceled: false, nil: false,
	} {
		if got := errors.TripsBreaker(err); got != want {
			t.Errorf("TripsBreaker(%v) = %v, want %v", err, got, want)
		}
	}
	if got := errors.TripsBreaker(received(t, no.New())); !got {
		t.Error("a reason that the caller does not know trips by its code")
	}
	if got := errors.TripsBreaker(send(t, no.New(), errors.Table{&no})); got {
		t.Error("the contract of the caller says that the reason does not trip")
	}
}

// Every code of gRPC, where no contract says otherwise.
func TestTripsBreakerByCode(t *testing.T) {
	trips := map[codes.Code]bool{codes.Unknown: true, codes.DeadlineExceeded: true, codes.Internal: true, codes.Unavailable: true, codes.DataLoss: true}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		own := &errors.Code{Domain: "test", Reason: "OWN", GRPC: code}
		for _, err := range []error{status.Error(code, ""), own.New()} {
			if got := errors.TripsBreaker(err); got != trips[code] {
				t.Errorf("TripsBreaker(%v) = %v, want %v", err, got, trips[code])
			}
		}
	}
}

// What the comments of the runtime's codes promise.
func TestFramework(t *testing.T) {
	for _, test := range []struct {
		code      *errors.Code
		grpc      codes.Code
		retryable bool
		trips     bool
	}{
		{errors.InvalidRequest, codes.InvalidArgument, false, false},
		{errors.InvalidMetadata, codes.InvalidArgument, false, false},
		{errors.Internal, codes.Internal, false, true},
		{errors.DeadlineExceeded, codes.DeadlineExceeded, false, true},
		{errors.Canceled, codes.Canceled, false, false},
		{errors.IdempotencyKeyConflict, codes.AlreadyExists, false, false},
		{errors.Overloaded, codes.ResourceExhausted, true, false},
		{errors.RateLimited, codes.ResourceExhausted, true, false},
		{errors.ResourceExhausted, codes.ResourceExhausted, false, false},
		{errors.MessageTooLarge, codes.Internal, false, false}, // the callee is well
		{errors.Unimplemented, codes.Unimplemented, false, false},
		{errors.Unavailable, codes.Unavailable, true, true},
		{errors.Aborted, codes.Aborted, true, false},
		{errors.CircuitOpen, codes.Unavailable, true, false}, // it trips no further breaker
		// No end of a stream says anything against the server.
		{errors.StreamMaxAge, codes.Unavailable, true, false},
		{errors.IdleTimeout, codes.Unavailable, true, false},
		{errors.Stopping, codes.Unavailable, true, false},
		{errors.TooManyMessages, codes.ResourceExhausted, false, false},
		{errors.SlowConsumer, codes.ResourceExhausted, false, false},
	} {
		t.Run(test.code.Reason, func(t *testing.T) {
			if test.code.GRPC != test.grpc {
				t.Errorf("the code of gRPC is %v, want %v", test.code.GRPC, test.grpc)
			}
			if test.code.Retryable != test.retryable {
				t.Errorf("retryable is %v, want %v", test.code.Retryable, test.retryable)
			}
			for _, err := range []error{test.code, received(t, test.code)} {
				if got := errors.TripsBreaker(err); got != test.trips {
					t.Errorf("TripsBreaker(%v) = %v, want %v", err, got, test.trips)
				}
			}
		})
	}
}

func TestMatch(t *testing.T) {
	name := func(e *errors.Error) string { return e.Metadata["why"] }
	cases := []errors.Case[string]{{Code: declined, Do: name}, {Code: unpaid, Do: name}}
	for _, test := range []struct {
		err  error
		want string
		ok   bool
	}{
		{fmt.Errorf("pay: %w", received(t, unpaid.New("why", "broke"))), "broke", true},
		{errors.Unavailable.New(), "", false},
		{status.Error(codes.NotFound, ""), "", false},
		{nil, "", false},
	} {
		if got, ok := errors.Match(test.err, cases...); got != test.want || ok != test.ok {
			t.Errorf("Match(%v) = %q, %v, want %q, %v", test.err, got, ok, test.want, test.ok)
		}
	}
}
