package errors_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/errors"
)

func TestFinal(t *testing.T) {
	declined := &errors.Code{Domain: "test", Reason: "DECLINED", GRPC: codes.FailedPrecondition}
	full := &errors.Code{Domain: "test", Reason: "FULL", GRPC: codes.FailedPrecondition, Retryable: true}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{declined, true},
		{fmt.Errorf("pay: %w", declined.New("a", "b")), true},
		{full, false},
		{errors.FromStatus(full.GRPCStatus().Err(), nil), false},
		{status.Error(codes.NotFound, "gone"), true},
		{status.Error(codes.Unavailable, "down"), false},
		{status.Error(codes.Aborted, "conflict"), false},
		{errors.InvalidRequest, true},
		{errors.Internal, false},
		{context.Canceled, false},
		{io.EOF, false},
	} {
		if got := errors.Final(c.err); got != c.want {
			t.Errorf("Final(%v) = %t", c.err, got)
		}
	}
}
