package rpccode_test

import (
	"encoding/json"
	"slices"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/internal/rpccode"
)

// others is a number that is no code.
const others = codes.Code(99)

// mappings are those in the comments of google.rpc.Code.
var mappings = map[codes.Code]int{
	codes.OK: 200, codes.Canceled: 499, codes.Unknown: 500, codes.InvalidArgument: 400, codes.DeadlineExceeded: 504,
	codes.NotFound: 404, codes.AlreadyExists: 409, codes.PermissionDenied: 403, codes.Unauthenticated: 401,
	codes.ResourceExhausted: 429, codes.FailedPrecondition: 400, codes.Aborted: 409, codes.OutOfRange: 400,
	codes.Unimplemented: 501, codes.Internal: 500, codes.Unavailable: 503, codes.DataLoss: 500,
}

// TestAsElsewhere holds the table against those who have one of their own.
func TestAsElsewhere(t *testing.T) {
	for number, name := range code.Code_name {
		c := codes.Code(number)
		if got := rpccode.Name(c); got != name {
			t.Errorf("Name(%v) = %q, google.rpc.Code has %q", c, got, name)
		}
		if got := rpccode.HTTP(c); got != mappings[c] {
			t.Errorf("HTTP(%v) = %d, google.rpc.Code has %d", c, got, mappings[c])
		}
		var read codes.Code
		if err := json.Unmarshal([]byte(`"`+rpccode.Name(c)+`"`), &read); err != nil || read != c {
			t.Errorf("grpc-go reads %q as %v, %v", rpccode.Name(c), read, err)
		}
	}
	if got := rpccode.Name(others); got != "CODE(99)" {
		t.Errorf("Name(99) = %q", got)
	}
	if got := rpccode.HTTP(others); got != 500 {
		t.Errorf("HTTP(99) = %d, want 500", got)
	}
}

func TestPredicates(t *testing.T) {
	for _, test := range []struct {
		name string
		is   func(codes.Code) bool
		want []codes.Code
	}{
		{"IsServerFault", rpccode.IsServerFault, []codes.Code{
			codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss,
		}},
		{"IsTransient", rpccode.IsTransient, []codes.Code{
			codes.Canceled, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Aborted, codes.Unavailable,
		}},
	} {
		for c := range others + 1 {
			if got := test.is(c); got != slices.Contains(test.want, c) {
				t.Errorf("%s(%v) = %v", test.name, c, got)
			}
		}
	}
}
