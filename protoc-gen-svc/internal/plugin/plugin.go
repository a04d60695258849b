// Package plugin is protoc-gen-svc as protoc and buf see it: options in, files
// or the list of all faults out.
package plugin

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/release"
)

// Run reads a request and writes the answer. An error is no matter of the contract.
// Warnings, for which answers have no place, go to the notes.
func Run(in io.Reader, out, notes io.Writer, templates fs.FS, overlays ...emit.Overlay) error {
	read, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	request := new(pluginpb.CodeGeneratorRequest)
	if err := proto.Unmarshal(read, request); err != nil {
		return err
	}
	return write(out, notes, request, templates, overlays)
}

// write writes a response one part after the other, which to protobuf is the same as the
// whole: for a large system the whole would take as much memory again as its files. A
// compiler that reads an error writes none of the files before it.
func write(out, notes io.Writer, request *pluginpb.CodeGeneratorRequest, templates fs.FS, overlays []emit.Overlay) error {
	parts, err := respond(notes, request, templates, overlays)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	var written []byte
	for part := range parts {
		var err error
		if written, err = (proto.MarshalOptions{}).MarshalAppend(written[:0], part); err != nil {
			return err
		}
		if _, err := w.Write(written); err != nil {
			return err
		}
	}
	return w.Flush()
}

// Respond answers a request with every file, or with all faults and no file. An
// error is a fault of the compiler.
func Respond(request *pluginpb.CodeGeneratorRequest, templates fs.FS, overlays ...emit.Overlay) (*pluginpb.CodeGeneratorResponse, error) {
	parts, err := respond(io.Discard, request, templates, overlays)
	if err != nil {
		return nil, err
	}
	response := new(pluginpb.CodeGeneratorResponse)
	for part := range parts {
		proto.Merge(response, part)
	}
	if response.Error != nil {
		response.File = nil
	}
	return response, nil
}

// respond returns the parts of a response: what the plugin supports, then each file,
// then the faults if there are any.
func respond(notes io.Writer, request *pluginpb.CodeGeneratorRequest, templates fs.FS, overlays []emit.Overlay) (iter.Seq[*pluginpb.CodeGeneratorResponse], error) {
	flags := Flags{notes: notes}
	p, err := flags.Options().New(request)
	if err != nil {
		return nil, err
	}
	return func(yield func(*pluginpb.CodeGeneratorResponse) bool) {
		supported := &pluginpb.CodeGeneratorResponse{
			SupportedFeatures: proto.Uint64(uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL | pluginpb.CodeGeneratorResponse_FEATURE_SUPPORTS_EDITIONS)),
			MinimumEdition:    proto.Int32(int32(descriptorpb.Edition_EDITION_PROTO2)),
			MaximumEdition:    proto.Int32(int32(descriptorpb.Edition_EDITION_2024)),
		}
		if !yield(supported) {
			return
		}
		for o, err := range flags.generate(p, templates, overlays) {
			part := &pluginpb.CodeGeneratorResponse{File: []*pluginpb.CodeGeneratorResponse_File{{Name: &o.Path, Content: &o.Text}}}
			if err != nil {
				part = &pluginpb.CodeGeneratorResponse{Error: proto.String(fault.ForCompiler(err))}
			}
			if !yield(part) {
				return
			}
		}
	}, nil
}

// Flags are the options of a run, as given in buf.gen.yaml.
type Flags struct {
	options   model.Options
	protoRoot string // folder put before the paths of faults
	told      bool   // whether the run sees the whole system
	notes     io.Writer
}

var (
	// registry is a host, perhaps with a port, and a path of names as images have them.
	registry = regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
	// tag is that of an image, and short enough for a label.
	tag = regexp.MustCompile(`^[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$`)
)

// Options makes protogen parse the flags.
func (f *Flags) Options() protogen.Options {
	return protogen.Options{ParamFunc: f.set, ImportRewriteFunc: imports.Path}
}

