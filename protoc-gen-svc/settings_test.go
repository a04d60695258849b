package main_test

import (
	"cmp"
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
	t.Parallel()
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
	if c.places(one, option) == 0 {
		return out
	}
	with, err := one.system()
	if err != nil {
		return out // not a whole system
	}
	for _, change := range []func(protoreflect.Message, protoreflect.FieldDescriptor){protoreflect.Message.Clear, alter, alignMax} {
		request := c.systemRequest(one)
		for _, f := range own(request) {
			changeOption(f, option, change)
		}
		if c.unchanged(request) {
			continue // and what comes out is known
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

// places is how often a case sets an option.
func (c *corpus) places(one *testCase, option string) (set int) {
	for _, name := range one.good {
		set += changeOption(c.files[name], option, func(protoreflect.Message, protoreflect.FieldDescriptor) {})
	}
	return set
}

// unchanged tells whether the files of a request are as the case has them.
func (c *corpus) unchanged(request *pluginpb.CodeGeneratorRequest) bool {
	return !slices.ContainsFunc(own(request), func(f *descriptorpb.FileDescriptorProto) bool {
		return !proto.Equal(f, c.files[f.GetName()])
	})
}

// own are the files of a request that are not only imported.
func own(request *pluginpb.CodeGeneratorRequest) []*descriptorpb.FileDescriptorProto {
	return slices.DeleteFunc(slices.Clone(request.GetProtoFile()), func(f *descriptorpb.FileDescriptorProto) bool {
		return !slices.Contains(request.GetFileToGenerate(), f.GetName())
	})
}

// TestSettingsReachFiles: whatever one annotation changes, in one place of a case, is
// in a file that explain names for a setting that changed.
func TestSettingsReachFiles(t *testing.T) {
	skipSlow(t)
	t.Parallel()
	c := loadCorpus(t)
	seen := 0
	for _, one := range c.cases {
		with, err := one.system()
		if err != nil {
			continue // not a whole system
		}
		before := valuesOf(t, c.systemRequest(one))
		for _, option := range append(annotationFields(), settings.Standards()...) {
			for nth := range c.places(one, option) {
				after := c.systemRequest(one)
				changeNth(after, option, nth)
				if c.unchanged(after) {
					continue
				}
				without, err := plugin.Files(after, templates.FS)
				if err != nil {
					continue // refused
				}
				claimed := claims(before, valuesOf(t, after))
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

// changeNth changes an option in one of the places that set it.
func changeNth(request *pluginpb.CodeGeneratorRequest, option string, nth int) {
	place := 0
	for _, f := range own(request) {
		changeOption(f, option, func(m protoreflect.Message, fd protoreflect.FieldDescriptor) {
			if place == nth {
				alter(m, fd)
				if fd.Message() != nil {
					m.Clear(fd)
				}
			}
			place++
		})
	}
}

// valuesOf are the settings of a contract, by what they are about.
func valuesOf(t *testing.T, request *pluginpb.CodeGeneratorRequest) map[string]settings.Setting {
	t.Helper()
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

// claims are the files that settings reach which differ between two contracts.
func claims(olds, news map[string]settings.Setting) map[string]bool {
	files := map[string]bool{}
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

// otherText is another duration, another scheme and path of a URL or another host where it
// has no path, as origins have none, or a name with a letter more in front, since suffixes
// have a meaning.
func otherText(s string) string {
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		other := map[string]string{"http": "https", "https": "http"}
		scheme = cmp.Or(other[scheme], scheme) + "://"
		if !strings.Contains(rest, "/") {
			return scheme + "x" + rest
		}
		return scheme + strings.TrimSuffix(rest, "/") + "/x"
	}
	if s == "*" { // all origins
		return "https://x.example"
	}
	var n int
	var unit string
	if k, _ := fmt.Sscanf(s, "%d%s", &n, &unit); k == 2 {
		return fmt.Sprint(n+1) + unit
	}
	return "x" + s
}
