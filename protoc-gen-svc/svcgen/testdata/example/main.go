// Command protoc-gen-acme is protoc-gen-svc with what Acme's clusters ask for.
package main

import (
	"embed"

	"github.com/protosvc/protosvc/protoc-gen-svc/svcgen"
)

//go:embed k8s
var overlay embed.FS

func main() { svcgen.Main(svcgen.Overlay(overlay)) }
