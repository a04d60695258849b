package sync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// Source gives the contract, as runs of the plugin see it.
type Source interface {
	requests(context.Context) ([]*pluginpb.CodeGeneratorRequest, error)
}

// DescriptorSet is a contract that is compiled already, as written by
//
//	buf build -o FILE
//	protoc --include_imports --include_source_info -o FILE
//
// Handlers are written for the services of every file that buf did not mark as
// an import. Where no file has such a mark, protoc wrote the set; then they are
// written for the files whose Go code belongs to a module that is worked on
// here, which leaves out google.api, buf.validate and the like.
type DescriptorSet struct {
	// File is the file to read, "-" for In.
	File string
	In   io.Reader

	// Template is the path of buf.gen.yaml, which has the plugin's options.
	// Without such a file, Options must name them.
	Template string
}

func (d DescriptorSet) requests(ctx context.Context) ([]*pluginpb.CodeGeneratorRequest, error) {
	raw, err := d.read()
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("%s is not a FileDescriptorSet: %w", d.File, err)
	}
	wanted, err := wantedFiles(ctx, &set)
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: wanted, ProtoFile: set.GetFile()}
	t, err := openTemplate(d.Template)
	switch {
	case err == nil:
		request.Parameter = proto.String(t.parameter())
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return []*pluginpb.CodeGeneratorRequest{request}, nil
}

func (d DescriptorSet) read() ([]byte, error) {
	if d.File == "-" {
		return io.ReadAll(d.In)
	}
	return os.ReadFile(d.File)
}

// wantedFiles names the files that are the contract, and not its imports.
func wantedFiles(ctx context.Context, set *descriptorpb.FileDescriptorSet) ([]string, error) {
	var byBuf, all []string
	marked := false
	for _, f := range set.GetFile() {
		isImport, known := bufImport(f)
		marked = marked || known
		if known && !isImport {
			byBuf = append(byBuf, f.GetName())
		}
	}
	if marked {
		return byBuf, nil
	}
	mods, err := listModules(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range set.GetFile() {
		goPackage, _, _ := strings.Cut(f.GetOptions().GetGoPackage(), ";")
		if _, err := mods.dir(goPackage); err == nil {
			all = append(all, f.GetName())
		}
	}
	return all, nil
}

// Fields of buf's images, which are descriptor sets whose files carry a little
// more: FileDescriptorProto.buf_extension.is_import.
const (
	bufExtension = 8042
	bufIsImport  = 1
)

// bufImport reports whether buf marked a file as there only because another one
// imports it, and whether the file carries buf's marks at all.
func bufImport(f *descriptorpb.FileDescriptorProto) (isImport, known bool) {
	extension, known := lastField(f.ProtoReflect().GetUnknown(), bufExtension)
	if !known {
		return false, false
	}
	message, n := protowire.ConsumeBytes(extension)
	if n < 0 {
		return false, false
	}
	value, found := lastField(message, bufIsImport)
	if !found {
		return false, true
	}
	v, _ := protowire.ConsumeVarint(value)
	return v != 0, true
}

// lastField returns the bytes of a field's value, of the last one if there are
// several.
func lastField(message []byte, number protowire.Number) (value []byte, found bool) {
	for len(message) > 0 {
		num, typ, n := protowire.ConsumeTag(message)
		if n < 0 {
			break
		}
		message = message[n:]
		if n = protowire.ConsumeFieldValue(num, typ, message); n < 0 {
			break
		}
		if num == number {
			value, found = message[:n], true
		}
		message = message[n:]
	}
	return value, found
}
