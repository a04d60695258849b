// Package openapi_test holds the OpenAPI documents of the generator to what the runtime
// serves: the routes, and the parameters that they take.
package openapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	_ "google.golang.org/genproto/googleapis/api/annotations"
	_ "google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	_ "google.golang.org/protobuf/types/known/anypb"
	_ "google.golang.org/protobuf/types/known/durationpb"
	_ "google.golang.org/protobuf/types/known/fieldmaskpb"
	_ "google.golang.org/protobuf/types/known/structpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/svc/internal/gateway"
	"github.com/protosvc/protosvc/svc/oracle/dynamic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// contract has every kind of route and field, but for what OpenAPI has no place for: other
// methods of HTTP.
const contract = `syntax = "proto3";
package served.v1;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
option go_package = "example.com/served/v1;servedv1";

service Served {
  rpc All(Everything) returns (Everything) {
    option (google.api.http) = {
      get: "/v1/all"
      additional_bindings {get: "/v1/all/{text}"}
      additional_bindings {delete: "/v1/all/{node.name}/{node.child.name}:end"}
      additional_bindings {post: "/v1/all" body: "*"}
      additional_bindings {put: "/v1/all" body: "node"}
      additional_bindings {patch: "/v1/{node.name=a/*/b/*}" body: "node"}
      additional_bindings {patch: "/v1/all" body: "scan"}
    };
  }
  rpc First(Everything) returns (Everything) {
    option (google.api.http) = {
      get: "/v1/{text=shelves/*}"
      additional_bindings {get: "/v1/{node.name=books/*}"}
      additional_bindings {put: "/v1/shelves/{node.name}"}
    };
  }
  rpc Rest(Everything) returns (stream Everything) {
    option (google.api.http) = {
      get: "/v1/rest/{text=**}"
      additional_bindings {get: "/v1/*/any/{text=x%2Fy/**}"}
      additional_bindings {custom: {kind: "*" path: "/v1/verbs/{text}"}}
      additional_bindings {put: "/v1/verbs/{node.name}"}
      additional_bindings {custom: {kind: "TRACE" path: "/"}}
    };
  }
}

enum Kind { KIND_NONE = 0; KIND_SOME = 1; }

message Node {
  string name = 1;
  Node child = 2;
  Other other = 3;
  map<string, Node> nodes = 4;
}
message Other {
  Node node = 1;
  bool on = 2;
}
message Everything {
  string text = 1;
  Node node = 2;
  repeated Node nodes = 3;
  repeated int64 numbers = 4;
  map<string, int32> counts = 5;
  map<int32, Node> by_number = 6;
  map<string, google.protobuf.Duration> waits = 7;
  google.protobuf.Timestamp at = 8;
  repeated google.protobuf.Timestamp many_at = 9;
  google.protobuf.FieldMask update_mask = 10;
  google.protobuf.DoubleValue wrapped = 11;
  google.protobuf.Struct structure = 12;
  google.protobuf.Value value = 13;
  google.protobuf.ListValue list = 14;
  google.protobuf.Any any = 15;
  google.protobuf.NullValue nothing = 16;
  Kind kind = 17;
  repeated Kind kinds = 18;
  oneof one {
    bytes data = 19;
    Other other = 20;
  }
  optional float share = 21 [json_name = "of.all"];
  google.api.HttpBody scan = 22;
}
`

// document is what this test needs of one.
type document struct {
	Paths map[string]map[string]struct {
		OperationID string
		Parameters  []struct {
			Name, In, Style string
			Schema          any
		}
	}
}

// service serves the contract and notes which method is called.
type service struct {
	*gateway.Mux
	desc   protoreflect.ServiceDescriptor
	called string
}

