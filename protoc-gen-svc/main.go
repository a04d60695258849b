// Command protoc-gen-svc is the protoc plugin that turns annotated proto files
// into services. Run by protoc or buf it generates; run by hand it has
// subcommands, which "protoc-gen-svc help" lists.
package main

import (
	"os"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/cli"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/templates"
)

func main() {
	if len(os.Args) > 1 {
		os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	plugin.Main(templates.FS)
}
