// Protoc-gen-rules writes validators alone, for the tests that compile and call
// them. A package of validators comes with a table of them by message.
package main

import (
	"path"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

func main() {
	protogen.Options{ImportRewriteFunc: imports.Path}.Run(func(gen *protogen.Plugin) error {
		gen.SupportedFeatures = uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL |
			pluginpb.CodeGeneratorResponse_FEATURE_SUPPORTS_EDITIONS)
		gen.SupportedEditionsMinimum = descriptorpb.Edition_EDITION_PROTO2
		gen.SupportedEditionsMaximum = descriptorpb.Edition_EDITION_2024
		for _, file := range gen.Files {
			if file.Generate {
				if err := generate(gen, file); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// generate writes the validators of all messages of a file, as if a service
// received them.
func generate(gen *protogen.Plugin, file *protogen.File) error {
	set, faults := rules.Build(file.Messages, "Test", nil)
	if err := faults.Err(); err != nil {
		return err
	}
	base := strings.TrimSuffix(path.Base(file.Desc.Path()), ".proto")
	folder := protogen.GoImportPath(path.Join(string(file.GoImportPath), base+"rules"))
	g := gen.NewGeneratedFile(path.Join(string(folder), "rules.go"), folder)
	g.P("// Package ", base, "rules has the validators of ", file.Desc.Path(), ".")
	g.P("package ", base, "rules")
	g.P()
	set.Emit(g)
	table(g, set, file.Messages)
	return nil
}

func table(g *protogen.GeneratedFile, set *rules.Set, messages []*protogen.Message) {
	message := g.QualifiedGoIdent(protogen.GoImportPath("google.golang.org/protobuf/proto").Ident("Message"))
	g.P("// Validators has the validators by message. Nil: there is nothing to check.")
	g.P("var Validators = map[", message, "]func(", message, ") error{")
	for _, m := range messages {
		name, ok := set.Validator(m)
		if !ok {
			g.P("&", m.GoIdent, "{}: nil,")
			continue
		}
		g.P("&", m.GoIdent, "{}: func(m ", message, ") error { return ", name, "(m.(*", m.GoIdent, ")) },")
	}
	g.P("}")
}
