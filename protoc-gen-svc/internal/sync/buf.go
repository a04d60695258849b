package sync

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// Buf is the contract as "buf generate" gives it to protoc-gen-svc: inputs,
// excluded paths, managed mode and plugin options are what the project
// configures. To learn them without reading buf's configuration in buf's place,
// the source runs "buf generate" with the project's own template, in which
// this program stands for the plugin and hands back the request (see [Capture]).
type Buf struct {
	// Command is how to run buf: "buf", or a tool of the project, "go", "tool",
	// "-modfile=tools/buf/go.mod", "buf". Empty: as [Buf.Line] finds it.
	Command []string

	// Template is the path of buf.gen.yaml.
	Template string

	// Dir is the folder of the project, to which the inputs of the template are
	// relative. Empty: the current one.
	Dir string

	// Plugin is how to run [Capture].
	Plugin []string
}

func (b Buf) requests(ctx context.Context) ([]*pluginpb.CodeGeneratorRequest, error) {
	t, err := openTemplate(b.Template)
	if err != nil {
		return nil, err
	}
	if b.Command, err = b.Line(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "protoc-gen-svc-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	t.rebase(b.Dir)
	capturing, err := t.capturing(b.Plugin, dir)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "buf.gen.yaml")
	if err := os.WriteFile(name, capturing, 0o600); err != nil {
		return nil, err
	}
	args := []string{"generate", "--template", name}
	if _, has := t.Rest["inputs"]; !has && b.Dir != "" {
		args = append(args, b.Dir)
	}
	if err := b.run(ctx, args...); err != nil {
		return nil, err
	}
	return readCaptured(dir)
}

// run runs buf in the current directory, where the command of a Go tool works.
func (b Buf) run(ctx context.Context, args ...string) error {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, b.Command[0], append(b.Command[1:len(b.Command):len(b.Command)], args...)...)
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not in PATH: say how to run buf with --buf, or give the contract as a descriptor set", b.Command[0])
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", strings.Join(b.Command, " "), args[0], err, strings.TrimSpace(output.String()))
	}
	return nil
}

const captured = "request-"

// Capture is a protoc plugin whose only output is the request that it got, in a
// file that readCaptured understands.
func Capture(in io.Reader, out io.Writer) error {
	request, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	response, err := proto.Marshal(&pluginpb.CodeGeneratorResponse{
		SupportedFeatures: proto.Uint64(uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL | pluginpb.CodeGeneratorResponse_FEATURE_SUPPORTS_EDITIONS)),
		MinimumEdition:    proto.Int32(int32(descriptorpb.Edition_EDITION_PROTO2)),
		MaximumEdition:    proto.Int32(int32(descriptorpb.Edition_EDITION_2024)),
		File: []*pluginpb.CodeGeneratorResponse_File{{
			// A run for each input or folder writes here, too.
			Name:    proto.String(fmt.Sprintf("%s%x", captured, sha256.Sum256(request))),
			Content: proto.String(base64.StdEncoding.EncodeToString(request)),
		}},
	})
	if err != nil {
		return err
	}
	_, err = out.Write(response)
	return err
}

func readCaptured(dir string) ([]*pluginpb.CodeGeneratorRequest, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*", captured+"*"))
	if err != nil {
		return nil, err
	}
	var all []*pluginpb.CodeGeneratorRequest
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		raw, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil {
			return nil, err
		}
		request := new(pluginpb.CodeGeneratorRequest)
		if err := proto.Unmarshal(raw, request); err != nil {
			return nil, err
		}
		all = append(all, request)
	}
	return all, nil
}
