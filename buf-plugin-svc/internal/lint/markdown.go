package lint

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

const documentation = "Rules for the contracts of gRPC services: names, sizes, pages, numbers and types that stay usable for years."

// markdown is docs/lint.md: the rules and the options, as they are registered.
func markdown() string {
	var out strings.Builder
	out.WriteString(preamble)
	out.WriteString("\n| Rule | |\n|---|---|\n")
	for _, r := range rules() {
		fmt.Fprintf(&out, "| [`%s`](#%s) | %s |\n", r.id, strings.ToLower(r.id), r.purpose)
	}
	for _, r := range rules() {
		r.markdown(&out)
	}
	return out.String()
}

func (r rule) markdown(out *strings.Builder) {
	fmt.Fprintf(out, "\n## %s\n\n%s\n\n%s\n", r.id, r.purpose, r.why)
	for _, o := range options() {
		if o.rule == r.id {
			fmt.Fprintf(out, "\nOption `%s`: %s. For example `%s: %s`.\n", o.name, o.about, o.name, o.example)
		}
	}
	with := ""
	if r.with != nil {
		text, err := yaml.Marshal(r.with)
		if err != nil {
			panic(err) // the table holds what YAML has
		}
		with = fmt.Sprintf(" (here with `%s`)", strings.TrimSpace(string(text)))
	}
	fmt.Fprintf(out, "\nBad%s:\n\n```proto%s\n```\n\nGood:\n\n```proto%s\n```\n", with, r.bad, r.good)
}

const preamble = `<!-- Written by "go test ./buf-plugin-svc/... -update" from the tables that the plugin registers. DO NOT EDIT. -->

# Lint

What protosvc asks of contracts beyond their working: what protoc-gen-svc refuses is in
[diagnostics.md](diagnostics.md), what is said here can be lived with, and turned off. The rules are a check plugin of
buf, so ` + "`buf lint`" + ` and the editors that show its findings know them. No rule of buf's own is repeated: use them together with ` + "`STANDARD`" + `.

New projects have it, and modules that ` + "`init`" + ` has set up. Others take the plugin as a tool of their module, ` + "`go get -tool github.com/protosvc/protosvc/buf-plugin-svc`" + `,
and name it in buf.yaml:

` + "```yaml" + `
version: v2
lint:
  use:
    - STANDARD
    - SVC
plugins:
  - plugin: [go, tool, buf-plugin-svc]
    options:
      service_rpc_limit: 30
` + "```" + `

The rules are on when ` + "`lint.use`" + ` has the category ` + "`SVC`" + ` or the rule's name, or is absent. ` + "`protoc-gen-svc lint`" + ` says whether they are, and
runs buf. Every finding makes ` + "`buf lint`" + ` fail: buf has no lesser severity. The ways to turn rules off are those of buf:

| What | How |
|---|---|
| a rule | ` + "`lint.except: [SVC_FIELD_NUMBER_GAP]`" + ` |
| a rule in some files or folders | ` + "`lint.ignore_only: {SVC_FIELD_NUMBER_GAP: [proto/legacy]}`" + ` |
| all rules, buf's too, in some files or folders | ` + "`lint.ignore: [proto/legacy]`" + ` |
| a rule for one element and what is in it | a comment before it, ` + "`// buf:lint:ignore SVC_FIELD_NUMBER_GAP`" + `, and why |
`
