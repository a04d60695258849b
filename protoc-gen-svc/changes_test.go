package main_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// TestEveryOptionHasACase: each field of each annotation is set in a case that
// shows what it changes. An annotation without an effect is a defect.
func TestEveryOptionHasACase(t *testing.T) {
	shown := map[string]string{}
	for _, one := range loadCorpus(t).cases {
		for _, f := range one.archive.Files {
			if option, ok := strings.CutPrefix(f.Name, changesPrefix); ok {
				shown[option] = string(f.Data)
			}
		}
	}
	for _, option := range annotationFields() {
		if text, ok := shown[option]; !ok {
			t.Errorf("no case has a section %s%s", changesPrefix, option)
		} else if text == "" {
			t.Errorf("%s changes nothing", option)
		}
	}
}

// annotationFields are all fields of all annotations, nested ones included:
// "(svc.v1.service).scale.min".
func annotationFields() []string {
	var out []string
	var walk func(prefix string, m protoreflect.MessageDescriptor)
	walk = func(prefix string, m protoreflect.MessageDescriptor) {
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			path := prefix + "." + string(f.Name())
			out = append(out, path)
			if f.Message() != nil {
				walk(path, f.Message())
			}
		}
	}
	extensions := svcv1.File_svc_v1_svc_proto.Extensions()
	for i := range extensions.Len() {
		x := extensions.Get(i)
		walk("("+string(x.FullName())+")", x.Message())
	}
	return out
}

// changes is what an option does to the outputs: the lines that it takes away
// and adds, compared with the same protos without it.
func (c *corpus) changes(t *testing.T, one *testCase, with map[string]string, option string) string {
	t.Helper()
	request := c.request(one.parameter, one.good...)
	cleared := 0
	for _, f := range request.GetProtoFile() {
		if slices.Contains(one.good, f.GetName()) {
			cleared += clearOption(f, strings.Split(option, "/"))
		}
	}
	if cleared == 0 {
		t.Errorf("%s is not set in the case", option)
	}
	without, err := generate(request)
	if err != nil {
		return "refused without it:\n" + err.Error() + "\n"
	}
	return differences(without, with)
}

// clearOption clears options wherever they are set in a file and returns how
// often it did.
func clearOption(file *descriptorpb.FileDescriptorProto, options []string) (cleared int) {
	var walk func(m protoreflect.Message)
	walk = func(m protoreflect.Message) {
		if strings.HasSuffix(string(m.Descriptor().Name()), "Options") {
			for _, option := range options {
				cleared += clearField(m, steps(option))
			}
			return
		}
		each(m, func(_ protoreflect.FieldDescriptor, child protoreflect.Message) { walk(child) })
	}
	walk(file.ProtoReflect())
	return cleared
}

// steps splits "(svc.v1.service).scale.min" into svc.v1.service, scale, min.
func steps(option string) []string {
	extension, rest, _ := strings.Cut(option, ")")
	if extension == option {
		return strings.Split(option, ".") // an option of protobuf itself
	}
	return append([]string{extension[1:]}, strings.FieldsFunc(rest, func(r rune) bool { return r == '.' })...)
}

func clearField(m protoreflect.Message, steps []string) (cleared int) {
	m.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if string(fd.Name()) != steps[0] && string(fd.FullName()) != steps[0] {
			return true
		}
		if len(steps) == 1 {
			m.Clear(fd)
			cleared++
		}
		return true
	})
	each(m, func(fd protoreflect.FieldDescriptor, child protoreflect.Message) {
		if len(steps) > 1 && (string(fd.Name()) == steps[0] || string(fd.FullName()) == steps[0]) {
			cleared += clearField(child, steps[1:])
		}
	})
	return cleared
}

// each visits the messages in the fields of a message.
func each(m protoreflect.Message, visit func(protoreflect.FieldDescriptor, protoreflect.Message)) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil || fd.IsMap():
		case fd.IsList():
			for i := range v.List().Len() {
				visit(fd, v.List().Get(i).Message())
			}
		default:
			visit(fd, v.Message())
		}
		return true
	})
}

// differences lists the lines that differ, by file.
func differences(before, after map[string]string) string {
	all := maps.Clone(before)
	maps.Copy(all, after)
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		old, was := before[name]
		text, is := after[name]
		switch {
		case old == text:
		case !was:
			out.WriteString(name + " is added\n")
		case !is:
			out.WriteString(name + " is gone\n")
		default:
			out.WriteString(name + "\n" + changedLines(old, text))
		}
	}
	return out.String()
}

func changedLines(old, text string) string {
	var out strings.Builder
	for line := range strings.Lines(string(diff.Diff("old", []byte(old), "new", []byte(text)))) {
		if line == "--- old\n" || line == "+++ new\n" {
			continue
		}
		if line[0] == '-' || line[0] == '+' {
			out.WriteString("  " + line)
		}
	}
	return out.String()
}