func (f *Flags) set(name, value string) (err error) {
	switch name {
	case "root":
		f.options.Root = value
	case "handlers":
		f.options.Handlers = value
	case "system":
		f.told = true
		if f.options.System, err = strconv.ParseBool(value); err != nil {
			return fmt.Errorf("option system=%s is not a boolean (want system=true)", value)
		}
	case "openapi":
		if f.options.OpenAPI, err = strconv.ParseBool(value); err != nil {
			return fmt.Errorf("option openapi=%s is not a boolean (want openapi=true)", value)
		}
	case "registry":
		if !registry.MatchString(value) {
			return fmt.Errorf("option registry=%s is not where images are: want a host and a path, for example registry=registry.example.com/shop", value)
		}
		f.options.Registry = value
	case "tag":
		if !tag.MatchString(value) || value == "latest" {
			return fmt.Errorf("option tag=%s is not the tag of one version: want letters, digits, \"-\", \"_\", \".\", at most 63, and not latest, for example tag=v1.4.2", value)
		}
		f.options.Tag = value
	case "proto_root":
		if path.IsAbs(value) {
			return fmt.Errorf("option proto_root=%s is absolute: set it to the folder of the protos as seen from where you work, for example proto_root=proto", value)
		}
		f.protoRoot = value
	default:
		return fmt.Errorf("option %s= is not known (want root=, handlers=, system=true, openapi=true, registry=, tag= or proto_root=)", name)
	}
	return nil
}

// generate yields everything that is to be written, or an error and no more: all faults
// of the contract before the first file.
func (f *Flags) generate(p *protogen.Plugin, templates fs.FS, overlays []emit.Overlay) iter.Seq2[emit.Output, error] {
	system, err := f.model(p)
	if err == nil {
		system.Plugin.Version = release.Version
		system.Plugin.Overlays, err = emit.Names(overlays)
	}
	if err != nil {
		return func(yield func(emit.Output, error) bool) { yield(emit.Output{}, err) }
	}
	f.warn(system)
	return emit.System(system, templates, overlays...)
}

// warn says what a run may have been meant to be told.
func (f *Flags) warn(system *model.System) {
	if f.told || f.notes == nil {
		return
	}
	here := map[string]bool{}
	for _, s := range system.Services {
		here[s.FullName] = true
	}
	for _, s := range system.Services {
		for _, c := range s.Callees {
			if here[c.FullName] && c.FullName != s.FullName {
				fmt.Fprintf(f.notes, untold, s.FullName, c.FullName)
				return
			}
		}
	}
}

const untold = "protoc-gen-svc: warning: %s calls %s in this run, which was not told whether it sees all services: it writes no NetworkPolicies and no catalogue, and checks nothing across services (set system=true for protoc-gen-svc in buf.gen.yaml if it sees them all, else system=false)\n"

// model is the model of a run, or all faults.
func (f *Flags) model(p *protogen.Plugin) (*model.System, error) {
	if err := f.check(p.Request.GetParameter()); err != nil {
		return nil, err
	}
	system, faults := model.Build(p, f.options)
	faults.Under(f.protoRoot)
	return system, faults.Err()
}

// check refuses what set never sees, because protogen takes it for itself, and
// what set cannot miss.
func (f *Flags) check(parameter string) error {
	for option := range strings.SplitSeq(parameter, ",") {
		if name, _, _ := strings.Cut(option, "="); name == "module" || name == "paths" {
			return fmt.Errorf("option %s= is not one of protoc-gen-svc: remove it, and set root= to the import path of the output folder", name)
		}
	}
	switch root := f.options.Root; {
	case root == "":
		return fmt.Errorf("option root= is missing: set it to the import path of the output folder, for example root=example.com/shop/generated")
	case root[0] == '.' || root[0] == '/':
		return fmt.Errorf("option root=%s is a folder: set it to the import path of the output folder, for example root=example.com/shop/generated", root)
	}
	return nil
}
