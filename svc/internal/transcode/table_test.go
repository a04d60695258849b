package transcode_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/apipb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/typepb"

	"github.com/protosvc/protosvc/svc/internal/transcode"
)

var partial = protojson.UnmarshalOptions{AllowPartial: true}

// byTable reads a body, and fails if protojson reads another message or refuses it.
func byTable(t *testing.T, like proto.Message, rule transcode.Rule, sent string) bool {
	t.Helper()
	got, want := like.ProtoReflect().New().Interface(), like.ProtoReflect().New().Interface()
	if !plan(t, like, rule).ReadByTable(got.ProtoReflect(), []byte(sent)) {
		return false
	}
	whole := sent
	if rule.Body != "*" {
		whole = fmt.Sprintf("{%q:%s\n}", rule.Body, sent)
	}
	if err := partial.Unmarshal([]byte(whole), want); err != nil || !json.Valid([]byte(sent)) && rule.Body != "*" {
		t.Fatalf("%s\nis read, %v", sent, err)
	}
	if !proto.Equal(got, want) {
		t.Fatalf("%s\nis %v\nwant %v", sent, got, want)
	}
	return true
}

// What protojson writes is read, whatever space is in it, whichever names it has, and
// whether or not its texts are escaped.
func TestBodiesAsProtojson(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	read, all := 0, 0
	for range 300 {
		for _, m := range []proto.Message{message("Kinds"), &typepb.Type{}, &apipb.Api{}, &descriptorpb.FileDescriptorProto{}, &timestamppb.Timestamp{}, message("Required")} {
			fill(r, m.ProtoReflect(), 0)
			text, err := protojson.MarshalOptions{UseProtoNames: r.IntN(2) == 0, UseEnumNumbers: r.IntN(2) == 0, AllowPartial: true}.Marshal(m)
			if err != nil {
				continue // a time that is none, or a text that is not UTF-8
			}
			all++
			if sent := disguised(r, string(text)); byTable(t, m, transcode.Rule{Body: "*"}, sent) {
				read++
			} else if !strings.Contains(sent, "null") {
				t.Errorf("%s\nis not read", sent)
			}
		}
	}
	if read < all*9/10 || all < 500 {
		t.Errorf("%d of %d are read", read, all)
	}
}

// disguised puts space between the tokens of JSON, and escapes into its texts.
func disguised(r *rand.Rand, text string) string {
	var out strings.Builder
	inString, escaped := false, false
	for _, c := range text {
		if !inString && strings.ContainsRune(`{}[],:"`, c) {
			out.WriteString([]string{"", "", " ", "\n\t\r "}[r.IntN(4)])
		}
		isPlain := inString && !escaped && !strings.ContainsRune(`"\0123456789abcdef`, c) // of an escape
		switch {
		case isPlain && r.IntN(20) == 0 && c < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, c)
		case isPlain && r.IntN(2) == 0 && c >= 0x10000:
			fmt.Fprintf(&out, `\u%04X\u%04x`, 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff)
		case isPlain && r.IntN(2) == 0 && c == '/':
			out.WriteString(`\/`)
		default:
			out.WriteRune(c)
		}
		if c == '"' && !escaped {
			inString = !inString
		}
		escaped = c == '\\' && !escaped
	}
	return out.String()
}

