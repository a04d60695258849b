package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// generate writes the outputs of every corpus into the module.
func (w *workshop) generate(r *report) error {
	if err := os.RemoveAll(w.path("module")); err != nil {
		return err
	}
	if err := w.writeModule(); err != nil {
		return err
	}
	w.each(func(c corpus) {
		names, err := w.collect(c)
		if err != nil {
			r.fail(c.name, "", "%v", err)
			return
		}
		files, err := w.compile(c, names)
		if err != nil {
			r.fail(c.name, "", "buf: %s", said(err))
			return
		}
		r.count(len(names), services(files, names))
		request := &pluginpb.CodeGeneratorRequest{FileToGenerate: names, ProtoFile: files}
		for _, plugin := range plugins {
			if err := w.runPlugin(c, plugin, request); err != nil {
				r.fail(c.name, "", "%s: %s", plugin, said(err))
			}
		}
	})
	return nil
}

// compile returns the descriptors of a corpus, imports before what imports them.
func (w *workshop) compile(c corpus, names []string) ([]*descriptorpb.FileDescriptorProto, error) {
	image, err := command(w.path("protos", c.name), nil, w.path("bin", "buf"), "build", "-o", "-")
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(image, set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[c.name] = files
	w.services[c.name] = services(set.File, names)
	w.generated[c.name] = names
	return set.File, nil
}

func services(files []*descriptorpb.FileDescriptorProto, names []string) (n int) {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	for _, f := range files {
		if wanted[f.GetName()] {
			n += len(f.GetService())
		}
	}
	return n
}

// runPlugin runs a plugin over all files of a corpus at once and writes what it
// answers.
func (w *workshop) runPlugin(c corpus, plugin string, request *pluginpb.CodeGeneratorRequest) error {
	request = proto.CloneOf(request)
	parameters := []string{parameter(c, request.ProtoFile, request.FileToGenerate)}
	folder := w.path("module")
	if plugin == ours {
		parameters = append(parameters, "root="+module+"/"+c.name, "openapi=true")
		folder = w.path("module", c.name)
	} else {
		parameters = append(parameters, "module="+module)
	}
	if o := c.options[plugin]; o != "" {
		parameters = append(parameters, o)
	}
	request.Parameter = proto.String(strings.Join(parameters, ","))
	input, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	output, err := command(w.dir, input, w.path("bin", plugin))
	if err != nil {
		return err
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(output, response); err != nil {
		return err
	}
	if response.Error != nil {
		return errors.New(response.GetError())
	}
	return writeResponse(folder, response)
}

// writeResponse refuses a file that is there already, from this plugin or
// another: buf would drop one of them.
func writeResponse(folder string, response *pluginpb.CodeGeneratorResponse) error {
	var twice []error
	for _, f := range response.GetFile() {
		name := filepath.Join(folder, filepath.FromSlash(f.GetName()))
		if _, err := os.Stat(name); err == nil {
			twice = append(twice, errors.New(f.GetName()+" is generated twice"))
		}
		if err := writeFile(name, []byte(f.GetContent())); err != nil {
			return err
		}
	}
	return errors.Join(twice...)
}
