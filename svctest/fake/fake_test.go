package fake_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svctest/fake"
)

type text = wrapperspb.StringValue

// both is a stream of requests, and of what is sent to nobody.
type both struct {
	grpc.ServerStream
	received []*text
}

func stream(texts ...string) *both {
	s := new(both)
	for _, t := range texts {
		s.received = append(s.received, wrapperspb.String(t))
	}
	return s
}

func (b *both) Send(*text) error         { return nil }
func (b *both) SendAndClose(*text) error { return nil }

func (b *both) Recv() (*text, error) {
	if len(b.received) == 0 {
		return nil, io.EOF
	}
	next := b.received[0]
	b.received = b.received[1:]
	return next, nil
}

// change takes all of a stream and changes it.
func change(s interface{ Recv() (*text, error) }) error {
	for {
		req, err := s.Recv()
		if err != nil {
			return nil
		}
		req.Value = "changed"
	}
}

// kinds are the kinds of methods, each called with requests, and what they say of it.
func kinds() map[string]func(answered bool, texts ...string) (said string, err error) {
	var unary fake.Unary[text, text]
	var down fake.ServerStream[text, text]
	var up fake.ClientStream[text, text]
	var bidi fake.BidiStream[text, text]
	return map[string]func(bool, ...string) (string, error){
		"unary": func(answered bool, texts ...string) (string, error) {
			var answer func(context.Context, *text) (*text, error)
			if answered {
				answer = func(_ context.Context, req *text) (*text, error) {
					req.Value = "changed"
					return req, nil
				}
			}
			res, err := unary.Call(context.Background(), wrapperspb.String(texts[0]), answer, "test: Get")
			if answered && res.GetValue() != "changed" {
				return "", fmt.Errorf("answer %v", res)
			}
			return said(unary.Calls()), err
		},
		"server stream": func(answered bool, texts ...string) (string, error) {
			var answer func(*text, grpc.ServerStreamingServer[text]) error
			if answered {
				answer = func(req *text, _ grpc.ServerStreamingServer[text]) error {
					req.Value = "changed"
					return nil
				}
			}
			err := down.Call(wrapperspb.String(texts[0]), stream(), answer, "test: Get")
			return said(down.Calls()), err
		},
		"client stream": func(answered bool, texts ...string) (string, error) {
			var answer func(grpc.ClientStreamingServer[text, text]) error
			if answered {
				answer = func(s grpc.ClientStreamingServer[text, text]) error { return change(s) }
			}
			err := up.Call(stream(texts...), answer, "test: Get")
			return said(up.Calls()...), err
		},
		"bidi stream": func(answered bool, texts ...string) (string, error) {
			var answer func(grpc.BidiStreamingServer[text, text]) error
			if answered {
				answer = func(s grpc.BidiStreamingServer[text, text]) error { return change(s) }
			}
			err := bidi.Call(stream(texts...), answer, "test: Get")
			return said(bidi.Calls()...), err
		},
	}
}

func said(calls ...[]*text) string {
	all := make([][]string, len(calls))
	for i, call := range calls {
		for _, req := range call {
			all[i] = append(all[i], req.GetValue())
		}
	}
	return fmt.Sprint(all)
}

// Calls are recorded in order, as they came, answered or not.
func TestCalls(t *testing.T) {
	want := map[string][]string{
		"unary":         {"[[a]]", "[[a c]]", "[[a c d]]"},
		"server stream": {"[[a]]", "[[a c]]", "[[a c d]]"},
		"client stream": {"[[a b]]", "[[a b] [c]]", "[[a b] [c] []]"},
		"bidi stream":   {"[[a b]]", "[[a b] [c]]", "[[a b] [c] []]"},
	}
	for name, call := range kinds() {
		for i, texts := range [][]string{{"a", "b"}, {"c"}, {"d"}} {
			answered := i < 2
			got, err := call(answered, texts...)
			if got != want[name][i] {
				t.Errorf("%s: call %d: it says %s, want %s", name, i+1, got, want[name][i])
			}
			if answered && err != nil {
				t.Errorf("%s: call %d: %v", name, i+1, err)
			}
			const message = "test: Get is called, and has no answer"
			if s := status.Convert(err); !answered && (s.Code() != codes.Unimplemented || s.Message() != message) {
				t.Errorf("%s without an answer: %v, want Unimplemented: %s", name, err, message)
			}
		}
	}
}

// What is returned stays as it is, whatever comes after it.
func TestCallsAreTheTests(t *testing.T) {
	mine := wrapperspb.String("mine")
	var unary fake.Unary[text, text]
	call := func() { _, _ = unary.Call(t.Context(), wrapperspb.String("a"), nil, "") }
	for range 3 { // so that there is room behind them
		call()
	}
	calls := append(unary.Calls(), mine)
	call()
	if got := said(calls) + said(unary.Calls()); got != "[[a a a mine]][[a a a a]]" {
		t.Errorf("requests are %s", got)
	}

	var up fake.ClientStream[text, text]
	var first, second [][]*text
	answer := func(s grpc.ClientStreamingServer[text, text]) error {
		for range 3 {
			if _, err := s.Recv(); err != nil {
				return err
			}
		}
		first, second = second, up.Calls()
		last := len(second) - 1
		second[last] = append(second[last], mine)
		return change(s)
	}
	for range 2 {
		if err := up.Call(stream("a", "b", "c", "d"), answer, ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := said(first...) + said(second...); got != "[[a b c mine]][[a b c d] [a b c mine]]" {
		t.Errorf("streams are %s", got)
	}
}

// Several calls at once are recorded, each in its own place.
func TestCallsAtOnce(t *testing.T) {
	const calls = 20
	var unary fake.Unary[text, text]
	var bidi fake.BidiStream[text, text]
	answer := func(s grpc.BidiStreamingServer[text, text]) error { return change(s) }
	var wait sync.WaitGroup
	wait.Go(func() {
		for range calls {
			unary.Calls()
			bidi.Calls()
		}
	})
	for range calls {
		wait.Go(func() {
			_, _ = unary.Call(t.Context(), wrapperspb.String("a"), nil, "")
			if err := bidi.Call(stream("a", "b"), answer, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := len(unary.Calls()); got != calls {
		t.Errorf("%d calls, want %d", got, calls)
	}
	if got := bidi.Calls(); len(got) != calls {
		t.Errorf("%d streams, want %d", len(got), calls)
	}
	for _, call := range bidi.Calls() {
		if got := said(call); got != "[[a b]]" {
			t.Errorf("a stream has received %s", got)
		}
	}
}
