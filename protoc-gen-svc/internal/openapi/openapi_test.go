package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// The test program also stands for the other plugin: by name, it answers with
// the document that its standard input's parameter is, or breaks.
const (
	bePlugin = "be-plugin"
	beBroken = "be-broken"
)

func TestMain(m *testing.M) {
	switch os.Args[len(os.Args)-1] {
	case bePlugin:
		data, _ := io.ReadAll(os.Stdin)
		var request pluginpb.CodeGeneratorRequest
		if err := proto.Unmarshal(data, &request); err != nil {
			os.Exit(3)
		}
		answer, _ := proto.Marshal(&pluginpb.CodeGeneratorResponse{
			SupportedFeatures: proto.Uint64(1),
			File: []*pluginpb.CodeGeneratorResponse_File{
				{Name: proto.String("shop/shop.openapi.json"), Content: request.Parameter},
				{Name: proto.String("shop/shop.txt"), Content: proto.String("{")},
			},
		})
		_, _ = os.Stdout.Write(answer)
		os.Exit(0)
	case beBroken:
		_, _ = os.Stderr.WriteString("out of order\n")
		os.Exit(7)
	}
	os.Exit(m.Run())
}

// contract is shop/shop.proto, with a method that declares three errors and one
// that declares none.
func contract(t *testing.T) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	value := func(name string, number int32, e *svcv1.Error) *descriptorpb.EnumValueDescriptorProto {
		v := &descriptorpb.EnumValueDescriptorProto{Name: &name, Number: &number}
		if e != nil {
			v.Options = &descriptorpb.EnumValueOptions{}
			proto.SetExtension(v.Options, svcv1.E_Error, e)
		}
		return v
	}
	method := func(name string, errors ...string) *descriptorpb.MethodDescriptorProto {
		m := &descriptorpb.MethodDescriptorProto{Name: &name, InputType: proto.String(".shop.Request"), OutputType: proto.String(".shop.Request"), Options: &descriptorpb.MethodOptions{}}
		proto.SetExtension(m.Options, svcv1.E_Method, &svcv1.Method{Errors: errors})
		return m
	}
	return &pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{"shop/shop.proto"},
		ProtoFile: []*descriptorpb.FileDescriptorProto{{
			Name: proto.String("shop/shop.proto"), Package: proto.String("shop"), Syntax: proto.String("proto3"),
			Options:     &descriptorpb.FileOptions{GoPackage: proto.String("example.com/shop")},
			MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Request")}},
			EnumType: []*descriptorpb.EnumDescriptorProto{{Name: proto.String("E"), Value: []*descriptorpb.EnumValueDescriptorProto{
				value("NONE", 0, nil),
				value("GONE", 1, &svcv1.Error{Code: code.Code_NOT_FOUND, Message: `"{id}" <gone>`}),
				value("UNPAID", 2, &svcv1.Error{Code: code.Code_FAILED_PRECONDITION, HttpStatus: 402}),
				value("LOST", 3, &svcv1.Error{Code: code.Code_NOT_FOUND}),
			}}},
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("ShopService"), Method: []*descriptorpb.MethodDescriptorProto{
				method("Buy", "GONE", "UNPAID", "LOST"), method("Buy1"), method("Look"),
			}}},
		}},
	}
}

// answer runs the plugin in front of one that answers with the document.
func answer(t *testing.T, request *pluginpb.CodeGeneratorRequest, doc string) (*pluginpb.CodeGeneratorResponse, error) {
	t.Helper()
	request.Parameter = &doc
	in, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Run(context.Background(), []string{os.Args[0], bePlugin}, bytes.NewReader(in), &out, io.Discard); err != nil {
		return nil, err
	}
	response := &pluginpb.CodeGeneratorResponse{}
	return response, proto.Unmarshal(out.Bytes(), response)
}

const plain = `{
  "zeta": "first <b>",
  "paths": {
    "/buy": {
      "parameters": [],
      "post": {
        "operationId": "ShopService_Buy",
        "responses": {
          "default": {},
          "200": {}
        }
      },
      "put": {
        "operationId": "ShopService_Buy_1",
        "responses": {
          "404": "mine"
        }
      }
    },
    "/look": {
      "get": {
        "operationId": "ShopService_Look",
        "responses": {}
      },
      "post": {
        "operationId": "ShopService_Buy1",
        "responses": {}
      },
      "put": {
        "operationId": "OtherService_Buy",
        "responses": {}
      }
    }
  },
  "alpha": 1e400
}
`

func TestErrorsAreListed(t *testing.T) {
	response, err := answer(t, contract(t), plain)
	if err != nil {
		t.Fatal(err)
	}
	if response.GetSupportedFeatures() != 1 || response.GetFile()[1].GetContent() != "{" {
		t.Errorf("what is not JSON has changed: %v", response)
	}
	got := response.GetFile()[0].GetContent()
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Description string
				Reasons     []string `json:"x-error-reasons"`
			}
		}
	}
	onlyObjects := strings.NewReplacer(`"parameters": [],`, "", `"mine"`, "{}").Replace(got)
	if err := json.Unmarshal([]byte(onlyObjects), &doc); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	reasons := map[string][]string{}
	for path, item := range doc.Paths {
		for verb, operation := range item {
			for status, r := range operation.Responses {
				if r.Reasons != nil {
					reasons[verb+" "+path+" "+status] = r.Reasons
				}
			}
		}
	}
	want := map[string][]string{
		"post /buy 402": {"UNPAID"},
		"post /buy 404": {"GONE", "LOST"},
		"put /buy 402":  {"UNPAID"},
	}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if text := doc.Paths["/buy"]["post"].Responses["404"].Description; text != "- GONE: \"{id}\" <gone>\n- LOST: lost" {
		t.Errorf("description %q", text)
	}
	// Nothing is lost or moved: without what was added, it is what it was.
	var kept []string
	rest := strings.Split(got, "\n")
	for _, line := range strings.Split(plain, "\n") {
		for len(rest) > 0 && strings.TrimRight(rest[0], ",") != strings.TrimRight(line, ",") {
			rest = rest[1:]
		}
		if len(rest) > 0 {
			kept, rest = append(kept, line), rest[1:]
		}
	}
	if diff := cmp.Diff(plain, strings.Join(kept, "\n")); diff != "" {
		t.Errorf("lines that are gone (-want +got):\n%s", diff)
	}
}

