package main_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/settings"
	"github.com/protosvc/protosvc/templates"
)

// unchangeable cannot be taken away or changed alone in a contract that works.
var unchangeable = map[string]string{
	"(svc.v1.service).callees.service": "settings of a service that is not called are refused",
	"(svc.v1.service).metrics.type":    "the suffix of the name goes with it",
	"(svc.v1.method).map_errors.from":  "only names of errors are taken, and not every one",
	"(svc.v1.method).map_errors.to":    "only names of errors are taken, and not every one",

	"(svc.v1.method).map_errors.handled": "it excludes to, and one of them is needed",
}

// skipSlow leaves a test to make test, which runs it without the race detector: it
// has no goroutines, and would take minutes.
func skipSlow(t *testing.T) {
	t.Helper()
	if raceEnabled || testing.Short() {
		t.Skip("make test runs it, without the race detector")
	}
}

// TestSettingsReach: what explain says about the files that an annotation reaches
// is what changes when the annotation does, in all cases that set it together.
func TestSettingsReach(t *testing.T) {
	skipSlow(t)
	c := loadCorpus(t)
	for _, option := range append(annotationFields(), settings.Standards()...) {
		want, leaf := settings.Templates(option)
		if !leaf || unchangeable[option] != "" {
			continue
		}
		reached := map[string]bool{}
		for _, one := range c.cases {
			maps.Copy(reached, c.reached(one, option))
		}
		got := slices.Sorted(maps.Keys(reached))
		want = slices.Sorted(slices.Values(want))
		if !slices.Equal(got, want) {
			t.Errorf("%s reaches %q, and its row in internal/settings/table.go says %q", option, got, want)
		}
	}
}

// reached are the templates of the files that differ without the option, or with
// another value of it. It is empty where the case does not set the option.
func (c *corpus) reached(one *testCase, option string) map[string]bool {
	out := map[string]bool{}
	for _, change := range []func(protoreflect.Message, protoreflect.FieldDescriptor){protoreflect.Message.Clear, alter, alignMax} {
		plain := c.request(one.parameter+",system=true", one.good...)
		if changeAll(plain, one.good, option, leaveAlone) == 0 {
			break
		}
		request := proto.CloneOf(plain)
		changeAll(request, one.good, option, change)
		with, err := c.systemFiles(one)
		if err != nil {
			break // not a whole system
		}
		without, err := plugin.Files(request, templates.FS)
		if err != nil {
			continue // refused
		}
		for _, f := range differing(with, without) {
			out[f.Template] = true
		}
	}
	return out
}

// systemFiles are the outputs of a case as a whole system, made once.
func (c *corpus) systemFiles(one *testCase) ([]plugin.File, error) {
	made, ok := systemsOf[one]
	if !ok {
		made.files, made.err = plugin.Files(c.request(one.parameter+",system=true", one.good...), templates.FS)
		systemsOf[one] = made
	}
	return made.files, made.err
}

var systemsOf = map[*testCase]struct {
	files []plugin.File
	err   error
}{}

// TestSettingsReachFiles: whatever one annotation changes, in one place of a case, is
// in a file that explain names for a setting that changed.
func TestSettingsReachFiles(t *testing.T) {
	skipSlow(t)
	c := loadCorpus(t)
	seen := 0
	for _, one := range c.cases {
		before := c.request(one.parameter+",system=true", one.good...)
		with, err := c.systemFiles(one)
		if err != nil {
			continue // not a whole system
		}
		for _, option := range append(annotationFields(), settings.Standards()...) {
			for nth := 0; ; nth++ {
				after := proto.CloneOf(before)
				if !changeNth(after, one.good, option, nth) {
					break
				}
				without, err := plugin.Files(after, templates.FS)
				if err != nil {
					continue // refused
				}
				claimed := claims(t, before, after)
				for _, f := range differing(with, without) {
					seen++
					if !claimed[f.Path] {
						t.Errorf("%s: %s (no. %d) reaches %s, and explain does not say so", one.name, option, nth, f.Path)
					}
				}
			}
		}
	}
	if seen < 200 {
		t.Errorf("%d files changed in all, which tells little", seen)
	}
}

// changeNth changes an option in one of the places that set it, if there are so many.
func changeNth(request *pluginpb.CodeGeneratorRequest, files []string, option string, nth int) bool {
	place, done := 0, false
	for _, f := range request.GetProtoFile() {
		if !slices.Contains(files, f.GetName()) {
			continue
		}
		changeOption(f, option, func(m protoreflect.Message, fd protoreflect.FieldDescriptor) {
			if place == nth {
				alter(m, fd)
				if fd.Message() != nil {
					m.Clear(fd)
				}
				done = true
			}
			place++
		})
	}
	return done
}

