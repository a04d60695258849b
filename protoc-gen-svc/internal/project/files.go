package project

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"text/template"
)

// templates hold buf.mod and buf.sum too: tools/buf/go.mod and go.sum of this
// repository under names that can be embedded. A test keeps them the same.
//
//go:embed templates
var templates embed.FS

// output is a file: the template that it is made of, and where it goes. The path
// is a template as well, with the same data.
type output struct{ template, path string }

var (
	bufYAML    = output{"buf.yaml.tmpl", "buf.yaml"}
	bufGenYAML = output{"buf.gen.yaml.tmpl", "buf.gen.yaml"}
)

// once are the files of a project.
var once = []output{
	{"go.mod.tmpl", goMod},
	{"gitignore.tmpl", ".gitignore"},
	{"dockerignore.tmpl", ".dockerignore"},
	{"ci.yaml.tmpl", ".github/workflows/ci.yaml"},
	{"Makefile.tmpl", "Makefile"},
	{"README.md.tmpl", "README.md"},
	bufYAML,
	bufGenYAML,
	{"buf.mod", "tools/buf/go.mod"},
	{"buf.sum", "tools/buf/go.sum"},
	{"demo/main.go.tmpl", "internal/demo/main.go"},
	{"demo/system.go.tmpl", "internal/demo/system.go"},
	{"demo/service.go.tmpl", "internal/demo/service.go"},
}

// each are the files of every service.
var each = []output{
	{"service/contract.proto.tmpl", "proto/{{.Snake}}/v1/{{.Snake}}.proto"},
	{"service/handler.go.tmpl", "services/{{.Package}}/handler.go"},
	{"service/store.go.tmpl", "services/{{.Package}}/store.go"},
	{"service/migration.sql.tmpl", "services/{{.Package}}/migrations/0001_init.sql"},
	{"service/handler_test.go.tmpl", "services/{{.Package}}/handler_test.go"},
	{"demo/story.go.tmpl", storyFolder + "{{.Snake}}_story.go"},
}

const (
	goMod = "go.mod"
	goSum = "go.sum"
)

// storyFolder is where the demo is, and in it the story of each service.
const storyFolder = "internal/demo/"

// file is a file of the project, with slashes in its path.
type file struct {
	path    string
	content []byte
}

// write writes the file below a folder, and the folders on its way.
func (f file) write(dir string) error {
	name := filepath.Join(dir, filepath.FromSlash(f.path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, f.content, 0o644)
}

// render makes all files. It cannot fail on the user's account.
func render(p project) ([]file, error) {
	var files []file
	for _, o := range once {
		f, err := o.render(p.Module, p)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	for _, s := range p.Services {
		own, err := s.render(each)
		if err != nil {
			return nil, err
		}
		files = append(files, own...)
	}
	return files, nil
}

// render makes files of one service.
func (s service) render(outputs []output) (files []file, err error) {
	for _, o := range outputs {
		f, err := o.render(s.Module, s)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func (o output) render(module string, data any) (file, error) {
	to, err := execute(o.path, data)
	if err != nil {
		return file{}, err
	}
	content, err := templates.ReadFile(path.Join("templates", o.template))
	if err != nil {
		return file{}, err
	}
	switch {
	case o.template == "buf.mod":
		content = bytes.Replace(content, []byte("module "+self), []byte("module "+module), 1)
	case path.Ext(o.template) == ".tmpl":
		content, err = execute(string(content), data)
	}
	if err == nil && path.Ext(string(to)) == ".go" {
		content, err = format.Source(content)
	}
	if err != nil {
		return file{}, fmt.Errorf("%s: %w", o.template, err)
	}
	return file{string(to), content}, nil
}

func execute(text string, data any) ([]byte, error) {
	t, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, data)
	return b.Bytes(), err
}
