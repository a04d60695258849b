package transcode_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/transcode"
)

func plan(t testing.TB, of proto.Message, rule transcode.Rule) *transcode.Plan {
	t.Helper()
	md := of.ProtoReflect().Descriptor()
	p, err := transcode.Compile(md, md, rule)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ask makes the request, and returns it in JSON, or its violations as lines.
func ask(t testing.TB, of proto.Message, rule transcode.Rule, captures []string, query, body string) string {
	t.Helper()
	p := plan(t, of, rule)
	read, err := p.Read(strings.NewReader(body), int64(len(body)), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Request(of, captures, query, read); err != nil {
		return violations(t, err)
	}
	return jsonOf(t, of)
}

func jsonOf(t testing.TB, m proto.Message) string {
	t.Helper()
	data, err := protojson.Marshal(m)
	if err != nil {
		t.Fatalf("%v: %v", m, err)
	}
	return strings.ReplaceAll(strings.ReplaceAll(string(data), `": `, `":`), ", ", ",")
}

func violations(t testing.TB, err error) string {
	t.Helper()
	st := errors.ToStatus(err)
	if st.Code() != codes.InvalidArgument {
		t.Fatalf("%v, want InvalidArgument", err)
	}
	return listed(st)
}

func listed(st *status.Status) string {
	var lines []string
	for _, detail := range st.Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				lines = append(lines, v.GetField()+": "+v.GetDescription())
			}
		}
	}
	return strings.Join(lines, "\n")
}

