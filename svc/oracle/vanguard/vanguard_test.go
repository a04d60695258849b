// Package vanguard_test holds HTTP/JSON beside connectrpc.com/vanguard: both serve one
// contract, get the same requests, and are compared by the message that the handler got
// and by the answer.
package vanguard_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/vanguard/vanguardgrpc"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	_ "google.golang.org/protobuf/types/known/durationpb"
	_ "google.golang.org/protobuf/types/known/fieldmaskpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/gateway"
	"github.com/protosvc/protosvc/svc/oracle/dynamic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server serves the contract. Its handler answers with what it gets.
type server struct {
	http.Handler
	got *dynamicpb.Message
}

func (s *server) handle(_ context.Context, _ protoreflect.MethodDescriptor, in *dynamicpb.Message, send func(proto.Message) error) error {
	s.got = in
	return send(in)
}

// result is what became of a request.
type result struct {
	got    *dynamicpb.Message // nil: the handler was not called
	status int
	body   string
}

func (s *server) play(method, target, body string) result {
	s.got = nil
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, target, from))
	return result{s.got, w.Code, w.Body.String()}
}

// serve serves a service in both ways.
func serve(t *testing.T, sd protoreflect.ServiceDescriptor) (ours, theirs *server) {
	t.Helper()
	ours, theirs = &server{}, &server{}
	var err error
	if ours.Handler, err = dynamic.NewMux(sd, ours.handle, gateway.Options{}); err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	t.Cleanup(s.Stop)
	s.RegisterService(dynamic.Desc(sd, theirs.handle), nil)
	if theirs.Handler, err = vanguardgrpc.NewTranscoder(s); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

const panics = "list of values"

// known are the marks of requests that vanguard treats otherwise than the message says,
// and why ours is right. See the rows of probes too.
var known = map[string]string{
	panics:          "a repeated Timestamp or wrapper in a query makes vanguard panic, in a goroutine that nobody recovers",
	"empty":         "an empty StringValue or BytesValue is a value; vanguard refuses it",
	"quoted":        "a StringValue may have quotes around it; vanguard takes them for those of JSON",
	"no body":       "without a body its field is not set; vanguard sets an empty message",
	"zero segments": "** is zero or more segments; vanguard wants one behind a literal",
	"decoded first": "vanguard decodes a path before it cuts it, and its variables once more: %2F cuts, %3A begins a verb, %2541 is A",
	"unset answer":  "a field with presence that is not set has no value, null; vanguard answers with its default",
	"map":           "http.proto has no maps in queries; ours takes labels[key]=value, vanguard refuses",
}

func TestRandom(t *testing.T) {
	const seed, routes, calls = 20261130, 200, 15
	r := rand.New(rand.NewPCG(seed, 1))
	file, err := dynamic.Compile(t.Context(), "beside/random.proto", messages+contract(r, "Random", routes))
	if err != nil {
		t.Fatal(err)
	}
	sd := file.Services().Get(0)
	ours, theirs := serve(t, sd)
	seen, agreed := map[string]int{}, 0
	for i := range sd.Methods().Len() {
		for range calls {
			c := generator{r}.call(sd.Methods().Get(i))
			a := c.play(ours)
			if a.status != 200 || a.got == nil || !proto.Equal(a.got, c.message) {
				t.Fatalf("%v\nhandler got %v\nwant %v\nanswer %d %s", c, a.got, c.message, a.status, a.body)
			}
			if c.marks[panics] {
				seen[panics]++
				continue // it would end the test too
			}
			b := c.play(theirs)
			if b.got != nil && proto.Equal(a.got, b.got) && sameJSON(a, b) {
				agreed++
				continue
			}
			reasons := c.reasons()
			if len(reasons) == 0 {
				t.Errorf("%v\nours: %v\n%d %.200s\nvanguard: %v\n%d %.200s", c, a.got, a.status, a.body, b.got, b.status, b.body)
			}
			for _, reason := range reasons {
				seen[reason]++
			}
		}
	}
	t.Logf("%d of %d agree; disagreements: %v", agreed, routes*calls, seen)
	if agreed < routes*calls/2 {
		t.Errorf("only %d of %d requests are treated alike", agreed, routes*calls)
	}
	for mark := range known {
		if seen[mark] == 0 {
			t.Errorf("vanguard does as we do about %q now: remove the row", mark)
		}
	}
}

func (c *call) play(s *server) result {
	target := c.path
	if c.query != "" {
		target += "?" + c.query
	}
	return s.play(c.method, target, c.body)
}

// reasons are the rows that excuse a disagreement.
func (c *call) reasons() (out []string) {
	for _, mark := range slices.Sorted(maps.Keys(c.marks)) {
		if known[mark] != "" {
			out = append(out, mark)
		}
	}
	return out
}

// sameJSON reports whether two answers say the same.
func sameJSON(a, b result) bool {
	var x, y any
	if json.Unmarshal([]byte(a.body), &x) != nil || json.Unmarshal([]byte(b.body), &y) != nil {
		return false
	}
	return a.status == b.status && reflect.DeepEqual(x, y)
}
