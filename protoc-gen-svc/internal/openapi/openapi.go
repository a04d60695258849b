// Package openapi completes the OpenAPI documents of another plugin: every
// operation lists the errors that its method declares, by HTTP status.
//
// A plugin cannot change a file of another one, so it stands in front of it: it
// runs the other plugin with the request that it got itself, and answers with
// what that answered, completed.
package openapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// Run is the plugin: a CodeGeneratorRequest in, a response out. The command is
// the other plugin.
func Run(ctx context.Context, command []string, in io.Reader, out, problems io.Writer) error {
	data, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	request := &pluginpb.CodeGeneratorRequest{}
	if err := proto.Unmarshal(data, request); err != nil {
		return fmt.Errorf("standard input is not a request to a plugin: %w", err)
	}
	var answer bytes.Buffer
	plugin := exec.CommandContext(ctx, command[0], command[1:]...)
	plugin.Stdin, plugin.Stdout, plugin.Stderr = bytes.NewReader(data), &answer, problems
	if err := plugin.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(answer.Bytes(), response); err != nil {
		return fmt.Errorf("%s: the answer is not that of a plugin: %w", strings.Join(command, " "), err)
	}
	if err := complete(response, request); err != nil {
		return err
	}
	if data, err = proto.Marshal(response); err != nil {
		return err
	}
	_, err = out.Write(data)
	return err
}

// complete completes every JSON document of the response. A contract that cannot
// work is refused by protoc-gen-svc itself, with positions; here its documents
// stay as they are.
func complete(response *pluginpb.CodeGeneratorResponse, request *pluginpb.CodeGeneratorRequest) error {
	contract := proto.CloneOf(request)
	contract.Parameter = nil // it is the other plugin's
	p, err := protogen.Options{}.New(contract)
	if err != nil {
		return err
	}
	system, faults := model.Build(p, model.Options{Root: "openapi"})
	if faults.Err() != nil {
		return nil
	}
	for _, file := range response.GetFile() {
		if !strings.HasSuffix(file.GetName(), ".json") {
			continue
		}
		text, err := document(file.GetContent(), servicesOf(system, file.GetName()))
		if err != nil {
			return fmt.Errorf("%s: %w", file.GetName(), err)
		}
		file.Content = &text
	}
	return nil
}

// servicesOf are the services that a document may be about: those of the proto
// file that it is named after, else all, for a plugin that writes one document.
func servicesOf(system *model.System, name string) []*model.Service {
	var own []*model.Service
	for _, s := range system.Services {
		if strings.HasPrefix(name, strings.TrimSuffix(s.Source, ".proto")+".") {
			own = append(own, s)
		}
	}
	if own == nil {
		return system.Services
	}
	return own
}
