// Package templates holds the wording of everything that protoc-gen-svc writes:
// one template for each output file, in folders by what reads the output.
//
// Templates print the model and decide nothing: names, paths and conditions are
// the model's. Go templates take every import through the func ident.
package templates

import "embed"

// FS is the templates.
//
//go:embed go k8s docker systemd docs config openapi upgrade
var FS embed.FS
