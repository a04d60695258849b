package settings

import (
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// standard is an option of somebody else that says what a method does.
type standard struct {
	option  string
	number  protowire.Number
	outputs []string
	value   func(*model.Method) string
}

// methodStandards are in the order of the list of settings.
var methodStandards = []standard{
	{"(google.api.http)", protowire.Number(annotations.E_Http.TypeDescriptor().Number()), and(opened, "docs/catalogue.md.tmpl", record, page, api), routes},
	{"idempotency_level", 34, listed, level},
	{"deprecated", 33, and(readme, page, api, "go/server.go.tmpl"), func(m *model.Method) string { return strconv.FormatBool(m.Deprecated) }},
}

// Standards are the names of the options of others.
func Standards() []string {
	var names []string
	for _, s := range methodStandards {
		names = append(names, s.option)
	}
	return names
}

func (w walker) standards(m *model.Method) []Setting {
	desc := model.MethodDescriptor(m)
	var out []Setting
	for _, s := range methodStandards {
		setting := Setting{Option: s.option, Value: s.value(m), Outputs: w.files(s.outputs)}
		if hasNumber(desc.Options().ProtoReflect(), s.number) {
			setting.From = w.from(desc, int32(s.number))
		}
		out = append(out, setting)
	}
	return out
}

func hasNumber(m protoreflect.Message, number protowire.Number) (has bool) {
	m.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		has = has || fd.Number() == number
		return !has
	})
	return has
}

func routes(m *model.Method) string {
	var out []string
	for _, r := range m.Routes {
		out = append(out, r.Verb+" "+r.Path)
	}
	return strings.Join(out, ", ")
}

func level(m *model.Method) string {
	return model.MethodDescriptor(m).Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel().String()
}
