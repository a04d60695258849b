package main

import (
	"fmt"
	"strings"
)

// layers is how many layers of services there are; every RPC calls two of the
// layer below.
const layers = 5

// methods is how many RPCs a service has.
const methods = 10

// contracts are the proto files of so many services, by path. With annotations
// they have all that an ordinary contract has: deadlines, calls, errors, paths
// for HTTP, rules for fields. Without, they are plain proto.
func contracts(services int, annotated bool) map[string]string {
	files := map[string]string{}
	for i := range services {
		files[fmt.Sprintf("s%04d/v1/s%04d.proto", i, i)] = contract(services, i, annotated)
	}
	return files
}

func contract(services, i int, annotated bool) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p(`syntax = "proto3";`)
	p("package s%04d.v1;", i)
	if annotated {
		p(`import "google/api/annotations.proto";`)
		p(`import "buf/validate/validate.proto";`)
		p(`import "svc/v1/svc.proto";`)
	}
	p(`option go_package = "example.com/shop/generated/s%04d/v1;s%04dv1";`, i, i)
	p("// S%04dService is number %d.", i, i)
	p("service S%04dService {", i)
	if annotated {
		p(`  option (svc.v1.service) = {team: "team-%d" database: {} metrics: {name: "s%04d_things_total" type: METRIC_TYPE_COUNTER help: "Things."}};`, i%7, i)
	}
	for m := range methods {
		p("  // Do%d does something.", m)
		p("  rpc Do%d(Do%dRequest) returns (Do%dResponse) {", m, m, m)
		if annotated {
			p("    option (svc.v1.method) = {%s};", policy(services, i, m))
			p(`    option (google.api.http) = {post: "/v1/s%04d/%d" body: "*"};`, i, m)
		}
		p("  }")
	}
	p("}")
	for m := range methods {
		rule := ""
		if annotated {
			rule = " [(buf.validate.field).string = {min_len: 1, max_len: 100}]"
		}
		p("// Do%dRequest asks.\nmessage Do%dRequest {\n  // The id.\n  string id = 1%s;\n  int64 amount = 2;\n  repeated string tags = 3;\n}", m, m, rule)
		p("// Do%dResponse answers.\nmessage Do%dResponse {\n  // The id.\n  string id = 1;\n  map<string, string> labels = 2;\n}", m, m)
	}
	if annotated {
		p("enum S%04dError {", i)
		p(`  option (svc.v1.errors) = {domain: "s%04d.shop"};`, i)
		p("  S%04d_ERROR_UNSPECIFIED = 0;", i)
		for e, code := range []string{"NOT_FOUND", "FAILED_PRECONDITION", "ALREADY_EXISTS"} {
			p(`  S%04d_ERROR_%s = %d [(svc.v1.error) = {code: %s message: "thing {id}"}];`, i, code, e+1, code)
		}
		p("}")
	}
	return b.String()
}

// policy is the annotation of a method. The deadline of a layer has room for two
// calls of the one below.
func policy(services, i, m int) string {
	layer := i * layers / services
	timeout := 100
	for range layer {
		timeout = 2*timeout + 100
	}
	text := fmt.Sprintf(`timeout: "%dms" errors: "S%04d_ERROR_NOT_FOUND" errors: "S%04d_ERROR_FAILED_PRECONDITION"`, timeout, i, i)
	if layer == 0 {
		return text
	}
	first, size := (layer-1)*services/layers, services/layers
	for k := range 2 {
		callee := first + (i*7+m*3+k*5)%size
		text += fmt.Sprintf(` calls: "s%04d.v1.S%04dService/Do%d"`, callee, callee, (m+k)%methods)
	}
	return text
}
