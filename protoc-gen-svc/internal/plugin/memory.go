package plugin

import (
	"io/fs"

	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// Model answers a request with the model alone, and with the folder that the paths
// of its protos are below, or with all faults.
func Model(request *pluginpb.CodeGeneratorRequest) (system *model.System, protoRoot string, err error) {
	var flags Flags
	p, err := flags.Options().New(request)
	if err != nil {
		return nil, "", err
	}
	system, err = flags.model(p)
	return system, flags.protoRoot, err
}

// File is one output, and the template that it is made of.
type File = emit.Output

// Files answers a request without writing anything: every output, in the order
// in which buf and protoc get them, or all faults.
func Files(request *pluginpb.CodeGeneratorRequest, templates fs.FS, overlays ...emit.Overlay) ([]File, error) {
	var flags Flags
	p, err := flags.Options().New(request)
	if err != nil {
		return nil, err
	}
	var files []File
	for file, err := range flags.generate(p, templates, overlays) {
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}
