package emit

import (
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/typecheck"
)

// rows are the files that overlays add, as rows of the table of services.
func (w *writer) rows(s *model.System) ([]output[*model.Service], error) {
	var rows []output[*model.Service]
	for _, f := range w.files {
		paths := map[*model.Service]string{}
		for _, service := range s.Services {
			to, err := w.path(f, service)
			if err != nil {
				return nil, err
			}
			paths[service] = to
		}
		rows = append(rows, output[*model.Service]{
			template: f.Template,
			path:     func(s *model.Service) string { return paths[s] },
			when:     func(s *model.Service) bool { return paths[s] != "" },
			pkg:      packageAt(s.Options.Root, paths),
		})
	}
	return rows, nil
}

// path is where a file goes for a service, empty for nowhere.
func (w *writer) path(f File, s *model.Service) (string, error) {
	var text strings.Builder
	if err := w.templates.ExecuteTemplate(&text, pathName(f.Template), s); err != nil {
		return "", typecheck.Explain(err, reflect.TypeFor[*model.Service]())
	}
	to := strings.TrimSpace(text.String())
	if to != "" && !fs.ValidPath(to) {
		return "", fmt.Errorf("%s: %q, for %s, is not a path below the output folder", pathName(f.Template), to, s.FullName)
	}
	return to, nil
}

// packageAt is the Go package of a file that lies where Go looks for it.
func packageAt(root string, paths map[*model.Service]string) func(*model.Service) model.Package {
	return func(s *model.Service) model.Package {
		dir := path.Dir(paths[s])
		return model.Package{Path: protogen.GoImportPath(path.Join(root, dir)), Name: path.Base(dir), Dir: dir}
	}
}
