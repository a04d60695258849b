package rpccode_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/internal/rpccode"
)

// others is a number that is no code.
const others = codes.Code(99)

// TestAsElsewhere holds the table against those who have one of their own.
func TestAsElsewhere(t *testing.T) {
	for number, name := range code.Code_name {
		c := codes.Code(number)
		if got := rpccode.Name(c); got != name {
			t.Errorf("Name(%v) = %q, google.rpc.Code has %q", c, got, name)
		}
		if got, want := rpccode.HTTP(c), runtime.HTTPStatusFromCode(c); got != want {
			t.Errorf("HTTP(%v) = %d, grpc-gateway has %d", c, got, want)
		}
		var read codes.Code
		if err := json.Unmarshal([]byte(`"`+rpccode.Name(c)+`"`), &read); err != nil || read != c {
			t.Errorf("grpc-go reads %q as %v, %v", rpccode.Name(c), read, err)
		}
	}
	if got := rpccode.Name(others); got != "CODE(99)" {
		t.Errorf("Name(99) = %q", got)
	}
	if got, want := rpccode.HTTP(others), runtime.HTTPStatusFromCode(others); got != want {
		t.Errorf("HTTP(99) = %d, want %d", got, want)
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