// claims are the files that settings reach which differ between two contracts.
func claims(t *testing.T, before, after *pluginpb.CodeGeneratorRequest) map[string]bool {
	t.Helper()
	files := map[string]bool{}
	values := func(request *pluginpb.CodeGeneratorRequest) map[string]settings.Setting {
		groups, err := settings.OfRequests([]*pluginpb.CodeGeneratorRequest{request})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]settings.Setting{}
		service := ""
		for _, g := range groups {
			if g.Kind == "service" {
				service = g.Name
			}
			for _, s := range g.Settings {
				out[service+" "+g.Kind+" "+g.Name+" "+s.Option] = s
			}
		}
		return out
	}
	olds, news := values(before), values(after)
	for _, pair := range [][2]map[string]settings.Setting{{olds, news}, {news, olds}} {
		for key, s := range pair[0] {
			if other, ok := pair[1][key]; !ok || other.Value != s.Value {
				for _, f := range s.Outputs {
					files[f] = true
				}
			}
		}
	}
	return files
}

// differing are the files that one list has and the other has not, or not so.
func differing(a, b []plugin.File) []plugin.File {
	only := func(a, b []plugin.File) []plugin.File {
		return slices.DeleteFunc(slices.Clone(a), func(f plugin.File) bool { return slices.Contains(b, f) })
	}
	return append(only(a, b), only(b, a)...)
}

// changeAll changes an option wherever it is set in some files of a request, and
// returns how often it is.
func changeAll(r *pluginpb.CodeGeneratorRequest, files []string, option string, change func(protoreflect.Message, protoreflect.FieldDescriptor)) (set int) {
	for _, f := range r.GetProtoFile() {
		if slices.Contains(files, f.GetName()) {
			set += changeOption(f, option, change)
		}
	}
	return set
}

func leaveAlone(protoreflect.Message, protoreflect.FieldDescriptor) {}

// changeOption changes an option wherever it is set in a file.
func changeOption(file *descriptorpb.FileDescriptorProto, option string, change func(protoreflect.Message, protoreflect.FieldDescriptor)) (changed int) {
	var inside func(m protoreflect.Message, steps []string)
	inside = func(m protoreflect.Message, steps []string) {
		m.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			if len(steps) == 1 && (string(fd.Name()) == steps[0] || string(fd.FullName()) == steps[0]) {
				change(m, fd)
				changed++
			}
			return true
		})
		each(m, func(fd protoreflect.FieldDescriptor, child protoreflect.Message) {
			if len(steps) > 1 && (string(fd.Name()) == steps[0] || string(fd.FullName()) == steps[0]) {
				inside(child, steps[1:])
			}
		})
	}
	var walk func(m protoreflect.Message)
	walk = func(m protoreflect.Message) {
		if name := string(m.Descriptor().Name()); strings.HasSuffix(name, "Options") {
			if strings.HasPrefix(option, "(svc.") || name == "MethodOptions" { // of others, those of methods
				inside(m, steps(option))
			}
			return
		}
		each(m, func(_ protoreflect.FieldDescriptor, child protoreflect.Message) { walk(child) })
	}
	walk(file.ProtoReflect())
	return changed
}

// alignMax makes a maximum the minimum, at which there is nothing to scale.
func alignMax(m protoreflect.Message, fd protoreflect.FieldDescriptor) {
	if scale, ok := m.Interface().(*svcv1.Scale); ok && fd.Name() == "max" {
		scale.Max = scale.GetMin()
	}
}

// alter gives a field another value that is likely to be valid.
func alter(m protoreflect.Message, fd protoreflect.FieldDescriptor) {
	other := func(v protoreflect.Value) protoreflect.Value {
		switch fd.Kind() {
		case protoreflect.StringKind:
			return protoreflect.ValueOfString(otherText(v.String()))
		case protoreflect.Uint32Kind:
			return protoreflect.ValueOfUint32(uint32(v.Uint()) + 1)
		case protoreflect.Uint64Kind:
			return protoreflect.ValueOfUint64(v.Uint() + 1)
		case protoreflect.BoolKind:
			return protoreflect.ValueOfBool(!v.Bool())
		case protoreflect.DoubleKind:
			return protoreflect.ValueOfFloat64(v.Float() / 2)
		case protoreflect.EnumKind:
			return protoreflect.ValueOfEnum(v.Enum()%3 + 1)
		}
		return v
	}
	if !fd.IsList() {
		m.Set(fd, other(m.Get(fd)))
		return
	}
	list := m.Mutable(fd).List()
	for i := range list.Len() {
		list.Set(i, other(list.Get(i)))
	}
}

// otherText is another duration, another path of a URL, or a name with a letter
// more in front, since suffixes have a meaning.
func otherText(s string) string {
	if strings.Contains(s, "://") {
		return strings.TrimSuffix(s, "/") + "/x"
	}
	var n int
	var unit string
	if k, _ := fmt.Sscanf(s, "%d%s", &n, &unit); k == 2 {
		return fmt.Sprint(n+1) + unit
	}
	return "x" + s
}