// Each body is read by the table of its type, or left to protojson.
func TestUnusualBodies(t *testing.T) {
	nested := func(n int) string {
		return `{"node":{"next":` + strings.Repeat(`{"next":`, n) + `{}` + strings.Repeat("}", n+2)
	}
	tests := []struct {
		body, field string
		read        bool
	}{
		{`{}`, "*", true},
		{" {\t} \r\n", "*", true},
		{`{"int32":1,"int64":"-9223372036854775808","uint64":18446744073709551615,"fixed32":"4294967295"}`, "*", true},
		{`{"int64Value":"1","int64_value":"1"}`, "*", false},
		{`{"int64_value":"1","duration":"1.5s","updateMask":"a.bC","struct":{"a":[null,{"b":1e3}]}}`, "*", true},
		{`{"bool":true,"maybe":0,"color":"COLOR_RED","shade":"SHADE_DARK"}`, "*", true},
		{`{"color":-7}`, "*", true},
		{`{"shade":7}`, "*", true},
		{`{"counts":{"0":1,"-0":2}}`, "*", false},
		{`{"left":"","time":"2024-02-29T12:00:00.123456789+02:00"}`, "*", true},
		{`{"counts":{"1":2,"-3":"4"},"times":{"true":"2024-01-01T00:00:00Z"},"sizes":{"0":"\u0000"},"prices":{"":{}}}`, "*", true},
		{`{"float":1.5e-3,"double":"NaN"}`, "*", true},
		{`{"float":"-Infinity","double":"-0.0"}`, "*", true},
		{`{"node":{"odd.name":"a"}}`, "*", true},
		{`{"node":{"odd":"a"}}`, "*", true},
		{`{"bytes":"-_8="}`, "*", true},
		{`{"bytes":"+/8"}`, "*", true},
		{`{"bytes":"` + strings.Repeat("QUFB", 6000) + `"}`, "*", true},
		{`{"money":{"currencyCode":"` + strings.Repeat("é", 100) + `","amountMinor":"1"}}`, "*", true},
		{`{"\u0062ool":false}`, "*", true},
		{nested(61), "*", true},
		{nested(62), "*", false},
		{``, "*", false},
		{`{} {}`, "*", false},
		{`{}x`, "*", false},
		{`[]`, "*", false},
		{`null`, "*", false},
		{"\xef\xbb\xbf{}", "*", false},
		{`{"bool":true,}`, "*", false},
		{`{,"bool":true}`, "*", false},
		{`{"bool":true "int32":1}`, "*", false},
		{`{"bool" true}`, "*", false},
		{`{"bool":tru}`, "*", false},
		{`{"bool":truex}`, "*", false},
		{`{"bool":"true"}`, "*", false},
		{`{"bool":true`, "*", false},
		{`{"bool":true]`, "*", false},
		{`{"bool":null}`, "*", false},
		{`{"numbers":[null]}`, "*", false},
		{`{"numbers":[1,]}`, "*", false},
		{`{"numbers":[1 2]}`, "*", false},
		{`{"numbers":{}}`, "*", false},
		{`{"numbers":[1`, "*", false},
		{`{"none":1}`, "*", false},
		{`{"[a.b]":1}`, "*", false},
		{`{"node":{"[odd]":"a"}}`, "*", false},
		{`{"struct":{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}}`, "*", true},
		{`{"struct":{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`, "*", false},
		{`{"int32":1,"int32":1}`, "*", false},
		{`{"left":"a","right":1}`, "*", false},
		{`{"int32":1e3}`, "*", false},
		{`{"int32":1.0}`, "*", false},
		{`{"int32":01}`, "*", false},
		{`{"int32":+1}`, "*", false},
		{`{"int32":-}`, "*", false},
		{`{"int32":2147483648}`, "*", false},
		{`{"int64":" 1"}`, "*", false},
		{`{"int64":"+1"}`, "*", false},
		{`{"int64":"007"}`, "*", false},
		{`{"int64":"1_0"}`, "*", false},
		{`{"int64":"1`, "*", false},
		{`{"uint32":-1}`, "*", false},
		{`{"uint32":007}`, "*", false},
		{`{"double":1.}`, "*", false},
		{`{"double":.5}`, "*", false},
		{`{"double":00.5}`, "*", false},
		{`{"double":1e}`, "*", false},
		{`{"double":1e400}`, "*", false},
		{`{"float":3.5e38}`, "*", false},
		{`{"double":NaN}`, "*", false},
		{`{"double":-Infinity}`, "*", false},
		{`{"double":"0x1p-2"}`, "*", false},
		{`{"double":"inf"}`, "*", false},
		{`{"color":"red"}`, "*", false},
		{`{"color":"1"}`, "*", false},
		{`{"color":1.0}`, "*", false},
		{`{"nothing":null}`, "*", false},
		{`{"bytes":"?"}`, "*", false},
		{`{"bytes":"YQ="}`, "*", false},
		{`{"counts":{"1":2,"1":2}}`, "*", false},
		{`{"counts":{"01":2}}`, "*", false},
		{`{"counts":{1:2}}`, "*", false},
		{`{"counts":{"1":null}}`, "*", false},
		{`{"times":{"True":"2024-01-01T00:00:00Z"}}`, "*", false},
		{"{\"string\":\"\xff\"}", "*", false},
		{"{\"string\":\"\\n\xff\"}", "*", false},
		{"{\"string\":\"\n\"}", "*", false},
		{"{\"string\":\"\\n\n\"}", "*", false},
		{`{"string":"\ud83d"}`, "*", false},
		{`{"string":"\ud83d\u0061"}`, "*", false},
		{`{"string":"\ude00\ud83d"}`, "*", false},
		{`{"string":"\u12g4"}`, "*", false},
		{`{"string":"\u+123"}`, "*", false},
		{`{"string":"\u12`, "*", false},
		{`{"string":"\x41"}`, "*", false},
		{"{\"string\":\"\\\b\"}", "*", false},
		{`{"string":"\`, "*", false},
		{`{"string":"\n`, "*", false},
		{`{"string":1}`, "*", false},
		{`{"int64_value":1e}`, "*", false},
		{`{"int64_value":null}`, "*", false},
		{`{"int64_value":`, "*", false},
		{`{"time":"2024-01-01"}`, "*", false},
		{`[{},{"amountMinor":1}]`, "items", true},
		{`[],"int32":1`, "items", false},
		{`null`, "items", false},
		{` "a" `, "string", true},
		{`1e`, "int64_value", false},
		{`{"a":1}`, "struct", true},
	}
	for _, test := range tests {
		if got := byTable(t, message("Kinds"), transcode.Rule{Body: test.field}, test.body); got != test.read {
			t.Errorf("%q as %s: read: %v, want %v", test.body, test.field, got, test.read)
		}
	}
}

func TestTimesInBodies(t *testing.T) {
	for text, read := range map[string]bool{
		"2024-02-29T12:00:00Z": true, "2024-02-29T12:00:00.123456789+02:00": true, "9999-12-31T23:59:59.999999999Z": true, "0001-01-01T00:00:00Z": true,
		"2024-02-29T12:00:00,5Z": true, "2024-01-01T00:00:00.1234567891Z": false, "0000-12-31T23:59:59Z": false, "9999-12-31T23:59:59-01:00": false,
		"2024-02-30T00:00:00Z": false, "2024-01-01": false,
	} {
		if got := byTable(t, &timestamppb.Timestamp{}, transcode.Rule{Body: "*"}, `"`+text+`"`); got != read {
			t.Errorf("%s: read: %v, want %v", text, got, read)
		}
	}
	if byTable(t, &timestamppb.Timestamp{}, transcode.Rule{Body: "*"}, `{}`) {
		t.Error("an object is read as a time")
	}
}

// Extensions are read by protojson, which finds them by their names.
func TestExtensionsInBodies(t *testing.T) {
	m := &descriptorpb.MethodDescriptorProto{Options: &descriptorpb.MethodOptions{}}
	proto.SetExtension(m.Options, annotations.E_Http, &annotations.HttpRule{Selector: "a"})
	text, err := protojson.Marshal(m)
	if err != nil || !byTable(t, m, transcode.Rule{Body: "*"}, string(text)) {
		t.Errorf("%s, %v", text, err)
	}
}

// What is no UTF-8 is refused where the wire format would take it, too.
func TestBodiesInOtherEncodings(t *testing.T) {
	for _, text := range []string{"\xff", `\n` + "\xff"} {
		if byTable(t, &descriptorpb.FileDescriptorProto{}, transcode.Rule{Body: "*"}, `{"name":"`+text+`"}`) {
			t.Errorf("%q is read", text)
		}
	}
}

func TestTypesOfManyFields(t *testing.T) {
	for n, read := range map[int]bool{256: true, 257: false} {
		lines := ""
		for i := range n {
			lines += fmt.Sprintf("string f%d\n", i)
		}
		md := contract(map[string]string{"Many": lines}).Messages().Get(0)
		if got := byTable(t, dynamicpb.NewMessage(md), transcode.Rule{Body: "*"}, fmt.Sprintf(`{"f%d":"a"}`, n-1)); got != read {
			t.Errorf("%d fields: read: %v, want %v", n, got, read)
		}
	}
}

// A message of another type than the plan's is left to protojson.
func TestBodyOfAnotherType(t *testing.T) {
	p := plan(t, message("Money"), transcode.Rule{Body: "*"})
	body, err := p.Read(strings.NewReader(`{"currencyCode":"a"}`), -1, "")
	if err != nil {
		t.Fatal(err)
	}
	if m := (&typepb.Option{}); p.Request(m, nil, "", body) == nil {
		t.Errorf("%v, want an error", m)
	}
}

// Fields that a message has from before are removed, as protojson does.
func TestBodyReplacesMessage(t *testing.T) {
	m := &typepb.Option{Name: "a"}
	p := plan(t, m, transcode.Rule{Body: "*"})
	body, err := p.Read(strings.NewReader(`{"value":null}`), -1, "")
	if err == nil {
		err = p.Request(m, nil, "", body)
	}
	if err != nil || m.GetName() != "" {
		t.Errorf("%v, %v", m, err)
	}
}

// Large bodies would be in memory once more for a moment.
func TestLargeBodies(t *testing.T) {
	for size, read := range map[int]bool{64 << 10: true, 64<<10 + 1: false} {
		sent := `{"string":"` + strings.Repeat("x", size-13) + `"}`
		if got := byTable(t, message("Kinds"), transcode.Rule{Body: "*"}, sent); got != read {
			t.Errorf("%d bytes: read: %v, want %v", len(sent), got, read)
		}
	}
}

// What is allocated is what the message holds, and its bytes in the wire format. protojson
// allocates 36 times.
func TestAllocationsOfBody(t *testing.T) {
	m := &typepb.Enum{}
	p := plan(t, m, transcode.Rule{Body: "*"})
	sent := []byte(`{"name":"abc","enumvalue":[{"name":"A-1","number":3},{"name":"A-2"},{"name":"A-3","number":1}],"syntax":"SYNTAX_PROTO3"}`)
	got := testing.AllocsPerRun(100, func() {
		if !p.ReadByTable(m.ProtoReflect(), sent) {
			t.Fatal("not read")
		}
	})
	if got > 12 {
		t.Errorf("%v allocations, want 12 at the most", got)
	}
}

// What a table reads, protojson reads to the same message.
func FuzzTable(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 20 {
		m := message("Kinds")
		fill(r, m, 0)
		text, _ := protojson.MarshalOptions{UseEnumNumbers: i%2 == 0}.Marshal(m)
		f.Add(disguised(r, string(text)), uint8(0))
	}
	fields := []protoreflect.Name{"*", "items", "labels", "money", "string", "color", "struct", "int64_value", "node", "counts", "double", "bytes", "times"}
	for i, value := range []string{"{}", `[{"amountMinor":1}]`, `{"a":"b"}`, `{"currency_code":"\u0041"}`, `"\ud83d\ude00"`, `1`, `{"a":[1,{}]}`, `"1"`, `{"next":{}}`, `{"1":2}`, `1.5e3`, `"YQ=="`, `{"true":"2024-01-01T00:00:00Z"}`} {
		f.Add(value, uint8(i))
	}
	f.Fuzz(func(t *testing.T, sent string, which uint8) {
		field := string(fields[int(which)%len(fields)])
		byTable(t, message("Kinds"), transcode.Rule{Body: field}, sent)
		if field == "*" {
			byTable(t, &typepb.Type{}, transcode.Rule{Body: field}, sent)
			byTable(t, &timestamppb.Timestamp{}, transcode.Rule{Body: field}, sent)
		}
	})
}
