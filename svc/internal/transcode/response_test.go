package transcode_test

import (
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/httpbody"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/typepb"

	"github.com/protosvc/protosvc/svc/internal/transcode"
)

func value() *typepb.EnumValue {
	return &typepb.EnumValue{Name: `a, "b": \" c\\`, Options: []*typepb.Option{{Name: "S, 1"}}}
}

const valuesJSON = `[{"name":"a, \"b\": \\\" c\\\\","number":0,"options":[{"name":"S, 1","value":null}]}]`

func responses(t *testing.T, of proto.Message, field string) *transcode.Plan {
	t.Helper()
	return plan(t, of, transcode.Rule{ResponseBody: field})
}

func TestResponse(t *testing.T) {
	kinds := message("Kinds")
	set := func(name protoreflect.Name, v protoreflect.Value) {
		kinds.Set(kinds.Descriptor().Fields().ByName(name), v)
	}
	set("string", protoreflect.ValueOfString(`a, b: "c"`))
	set("int64", protoreflect.ValueOfInt64(7))
	kinds.Mutable(kinds.Descriptor().Fields().ByName("items")).List().AppendMutable()
	list := &typepb.Enum{Enumvalue: []*typepb.EnumValue{value()}}
	tests := []struct {
		of          proto.Message
		field, want string
	}{
		{&typepb.Option{}, "", `{"name":"","value":null}`},
		{list, "name", `""`},
		{list, "enumvalue", valuesJSON},
		{kinds, "string", `"a, b: \"c\""`},
		{kinds, "int64", `"7"`},
		{kinds, "uint64", `"0"`},
		{kinds, "bool", `false`},
		{kinds, "color", `"COLOR_UNSPECIFIED"`},
		{kinds, "maybe", `null`},
		{kinds, "left", `null`},
		{kinds, "numbers", `[]`},
		{kinds, "labels", `{}`},
		{kinds, "items", `[{"currencyCode":"","amountMinor":"0"}]`},
		{kinds, "money", `{"currencyCode":"","amountMinor":"0"}`},
		{kinds, "int64_value", `"0"`},
	}
	for _, test := range tests {
		contentType, data, err := responses(t, test.of, test.field).Response(test.of)
		if contentType != "application/json" || string(data) != test.want+"\n" || err != nil {
			t.Errorf("%s: %s %s, %v; want %s", test.field, contentType, data, err, test.want)
		}
		contentType, data, err = responses(t, test.of, test.field).Line(test.of)
		if contentType != "application/x-ndjson" || string(data) != `{"result":`+test.want+"}\n" || err != nil {
			t.Errorf("%s: %s %s, %v; want a line of %s", test.field, contentType, data, err, test.want)
		}
	}
}

func TestResponseThatIsNotUTF8(t *testing.T) {
	m := message("Kinds")
	m.Set(m.Descriptor().Fields().ByName("string"), protoreflect.ValueOfString("\xff"))
	for _, field := range []string{"", "string"} {
		p := responses(t, m, field)
		if _, _, err := p.Response(m); err == nil {
			t.Errorf("%q: no error", field)
		}
		if _, _, err := p.Line(m); err == nil {
			t.Errorf("%q: no error of a line", field)
		}
	}
}

func TestHTTPBody(t *testing.T) {
	raw := &httpbody.HttpBody{}
	p := plan(t, raw, transcode.Rule{Body: "*"})
	body, err := p.Read(strings.NewReader("\xff{"), 2, "image/png")
	if err == nil {
		err = p.Request(raw, nil, "", body)
	}
	if want := (&httpbody.HttpBody{ContentType: "image/png", Data: []byte("\xff{")}); err != nil || !proto.Equal(raw, want) {
		t.Errorf("%v, %v; want %v", raw, err, want)
	}
	for name, write := range map[string]func(proto.Message) (string, []byte, error){"response": p.Response, "line": p.Line} {
		if contentType, data, err := write(raw); contentType != "image/png" || string(data) != "\xff{" || err != nil {
			t.Errorf("%s: %s %q, %v", name, contentType, data, err)
		}
	}
}

func TestHTTPBodyInField(t *testing.T) {
	upload := message("Upload")
	p := plan(t, upload, transcode.Rule{Body: "file", ResponseBody: "file"})
	body, err := p.Read(strings.NewReader("x"), 1, "text/plain")
	if err == nil {
		err = p.Request(upload, nil, "name=n", body)
	}
	if got, want := jsonOf(t, upload), `{"name":"n","file":{"contentType":"text/plain","data":"eA=="}}`; got != want || err != nil {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if contentType, data, err := p.Response(upload); contentType != "text/plain" || string(data) != "x" || err != nil {
		t.Errorf("%s %q, %v", contentType, data, err)
	}
	body.ContentType = "\xff"
	if got := violations(t, p.Request(message("Upload"), nil, "", body)); got != "file.content_type: must be text in UTF-8" {
		t.Error(got)
	}
	empty := message("Upload")
	if err := p.Request(empty, nil, "", transcode.Body{}); err != nil || jsonOf(t, empty) != "{}" {
		t.Errorf("%v, %v", empty, err)
	}
}

func TestStatus(t *testing.T) {
	data, err := transcode.AppendStatus([]byte(`{"error":`), &spb.Status{Code: 5, Message: "a, b"})
	if want := `{"error":{"code":5,"message":"a, b"}`; string(data) != want || err != nil {
		t.Errorf("%s, %v; want %s", data, err, want)
	}
	if _, err := transcode.AppendStatus(nil, &spb.Status{Message: "\xff"}); err == nil {
		t.Error("no error")
	}
}
