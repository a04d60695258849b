package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/protosvc/protosvc/templates"
)

// textChecks are what FuzzGenerate asks of a file, by its extension or its name.
var textChecks = map[string][]func(name, text string) error{
	".go":        {checkGo, checkFormat, inertGo},
	".yaml":      {checkYAML, inertYAML},
	".json":      {checkJSON},
	".md":        {checkMarkdown, inertMarkdown},
	".html":      {checkHTML}, // of elements of ours
	".sh":        {checkSomeShell, inertLines("")},
	".service":   {inertLines("systemd/service.tmpl")},
	"Dockerfile": {inertLines("docker/Dockerfile.tmpl")},
}

func checkFormat(_, text string) error {
	formatted, err := format.Source([]byte(text))
	if err == nil && string(formatted) != text {
		err = errors.New("is not as gofmt wants it")
	}
	return err
}

// inertGo wants the contract's text in literals and in comments that mean
// nothing to the go command.
func inertGo(name, text string) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if directive.MatchString(c.Text) || strings.HasPrefix(c.Text, "/*") {
				err = fmt.Errorf("%q is more than a comment", c.Text)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && strings.Contains(id.Name, strings.TrimSuffix(canary, "!")) {
			err = fmt.Errorf("the identifier %s comes from a text", id.Name)
		}
		return true
	})
	return err
}

var directive = regexp.MustCompile(`^//(go:|line |export |extern |[a-z0-9]+:[a-z0-9])`)

// noImports refuses every package, so that what its names mean is not known and
// not asked: all that remains is whether the package agrees with itself.
type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("is not known") }

// ignorance is what the compiler says only because it knows no import.
var ignorance = regexp.MustCompile(`is not known|missing type in composite literal`)

// checkTypes compiles a package without its imports.
func checkTypes(sources map[string]string) error {
	files := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		f, err := parser.ParseFile(files, name, sources[name], parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, f)
	}
	var problems []error
	config := types.Config{Importer: noImports{}, Error: func(err error) {
		if !ignorance.MatchString(err.Error()) {
			problems = append(problems, err)
		}
	}}
	if _, err := config.Check("p", files, parsed, nil); err != nil && len(problems) > 0 {
		for _, name := range slices.Sorted(maps.Keys(sources)) {
			problems = append(problems, fmt.Errorf("%s:\n%s", name, sources[name]))
		}
	}
	return errors.Join(problems...)
}

// inertYAML wants one document, no key twice, and the contract's text nowhere
// but in values of the settings.
func inertYAML(_, text string) error {
	var document, more yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&document); err != nil {
		return err
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return fmt.Errorf("a second document: %v", err)
	}
	if err := document.Decode(&map[string]any{}); err != nil {
		return err
	}
	return inertNode(&document, "")
}

func inertNode(n *yaml.Node, at string) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return fmt.Errorf("%s has an anchor, an alias or a tag", at)
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if strings.Contains(key, canary) || strings.Contains(key, "<<") {
				return fmt.Errorf("%q is a key of %s", key, at)
			}
			if err := inertNode(n.Content[i+1], at+"."+key); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range n.Content {
		if err := inertNode(c, at); err != nil {
			return err
		}
	}
	switch {
	case at == ".data.config.yaml":
		return inertYAML("", n.Value)
	case at == ".data.config.schema.json":
		return checkJSON("", n.Value)
	case strings.Contains(n.Value, canary) && !strings.HasPrefix(at, ".service."):
		return fmt.Errorf("%s is %q", at, n.Value)
	}
	return nil
}

var (
	codeSpan = regexp.MustCompile("`[^`]*`")
	// ourHTML is what templates say themselves.
	ourHTML = regexp.MustCompile(`<br>|&(lt|gt|amp);|<<\.\w+>>`)
	// marked is text behind a mark that makes a line a heading, an item or a quote.
	marked = regexp.MustCompile(`^\s*([-#>*+=~]|\d+[.)])+\s*` + canary)
)

// inertMarkdown wants no HTML and no block from the contract.
func inertMarkdown(_, text string) error {
	for i, line := range strings.Split(text, "\n") {
		if i < 2 { // the header
			inner, ok := strings.CutPrefix(line, "<!-- ")
			if inner, ok2 := strings.CutSuffix(inner, " -->"); !ok || !ok2 || strings.Contains(inner, "--") {
				return fmt.Errorf("%q is not a comment", line)
			}
			continue
		}
		if strings.Contains(line, "```") && line != "```" && line != "```sh" && line != "```yaml" && line != "```mermaid" {
			return fmt.Errorf("%q opens or closes a fence", line)
		}
		plain := ourHTML.ReplaceAllString(codeSpan.ReplaceAllString(line, "code"), "")
		if strings.ContainsAny(plain, "<") || marked.MatchString(line) {
			return fmt.Errorf("%q is more than text", line)
		}
	}
	return nil
}

// checkSomeShell asks a shell once in a while, since that takes long.
func checkSomeShell(name, text string) error {
	if crc32.ChecksumIEEE([]byte(text))%100 != 0 {
		return nil
	}
	return checkShell(name, text)
}

var (
	comment = regexp.MustCompile(`^\s*(#|$)`)
	// start is what an instruction of a Dockerfile or an assignment of a unit
	// begins with.
	start = regexp.MustCompile(`^(?:[A-Z]+ |[A-Za-z]+=|\[\w+\]$)`)
)

// inertLines is for formats of lines: the contract's text is in comments only,
// and lines start with nothing but what lines of the template start with. A line
// after a backslash continues the one before.
func inertLines(template string) func(name, text string) error {
	return func(_, text string) error {
		known := starts(template)
		continued := false
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if comment.MatchString(line) {
				continue
			}
			if strings.Contains(line, canary) {
				return fmt.Errorf("%q has text in it", line)
			}
			if template != "" && !continued && !known[start.FindString(line)] {
				return fmt.Errorf("%q is no line of the template", line)
			}
			continued = strings.HasSuffix(line, `\`)
		}
		return nil
	}
}

func starts(template string) map[string]bool {
	out := map[string]bool{}
	if template == "" {
		return out
	}
	text, err := fs.ReadFile(templates.FS, template)
	if err != nil {
		panic(err)
	}
	for _, line := range bytes.Split(text, []byte("\n")) {
		if s := start.Find(line); s != nil {
			out[string(s)] = true
		}
	}
	return out
}
