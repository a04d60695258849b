package vanguard_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/svc/oracle/dynamic"
)

const probed = `
service Probe {
  rpc Get(Kinds) returns (Kinds) { option (google.api.http) = {get: "/probe/get/{a_string}"}; }
  rpc Verb(Kinds) returns (Kinds) { option (google.api.http) = {get: "/probe/get/{a_string}:go"}; }
  rpc Post(Kinds) returns (Kinds) { option (google.api.http) = {post: "/probe/post" body: "*"}; }
  rpc Leaf(Kinds) returns (Kinds) { option (google.api.http) = {put: "/probe/leaf/{a_string}" body: "leaf"}; }
  rpc Literal(Kinds) returns (Kinds) { option (google.api.http) = {delete: "/probe/get/literal"}; }
}
`

// probe is a request that no message stands for, and what becomes of it: the status, and
// what the handler got.
type probe struct {
	method, target, body string
	ours, theirs         string
	why                  string // where they differ
}

// Two members of a oneof are none of them: which one vanguard takes is random, as it ranges
// over a map.
var probes = []probe{
	{"GET", "/probe/get/x?nope=1", ``, `400`, `500`, "parameters are field paths; a typing error should not be a fault of the server"},
	{"GET", "/probe/get/x?an_int32=1&an_int32=2", ``, `400`, `200 {"anInt32":2,"aString":"x"}`, "only repeated fields have several parameters; vanguard takes the last"},
	{"GET", "/probe/get/x?a_string=y", ``, `400`, `200 {"aString":"y"}`, "the path has the field, so the query does not; vanguard lets the query win"},
	{"GET", "/probe/get/x?an_int32=ten", ``, `400`, `400`, ""},
	{"GET", "/probe/get/x?an_int32=1e2", ``, `200 {"anInt32":100,"aString":"x"}`, `400`, "proto3 JSON has 1e2 as an integer"},
	{"GET", "/probe/get/x?an_int64=%221%22", ``, `400`, `400`, ""},
	{"GET", "/probe/get/x?an_int32=", ``, `400`, `400`, ""},
	{"GET", "/probe/get/x?a_bool=1", ``, `400`, `400`, ""},
	{"GET", "/probe/get/x?a_color=PINK", ``, `400`, `400`, ""},
	{"GET", "/probe/get/x?leaf=%7B%7D", ``, `400`, `400`, ""},
	{"GET", "/probe/get/x?mask=big_number", ``, `200 {"aString":"x","mask":"bigNumber"}`, `400`, "the names of the contract are those of query parameters too; proto3 JSON has bigNumber only"},
	{"GET", "/probe/get/x?time=yesterday", ``, `400`, `400`, ""},
	{"GET", "/probe/get/x?a_string", ``, `400`, `200 {}`, "the path has the field; vanguard empties it"},
	{"GET", "/probe/get/x/", ``, `404`, `404`, ""},
	{"GET", "/probe/get/", ``, `404`, `200 {}`, "http.proto does not say whether * is an empty segment; here it is not, so that a missing id is not an empty one"},
	{"GET", "/probe/get/x:other", ``, `200 {"aString":"x:other"}`, `404`, "a verb is one that a template has; the colon is text otherwise"},
	{"GET", "/probe/get/a:b:go", ``, `200 {"aString":"a:b"}`, `404`, "the verb is behind the last colon; vanguard begins it at the first"},
	{"GET", "/probe/get/literal", ``, `200 {"aString":"literal"}`, `405`, "only rules of the method count: the literal is that of DELETE"},
	{"GET", "/probe/get/x", `{}`, `200 {"aString":"x"}`, `500`, "without body in the rule there is none; one that is sent is ignored"},
	{"HEAD", "/probe/get/x", ``, `200 {"aString":"x"}`, `405`, "HTTP has HEAD wherever it has GET"},
	{"OPTIONS", "/probe/get/x", ``, `204`, `405`, "HTTP has OPTIONS for the methods of a path"},
	{"PUT", "/probe/get/x", ``, `405`, `405`, ""},
	{"POST", "/probe/post?an_int32=1", `{}`, `400`, `200 {"anInt32":1}`, "with body * there is no URL query parameter"},
	{"POST", "/probe/post", ``, `200 {}`, `500`, "http.proto does not say; an empty body sets nothing, so that custom methods need none"},
	{"POST", "/probe/post", `{"nope": 1}`, `400`, `200 {}`, "proto3 JSON refuses unknown fields by default; vanguard discards them"},
	{"POST", "/probe/post", `{"anInt32": "x"}`, `400`, `500`, "what the client has wrong is 400"},
	{"POST", "/probe/post", `{} {}`, `400`, `500`, "what the client has wrong is 400"},
	{"PUT", "/probe/leaf/x?leaf.text=a", `{"text": "b"}`, `400`, `200 {"aString":"x","leaf":{"text":"a"}}`, "the body has the field, so the query does not"},
	{"PUT", "/probe/leaf/x", `null`, `200 {"aString":"x"}`, `500`, "null is a field that is not set, in proto3 JSON"},
}

func TestProbes(t *testing.T) {
	file, err := dynamic.Compile(t.Context(), "beside/probes.proto", strings.Replace(messages, "package beside.v1", "package probed.v1", 1)+probed)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := serve(t, file.Services().Get(0))
	for _, p := range probes {
		a, b := ours.play(p.method, p.target, p.body).String(), theirs.play(p.method, p.target, p.body).String()
		if a != p.ours || b != p.theirs {
			t.Errorf("%s %s %s: ours %q, vanguard %q; want %q and %q", p.method, p.target, p.body, a, b, p.ours, p.theirs)
		}
		if (a == b) != (p.why == "") {
			t.Errorf("%s %s: the reason is %q", p.method, p.target, p.why)
		}
	}
}

// String is the status, and what the handler got.
func (r result) String() string {
	if r.got == nil {
		return fmt.Sprint(r.status)
	}
	return fmt.Sprintf("%d %s", r.status, strings.ReplaceAll(toJSON(r.got), " ", ""))
}
