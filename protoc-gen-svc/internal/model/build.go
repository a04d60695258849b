package model

import (
	"iter"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/parallel"
)

// Build reads a run of the plugin. Where faults are not empty, the system is
// incomplete and must not be emitted.
func Build(p *protogen.Plugin, o Options) (*System, fault.List) {
	system, _, faults := build(p, o)
	return system, faults
}

func build(p *protogen.Plugin, o Options) (*System, *graph, fault.List) {
	b := &builder{
		options: o, plugin: p,
		services: map[protoreflect.FullName]*protogen.Service{},
		enums:    map[protoreflect.FullName]*ErrorEnum{},
		errors:   map[protoreflect.FullName]*Error{},
	}
	system := &System{Options: o}
	b.checkFiles()
	b.checkLinked()
	b.checkImportCycles()
	for _, f := range p.Files {
		b.readErrors(f)
		for _, s := range f.Services {
			b.services[s.Desc.FullName()] = s
		}
	}
	var faults fault.List // not those of b, which is copied meanwhile
	for part := range b.parts() {
		system.Errors = append(system.Errors, part.errors...)
		system.Services = append(system.Services, part.services...)
		faults.Merge(part.faults)
	}
	b.faults.Merge(faults)
	b.checkNames(system)
	g := newGraph(system)
	b.checkCalls(system, g)
	if o.System {
		b.checkSystem(system, g)
	}
	return system, g, b.faults
}

// part is what a file adds to the system.
type part struct {
	errors   []*ErrorEnum
	services []*Service
	faults   fault.List
}

// parts yields what the files of the run add, in the order of their paths. Several are read
// at once, each with a builder of its own.
func (b *builder) parts() iter.Seq[part] {
	files := slices.DeleteFunc(byPath(b.plugin.Files), func(f *protogen.File) bool { return !f.Generate })
	return parallel.InOrder(len(files), func() func(int) part {
		return func(i int) part {
			own := *b
			own.faults = fault.List{}
			return own.part(files[i])
		}
	})
}

func (b *builder) part(f *protogen.File) (p part) {
	b.file = newScope(b.plugin, f)
	for _, e := range allEnums(f) {
		if enum := b.enums[e.Desc.FullName()]; enum != nil {
			p.errors = append(p.errors, enum)
		}
	}
	for _, s := range f.Services {
		service := b.service(f, s)
		service.settings = sync.OnceValue(service.allSettings)
		p.services = append(p.services, service)
	}
	p.faults = b.faults
	return p
}

// byPath orders files by their paths, since compilers may name them in any order.
func byPath(files []*protogen.File) []*protogen.File {
	return slices.SortedFunc(slices.Values(files), func(a, b *protogen.File) int {
		return strings.Compare(a.Desc.Path(), b.Desc.Path())
	})
}

// builder is the state of one Build. What its maps have is complete, and nobody changes
// it any more, when parts are read.
type builder struct {
	options Options
	plugin  *protogen.Plugin
	// services are all that the compiler knows, in this run or imported.
	services map[protoreflect.FullName]*protogen.Service
	enums    map[protoreflect.FullName]*ErrorEnum
	errors   map[protoreflect.FullName]*Error // of all enums
	file     scope                            // of the part being read
	faults   fault.List
}

// extension is the annotation of a descriptor: the empty message if it has none.
func extension[T proto.Message](d protoreflect.Descriptor, x protoreflect.ExtensionType) T {
	return proto.GetExtension(d.Options(), x).(T)
}

// commentOf is the comment in front of a declaration.
func commentOf(c protogen.CommentSet) Comment {
	lines := strings.Split(strings.TrimSpace(string(c.Leading)), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(l, " "), " \t\r")
	}
	return Comment(strings.Join(lines, "\n"))
}

// Lines are the lines of the comment; none if it is empty.
func (c Comment) Lines() []string {
	if c == "" {
		return nil
	}
	return strings.Split(string(c), "\n")
}

// Or is the comment, or another text if there is none.
func (c Comment) Or(text string) Comment {
	if c == "" {
		return Comment(text)
	}
	return c
}

// Sentence is the first sentence of the comment on one line, without the full
// stop, for tables.
func (c Comment) Sentence() string {
	text := strings.Join(strings.Fields(string(c)), " ")
	if i := strings.Index(text, ". "); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSuffix(text, ".")
}

func deprecated(d protoreflect.Descriptor) bool {
	o, ok := d.Options().(interface{ GetDeprecated() bool })
	return ok && o.GetDeprecated()
}