// What a query accepts is what protojson accepts for the same text as a string.
func TestValuesAsInJSON(t *testing.T) {
	numbers := []string{"0", "1", "-1", "-0", "007", "+1", "1e3", "1.0", "1.5", "2147483647", "2147483648", "-2147483648", "4294967295", "4294967296",
		"9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "", " 1", "1 ", "x", "0x1", "1_000", "١"}
	floats := append([]string{"NaN", "Infinity", "-Infinity", "nan", "inf", "1e400", "3.5e38", "-1.25e-3", ".5"}, numbers...)
	texts := map[string][]string{
		"int32": numbers, "sint32": numbers, "sfixed32": numbers, "int64": numbers, "sint64": numbers, "sfixed64": numbers,
		"uint32": numbers, "fixed32": numbers, "uint64": numbers, "fixed64": numbers, "float": floats, "double": floats,
		"string": {"", "a", "é", "a b+c", "\x00", "日本"},
		"bytes":  {"", "YQ==", "YQ", "-_8=", "-_8", "+/8=", "+/8", "Y", "YQ=", "é"},
		"color":  {"COLOR_RED", "color_red", "RED", ""},
		"time": {"2024-02-29T12:00:00Z", "2024-02-29T12:00:00.123456789+02:00", "2024-02-29", "", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
			"2024-01-01T00:00:00.1234567891Z", "2024-02-30T00:00:00Z"},
		"duration":     {"1s", "-1.5s", "1.0000000001s", "1m", "1", "", "315576000001s", ".5s"},
		"update_mask":  {"", "a", "aB,c.dE", "a,", "A", "1", " a "},
		"int64_value":  numbers,
		"string_value": {"", "x"},
		"bytes_value":  {"YQ", "?"},
		"maybe":        numbers,
	}
	for name, all := range texts {
		for _, text := range all {
			want := message("Kinds")
			wantErr := protojson.Unmarshal(fmt.Appendf(nil, `{%q:%s}`, name, quoted(t, text)), want)
			got := message("Kinds")
			err := plan(t, got, transcode.Rule{Variables: []string{name}}).Request(got, []string{text}, "", transcode.Body{})
			if (err == nil) != (wantErr == nil) || err == nil && !proto.Equal(got, want) {
				t.Errorf("%s %q: %v, %v; want %v, %v", name, text, got, err, want, wantErr)
			}
		}
	}
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	return jsonOf(t, wrapperspb.String(text))
}

func TestQuery(t *testing.T) {
	tests := []struct{ query, want string }{
		{"", `{}`},
		{"&&", `{}`},
		{"bool=true&string=a%20b+c;d&reset=%c3%a9", `{"bool":true,"string":"a b c;d","reset":"é"}`},
		{"string=a=b", `{"string":"a=b"}`},
		{"color=1&shade=SHADE_DARK", `{"color":"COLOR_RED","shade":"SHADE_DARK"}`},
		{"color=7", `{"color":7}`},
		{"shade=7", `shade: must be a name or a number of t.Shade, not "7"`},
		{"maybe=0", `{"maybe":0}`},
		{"numbers=1&numbers=2&colors=COLOR_RED&waits=1s&waits=2s", `{"numbers":[1,2],"colors":["COLOR_RED"],"waits":["1s","2s"]}`},
		{"labels[a.b]=1&labels%5Bc%5D=&counts[-1]=7&times[true]=2024-01-01T00:00:00Z", `{"labels":{"a.b":"1","c":""},"counts":{"-1":"7"},"times":{"true":"2024-01-01T00:00:00Z"}}`},
		{"money.currency_code=EUR&money.amountMinor=3", `{"money":{"currencyCode":"EUR","amountMinor":"3"}}`},
		{"node.next.next.name=x", `{"node":{"next":{"next":{"name":"x"}}}}`},
		{"node.next.odd.name=x&node.odd=y", `{"node":{"next":{"odd.name":"x"},"odd.name":"y"}}`},
		{"updateMask=user_id,userName,a.bC", `{"updateMask":"userId,userName,a.bC"}`},
		{"int64Value=5&boolValue=false&stringValue=", `{"int64Value":"5","stringValue":"","boolValue":false}`},
		{"double=NaN&float=-Infinity", `{"float":"-Infinity","double":"NaN"}`},
		{"right=0", `{"right":0}`},

		{"int32=1&int32=1", "int32: query parameter is given more than once"},
		{"money.amountMinor=1&money.amount_minor=2", "money.amount_minor: query parameter is given more than once"},
		{"labels[a]=1&labels[a]=2", `labels["a"]: query parameter is given more than once`},
		{"left=a&right=1", "right: cannot be set beside left: both are of oneof choice"},
		{"left=a&cash.amountMinor=1", "cash.amount_minor: cannot be set beside left: both are of oneof choice"},
		{"int32=x&bool=1", "int32: must be an integer of 32 bits, not \"x\"\nbool: must be true or false, not \"1\""},
		{"int32", `int32: must be an integer of 32 bits, not ""`},
		{"nope=1", "nope: query parameter fits no field of the request"},
		{"=1", ": query parameter fits no field of the request"},
		{"int32.x=1", "int32.x: query parameter fits no field of the request"},
		{"items.amountMinor=1", "items.amountMinor: query parameter fits no field of the request"},
		{"time.seconds=1", "time.seconds: query parameter fits no field of the request"},
		{"money=1", "money: query parameter cannot be a message: set the fields of it"},
		{"struct=1", "struct: query parameter cannot be a message: set the fields of it"},
		{"prices[a]=1", "prices[a]: query parameter cannot be a message: set the fields of it"},
		{"labels=1", `labels: query parameter of a map has its key in brackets, as "labels[key]"`},
		{"int32[1]=1", "int32[1]: query parameter has a key, and the field is not a map"},
		{"counts[x]=1", `counts["x"]: key must be an integer of 32 bits, not "x"`},
		{"counts[1]=x", `counts["1"]: must be an integer of 64 bits, not "x"`},
		{"string=%zz", "string: query parameter's value has a % without two hexadecimal digits"},
		{"%=1", "%: query parameter's name has a % without two hexadecimal digits"},
		{"string=%ff", "string: must be text in UTF-8"},
		{"%ff=1", "\ufffd: query parameter fits no field of the request"},
		{"labels[%ff]=1", "labels[\"\ufffd\"]: key must be text in UTF-8"},
		{"labels[a]=%ff", `labels["a"]: must be text in UTF-8`},
		{"words=%ff", "words: must be text in UTF-8"},
		{"updateMask=%ff", `update_mask: must be field paths as "name,address.city"`},
		{"time=now", `time: must be a time as "2006-01-02T15:04:05Z", not "now"`},
		{"node" + strings.Repeat(".next", 31) + ".name=x", "node.next.next.next.next.next.next.next.next.next.next.next.next…: query parameter is nested too deep"},
	}
	for _, test := range tests {
		if got := ask(t, message("Kinds"), transcode.Rule{}, nil, test.query, ""); got != test.want {
			t.Errorf("%s: %s, want %s", test.query, got, test.want)
		}
	}
}

func TestWhatPathAndBodySet(t *testing.T) {
	tests := []struct {
		name     string
		rule     transcode.Rule
		captures []string
		query    string
		body     string
		want     string
	}{
		{"path wins over body", transcode.Rule{Variables: []string{"string"}, Body: "*"}, []string{"path"}, "", `{"string":"body","int32":1}`, `{"int32":1,"string":"path"}`},
		{"path within the body", transcode.Rule{Variables: []string{"money.currency_code"}, Body: "money"}, []string{"EUR"}, "", `{"amountMinor":1}`, `{"money":{"currencyCode":"EUR","amountMinor":"1"}}`},
		{"path and body in a oneof", transcode.Rule{Variables: []string{"left"}, Body: "*"}, []string{"x"}, "", `{"right":1}`, "left: cannot be set beside right: both are of oneof choice"},
		{"query of the path's field", transcode.Rule{Variables: []string{"string"}}, []string{"path"}, "string=x", "", "string: query parameter is not allowed: the path sets the field"},
		{"query around the path's field", transcode.Rule{Variables: []string{"time.seconds"}}, []string{"5"}, "time=2024-01-01T00:00:00Z", "", "time: query parameter is not allowed: the path sets the field"},
		{"query of the body's field", transcode.Rule{Body: "money"}, nil, "money.amountMinor=1", "", "money.amountMinor: query parameter is not allowed: the body sets the field"},
		{"query beside the body's field", transcode.Rule{Body: "money"}, nil, "int32=1", `{"amountMinor":2}`, `{"int32":1,"money":{"amountMinor":"2"}}`},
		{"query beside a whole body", transcode.Rule{Body: "*"}, nil, "int32=1", "", "int32: query parameter is not allowed: the body is the whole request"},
		{"lenient", transcode.Rule{Lenient: true}, nil, "int32=1&utm=x", "", `{"int32":1}`},
		{"lenient beside a whole body", transcode.Rule{Lenient: true, Body: "*"}, nil, "utm=x", "{}", `{}`},
		{"lenient of values", transcode.Rule{Lenient: true}, nil, "int32=x", "", `int32: must be an integer of 32 bits, not "x"`},
		{"path that is not UTF-8", transcode.Rule{Variables: []string{"string"}}, []string{"\xff"}, "", "", "string: must be text in UTF-8"},
		{"all at once", transcode.Rule{Variables: []string{"int32", "money.amount_minor"}, Body: "items"}, []string{"a", "b"}, "bool=c&nope=d", "[1]",
			"items[0]: line 1, column 2: unexpected token 1\nint32: must be an integer of 32 bits, not \"a\"\n" +
				"money.amount_minor: must be an integer of 64 bits, not \"b\"\nbool: must be true or false, not \"c\"\nnope: query parameter fits no field of the request"},
		{"half of a body", transcode.Rule{Variables: []string{"right"}, Body: "*"}, []string{"1"}, "", `{"left":"a","int32":"x"}`, `int32: line 1, column 21: invalid value for int32 field int32: "x"`},
		{"list beside the body", transcode.Rule{Body: "money"}, nil, "numbers=1&numbers=x", "", `numbers: must be an integer of 32 bits, not "x"`},
		{"no body in the rule", transcode.Rule{}, nil, "", "not JSON", `{}`},
	}
	for _, test := range tests {
		if got := ask(t, message("Kinds"), test.rule, test.captures, test.query, test.body); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestBody(t *testing.T) {
	tests := []struct{ field, body, want string }{
		{"*", "", `{}`},
		{"*", " \r\n\t", `{}`},
		{"*", `{"int32":1}`, `{"int32":1}`},
		{"*", `{"int32":1} {}`, `: line 1, column 13: unexpected token {`},
		{"*", `{"money":{"nope":1}}`, `money.nope: line 1, column 11: unknown field "nope"`},
		{"*", "{\n  \"é\": 1}", `é: line 2, column 3: unknown field "é"`},
		{"*", `{"items":[{},{"amountMinor":"x"}]}`, `items[1].amount_minor: line 1, column 29: invalid value for int64 field amountMinor: "x"`},
		{"*", `{"prices":{"a":{},"b":{"amountMinor":true}}}`, `prices["b"].amount_minor: line 1, column 38: invalid value for int64 field amountMinor: true`},
		{"*", `{"string":1}`, `string: line 1, column 11: invalid value for string field string: 1`},
		{"*", "{\"string\":\"\xff\"}", `string: line 1, column 11: invalid UTF-8 in string`},
		{"*", `{"string"`, `: JSON ends before it is complete`},
		{"*", `[]`, `: line 1, column 1: unexpected token [`},
		{"*", `{"left":"a","right":1}`, `right: line 1, column 13: error parsing "right", oneof t.Kinds.choice is already set`},
		{"*", `{"int32":1,"int32":2}`, `int32: line 1, column 12: duplicate field "int32"`},
		{"*", `{"labels":{"a\"\\]":[true]},"bool":1}`, `labels["a\"\\]"]: line 1, column 21: invalid value for string field value: [`},
		{"*", `{"items":[],"string":"\"}","bytes":"","node":{"next":{"\u006eame":1}}}`, `node.next.name: line 1, column 67: invalid value for string field name: 1`},
		{"*", `{"int32":1,}`, `: line 1, column 12: unexpected token }`},
		{"*", `{"string":"` + strings.Repeat("x", 300) + `","int32":"` + strings.Repeat("x", 300) + `"}`,
			`int32: line 1, column 322: invalid value for int32 field int32: "` + strings.Repeat("x", 200-len(`invalid value for int32 field int32: "`)) + `…`},

		{"money", "", `{}`},
		{"money", `null`, `{}`},
		{"money", `{}`, `{"money":{}}`},
		{"money", `{"amountMinor":3}`, `{"money":{"amountMinor":"3"}}`},
		{"money", `{"nope":3}`, `money.nope: line 1, column 2: unknown field "nope"`},
		{"money", "\n{\"nope\":3}", `money.nope: line 2, column 2: unknown field "nope"`},
		{"money", `{},"int32":0`, `money: line 1, column 3: invalid character ',' after top-level value`},
		{"money", `{"amountMinor":`, `money: JSON ends before it is complete`},
		{"numbers", `[1,"2"]`, `{"numbers":[1,2]}`},
		{"numbers", `[1,"b"]`, `numbers[1]: line 1, column 4: invalid value for int32 field numbers: "b"`},
		{"numbers", "[1]\n[2]", `numbers: line 2, column 1: invalid character '[' after top-level value`},
		{"labels", `{"a":"b"}`, `{"labels":{"a":"b"}}`},
		{"labels", `{"a":1}`, `labels["a"]: line 1, column 6: invalid value for string field value: 1`},
		{"color", `"COLOR_RED"`, `{"color":"COLOR_RED"}`},
		{"string", `"a"`, `{"string":"a"}`},
		{"string", `"a","int32":1`, `string: line 1, column 4: invalid character ',' after top-level value`},
		{"int64_value", `7`, `{"int64Value":"7"}`},
		{"struct", `{"a":[1]}`, `{"struct":{"a":[1]}}`},
		{"time", `"now"`, `time: line 1, column 1: invalid google.protobuf.Timestamp value "now"`},
	}
	for _, test := range tests {
		if got := ask(t, message("Kinds"), transcode.Rule{Body: test.field}, nil, "", test.body); got != test.want {
			t.Errorf("%s %s: %s, want %s", test.field, test.body, got, test.want)
		}
	}
}

func TestRequiredFields(t *testing.T) {
	rule := transcode.Rule{Body: "*", Variables: []string{"id"}}
	if got := ask(t, message("Required"), rule, []string{"x"}, "", `{"note":"n"}`); got != `{"id":"x","note":"n"}` {
		t.Error(got)
	}
	if got := ask(t, message("Required"), transcode.Rule{}, nil, "note=n", ""); got != ": required field t.Required.id not set" {
		t.Error(got)
	}
}

func TestMaskOfPatch(t *testing.T) {
	tests := []struct {
		name                     protoreflect.Name
		field, query, body, want string
	}{
		{"Kinds", "money", "", `{"amountMinor":1,"currency_code":null}`, `{"money":{"amountMinor":"1"},"updateMask":"amountMinor,currencyCode"}`},
		{"Kinds", "money", "updateMask=currency_code", `{"amountMinor":1}`, `{"money":{"amountMinor":"1"},"updateMask":"currencyCode"}`},
		{"Kinds", "money", "", `{}`, `{"money":{}}`},
		{"Kinds", "money", "", ``, `{}`},
		{"Kinds", "node", "", `{"next":{"next":{},"name":"a"},"name":"b"}`, `{"updateMask":"next.next,next.name,name","node":{"next":{"next":{},"name":"a"},"name":"b"}}`},
		{"Kinds", "money", "", `{"currencyCode":"a\"}"}`, `{"money":{"currencyCode":"a\"}"},"updateMask":"currencyCode"}`},
		{"Kinds", "time", "", `"2024-01-01T00:00:00Z"`, `{"time":"2024-01-01T00:00:00Z"}`},
		{"Kinds", "struct", "", `{"a":1}`, `{"struct":{"a":1}}`},
		{"Kinds", "labels", "", `{"a":"1"}`, `{"labels":{"a":"1"}}`},
		{"Masks", "money", "", `{"amountMinor":1}`, `{"money":{"amountMinor":"1"}}`},
	}
	for _, test := range tests {
		rule := transcode.Rule{Patch: true, Body: test.field}
		if got := ask(t, message(test.name), rule, nil, test.query, test.body); got != test.want {
			t.Errorf("%s %s: %s, want %s", test.field, test.body, got, test.want)
		}
	}
}

// A type that contains itself has paths as deep as in a query, and no deeper.
func TestDepthOfMask(t *testing.T) {
	m := message("Kinds")
	body := strings.Repeat(`{"next":`, 40) + `{"name":"x"}` + strings.Repeat("}", 40)
	ask(t, m, transcode.Rule{Patch: true, Body: "node"}, nil, "", body)
	mask := m.Get(m.Descriptor().Fields().ByName("update_mask")).Message()
	paths := mask.Get(mask.Descriptor().Fields().ByName("paths")).List()
	if want := strings.Repeat(".next", 32)[1:]; paths.Len() != 1 || paths.Get(0).String() != want {
		t.Errorf("%v, want %s", paths, want)
	}
}

func TestLists(t *testing.T) {
	got := ask(t, message("Kinds"), transcode.Rule{Patch: true, Body: "lists"}, nil, "", `{"names":["a",["b"]]}`)
	if want := `lists.names[1]: line 1, column 15: invalid value for string field names: [`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	got = ask(t, message("Kinds"), transcode.Rule{Patch: true, Body: "lists"}, nil, "", `{"names":["a","b"],"all":[{"names":[]},{}]}`)
	if want := `{"updateMask":"names,all","lists":{"names":["a","b"],"all":[{"names":[]},{}]}}`; got != strings.ReplaceAll(want, `{"names":[]}`, `{}`) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestCompileErrors(t *testing.T) {
	tests := []struct {
		of   proto.Message
		rule transcode.Rule
		want string
	}{
		{nil, transcode.Rule{Variables: []string{"nope"}}, `path variable "nope": message t.Kinds has no field "nope"`},
		{nil, transcode.Rule{Variables: []string{"money.nope"}}, `path variable "money.nope": message t.Money has no field "nope"`},
		{nil, transcode.Rule{Variables: []string{"int32.x"}}, `path variable "int32.x": int32 is not a message`},
		{nil, transcode.Rule{Variables: []string{"items.amount_minor"}}, `path variable "items.amount_minor": items is not a message`},
		{nil, transcode.Rule{Variables: []string{"money"}}, `path variable "money": field t.Kinds.money is not one value`},
		{nil, transcode.Rule{Variables: []string{"numbers"}}, `path variable "numbers": field t.Kinds.numbers is not one value`},
		{nil, transcode.Rule{Body: "money.amount_minor"}, `body: message t.Kinds has no field "money.amount_minor"`},
		{nil, transcode.Rule{ResponseBody: "nope"}, `response_body: message t.Kinds has no field "nope"`},
		{&wrapperspb.StringValue{}, transcode.Rule{Body: "value"}, `body: message google.protobuf.StringValue has no fields in JSON`},
		{&wrapperspb.StringValue{}, transcode.Rule{ResponseBody: "value"}, `response_body: message google.protobuf.StringValue has no fields in JSON`},
	}
	for _, test := range tests {
		md := message("Kinds").Descriptor()
		if test.of != nil {
			md = test.of.ProtoReflect().Descriptor()
		}
		if p, err := transcode.Compile(md, md, test.rule); err == nil || err.Error() != test.want || p != nil {
			t.Errorf("%+v: %v, want %s", test.rule, err, test.want)
		}
	}
}

func TestCapturesOfAnotherRoute(t *testing.T) {
	m := message("Kinds")
	err := plan(t, m, transcode.Rule{Variables: []string{"string"}}).Request(m, nil, "", transcode.Body{})
	if want := "transcode: 0 captures for 1 variables of t.Kinds"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestBodyThatCannotBeRead(t *testing.T) {
	p := plan(t, message("Kinds"), transcode.Rule{Body: "*"})
	if _, err := p.Read(io.MultiReader(strings.NewReader("{"), broken{}), 100, ""); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
