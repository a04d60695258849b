// Command protoc-gen-svc is the protoc plugin that turns annotated proto files
// into services. Run by protoc or buf it generates; run by hand it has
// subcommands, which "protoc-gen-svc help" lists.
package main

import "github.com/protosvc/protosvc/protoc-gen-svc/svcgen"

func main() { svcgen.Main() }