func TestTypesOfStreams(t *testing.T) {
	const doc = `{"paths":{"/a":{"get":{"operationId":"ShopService_%s","responses":{"default":{"content":{"application/json":1}},"200":{"content":{"application/json":2}}}}}}}`
	request := contract(t)
	request.ProtoFile[0].Service[0].Method[2].ServerStreaming = proto.Bool(true)
	for method, want := range map[string]string{
		"Look": `{"application/x-ndjson":2,"text/event-stream":2}`,
		"Buy1": `{"application/json":2}`,
	} {
		response, err := answer(t, request, fmt.Sprintf(doc, method))
		if err != nil {
			t.Fatal(err)
		}
		want = strings.Replace(fmt.Sprintf(doc, method), `{"application/json":2}`, want, 1)
		var got bytes.Buffer
		if err := json.Compact(&got, []byte(response.GetFile()[0].GetContent())); err != nil || got.String() != want {
			t.Errorf("%s, %v, want %s", &got, err, want)
		}
	}
}

// The header that sets an idempotency key is a parameter, after those that there are.
func TestHeaderOfIdempotencyKey(t *testing.T) {
	request := contract(t)
	file := request.ProtoFile[0]
	file.MessageType[0].Field = []*descriptorpb.FieldDescriptorProto{{
		Name: proto.String("request_id"), Number: proto.Int32(1), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(), Options: &descriptorpb.FieldOptions{},
	}}
	proto.SetExtension(file.MessageType[0].Field[0].Options, validate.E_Field, &validate.FieldRules{Required: proto.Bool(true)})
	proto.SetExtension(file.Service[0].Method[0].Options, svcv1.E_Method, &svcv1.Method{IdempotencyKey: "request_id"})
	const header = `{"name":"Idempotency-Key","in":"header","description":"Sets the field request_id where the request does not: a second request with the same value has no second effect. A string in quotes, as of RFC 9651, or bare text.","schema":{"type":"string"}}`
	for operation, want := range map[string]string{
		`"operationId":"ShopService_Buy","requestBody":1,"responses":{}`:         `"operationId":"ShopService_Buy","parameters":[` + header + `],"requestBody":1,"responses":{}`,
		`"operationId":"ShopService_Buy_1","parameters":[{"a":1}],"responses":1`: `"operationId":"ShopService_Buy_1","parameters":[{"a":1},` + header + `],"responses":1`,
		`"operationId":"ShopService_Buy","parameters":{"a":1}`:                   `"operationId":"ShopService_Buy","parameters":{"a":1}`,
		`"operationId":"ShopService_Buy"`:                                        `"operationId":"ShopService_Buy","parameters":[` + header + `]`,
		`"operationId":"ShopService_Look","responses":{}`:                        `"operationId":"ShopService_Look","responses":{}`,
	} {
		const doc = `{"paths":{"/a":{"post":{%s}}}}`
		response, err := answer(t, request, fmt.Sprintf(doc, operation))
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := json.Compact(&got, []byte(response.GetFile()[0].GetContent())); err != nil || got.String() != fmt.Sprintf(doc, want) {
			t.Errorf("%s, %v, want %s", &got, err, fmt.Sprintf(doc, want))
		}
	}
}

func TestNothingToAdd(t *testing.T) {
	request := contract(t)
	proto.SetExtension(request.ProtoFile[0].Service[0].Method[0].Options, svcv1.E_Method, &svcv1.Method{Errors: []string{"NO_SUCH"}})
	for name, request := range map[string]*pluginpb.CodeGeneratorRequest{"a contract that is refused": request, "no services": {}} {
		response, err := answer(t, request, plain)
		if err != nil || response.GetFile()[0].GetContent() != plain {
			t.Errorf("%s: the document is changed, or %v", name, err)
		}
	}
}

func TestWhatCannotBeCompleted(t *testing.T) {
	if _, err := answer(t, contract(t), "[1]"); err == nil || err.Error() != `shop/shop.openapi.json: "[1]"… is not a JSON object` {
		t.Errorf("not an object: %v", err)
	}
	if _, err := answer(t, contract(t), `{"paths": {"/a": {"get": {]`); err == nil || !strings.HasPrefix(err.Error(), "shop/shop.openapi.json: ") {
		t.Errorf("not JSON: %v", err)
	}
	var problems bytes.Buffer
	err := Run(context.Background(), []string{os.Args[0], beBroken}, strings.NewReader(""), io.Discard, &problems)
	if err == nil || problems.String() != "out of order\n" {
		t.Errorf("a plugin that breaks: %v, and it said %q", err, problems.String())
	}
	if err := Run(context.Background(), []string{os.Args[0], bePlugin}, strings.NewReader("\xff"), io.Discard, io.Discard); err == nil {
		t.Error("no request is accepted")
	}
}