func serve(t *testing.T) (*service, document) {
	t.Helper()
	file, err := dynamic.Compile(t.Context(), "served/v1/served.proto", contract)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{desc: file.Services().Get(0)}
	s.Mux, err = dynamic.NewMux(s.desc, func(_ context.Context, method protoreflect.MethodDescriptor, in *dynamicpb.Message, send func(proto.Message) error) error {
		s.called = string(method.Name())
		return send(in)
	}, gateway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, generate(t, file)
}

// generate runs the plugin and returns the document of the file.
func generate(t *testing.T, file protoreflect.FileDescriptor) (doc document) {
	t.Helper()
	request := &pluginpb.CodeGeneratorRequest{
		Parameter: proto.String("root=example.com,openapi=true"), FileToGenerate: []string{file.Path()},
	}
	seen := map[string]bool{}
	var add func(protoreflect.FileDescriptor)
	add = func(fd protoreflect.FileDescriptor) {
		if seen[fd.Path()] {
			return
		}
		seen[fd.Path()] = true
		for i := range fd.Imports().Len() {
			add(fd.Imports().Get(i).FileDescriptor)
		}
		request.ProtoFile = append(request.ProtoFile, protodesc.ToFileDescriptorProto(fd))
	}
	add(file)
	in, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var out, problems bytes.Buffer
	plugin := exec.CommandContext(t.Context(), "go", "run", "./protoc-gen-svc")
	plugin.Dir, plugin.Stdin, plugin.Stdout, plugin.Stderr = "../../..", bytes.NewReader(in), &out, &problems
	if err := plugin.Run(); err != nil {
		t.Fatalf("%v: %s", err, &problems)
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out.Bytes(), &response); err != nil || response.Error != nil {
		t.Fatal(err, response.GetError())
	}
	for _, f := range response.GetFile() {
		if f.GetName() == "served/v1/served.openapi.json" {
			if err := json.Unmarshal([]byte(f.GetContent()), &doc); err != nil {
				t.Fatal(err)
			}
			return doc
		}
	}
	t.Fatal("there is no document")
	return doc
}

// rejected returns the parameters of a query that the route does not take at all; what
// their values have to be is another matter.
func (s *service) rejected(t *testing.T, verb, target string) map[string]bool {
	t.Helper()
	s.called = ""
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(verb, target, nil))
	var status struct {
		Details []struct {
			FieldViolations []struct{ Field, Description string }
		}
	}
	if body := answer.Body.Bytes(); answer.Code != http.StatusOK {
		if err := json.Unmarshal(body, &status); err != nil || answer.Code != http.StatusBadRequest {
			t.Fatalf("%s %s: %d %s", verb, target, answer.Code, body)
		}
	}
	out := map[string]bool{}
	for _, d := range status.Details {
		for _, v := range d.FieldViolations {
			if strings.HasPrefix(v.Description, "query parameter") {
				out[v.Field] = true
			}
		}
	}
	return out
}

var open = regexp.MustCompile(`\{[^}]*\}`)

// TestOperationsAreServed: each operation of the document is a route, and its parameters
// are exactly those that the route takes.
func TestOperationsAreServed(t *testing.T) {
	s, doc := serve(t)
	candidates := names(s.desc.Methods().Get(0).Input(), nil)
	seen := map[string]bool{}
	for path, item := range doc.Paths {
		for verb, o := range item {
			verb = strings.ToUpper(verb)
			target := open.ReplaceAllString(path, "x")
			s.rejected(t, verb, target)
			if want := strings.Split(o.OperationID, "_")[1]; s.called != want {
				t.Errorf("%s %s is %s, called was %q", verb, target, o.OperationID, s.called)
			}
			seen[o.OperationID] = true
			var want, got, open []string
			for _, p := range o.Parameters {
				switch {
				case p.In == "path":
					open = append(open, "{"+p.Name+"}")
				case p.Style == "deepObject":
					got = append(got, p.Name+"[1]")
				default:
					got = append(got, p.Name)
				}
			}
			for _, name := range candidates {
				if len(s.rejected(t, verb, target+"?"+url.QueryEscape(name)+"=")) == 0 {
					want = append(want, name)
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s takes other parameters (-served +document):\n%s", verb, path, diff)
			}
			if diff := cmp.Diff(openOf(path), open); diff != "" {
				t.Errorf("%s %s has other parameters than its path (-path +list):\n%s", verb, path, diff)
			}
		}
	}
	var want []string
	for i, bindings := range []int{7, 3, 5} {
		for binding := range bindings {
			id := "Served_" + string(s.desc.Methods().Get(i).Name())
			if binding > 0 {
				id += fmt.Sprint("_", binding)
			}
			want = append(want, id)
		}
	}
	for _, id := range want {
		if !slices.ContainsFunc([]string{"", "_get", "_delete"}, func(verb string) bool { return seen[id+verb] }) {
			t.Errorf("no operation %s", id)
		}
	}
	if seen["Served_Rest_2_put"] {
		t.Error("a route for all methods stands where another one is served")
	}
}

func openOf(path string) []string { return open.FindAllString(path, -1) }

// names are the paths to all fields of a message, but for those of messages within
// themselves, which have no end.
func names(md protoreflect.MessageDescriptor, around []protoreflect.FullName) []string {
	if slices.Contains(around, md.FullName()) {
		return nil
	}
	var out []string
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		name := fd.JSONName()
		out = append(out, name, name+"[1]")
		if fd.Message() != nil && !fd.IsMap() {
			for _, below := range names(fd.Message(), append(around, md.FullName())) {
				out = append(out, name+"."+below)
			}
		}
	}
	return out
}
