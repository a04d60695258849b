package sync

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
)

// systemFile is what the generated record says about the run that wrote the files
// of the whole system.
type systemFile struct {
	path    string
	root    string
	sources []string // proto files with services
}

// readSystem reads the record below the output folder. There is none without
// system=true, nor before the first run, nor where the folder is not known: nil.
func readSystem(output string) (*systemFile, error) {
	if output == "" {
		return nil, nil
	}
	name := filepath.Join(output, filepath.FromSlash(emit.Record))
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var record struct {
		Options struct {
			Root string `yaml:"root"`
		} `yaml:"options"`
	}
	if err := yaml.Unmarshal(text, &record); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f := &systemFile{path: name, root: record.Options.Root}
	for line := range strings.Lines(string(text)) {
		if sources, ok := strings.CutPrefix(strings.TrimSpace(line), "# source: "); ok {
			f.sources = strings.Split(sources, ", ")
		}
	}
	return f, nil
}

// checkSystem says what is wrong with the run that wrote the system's files.
func checkSystem(output string, services []service, mods modules) ([]string, error) {
	f, err := readSystem(output)
	if f == nil || err != nil {
		return nil, err
	}
	return slices.Concat(f.unseen(output, services), f.wrongRoot(output, services, mods)), nil
}

// unseen reports a run that did not see the whole contract, though others wrote the
// files of what it missed. A service without files is only not generated yet, and a
// source that is gone or has another name tells of a contract from before.
func (f *systemFile) unseen(output string, services []service) []string {
	var missed []string
	gone := slices.Clone(f.sources)
	for _, s := range services {
		gone = slices.DeleteFunc(gone, func(source string) bool { return source == s.Source })
		if _, err := os.Stat(filepath.Join(output, "deploy", s.Name)); err == nil && !slices.Contains(f.sources, s.Source) {
			missed = append(missed, s.Source)
		}
	}
	if len(missed) == 0 || len(gone) > 0 {
		return nil
	}
	slices.Sort(missed)
	return []string{fmt.Sprintf("%s: was written by a run that saw only %s, and not %s, whose files are here too (set \"strategy: all\" in buf.gen.yaml, and run buf generate without --path)",
		f.path, strings.Join(f.sources, ", "), strings.Join(slices.Compact(missed), ", "))}
}

// wrongRoot reports a root that is not the import path of the output folder, then
// or now: what is generated would import packages that are not there.
func (f *systemFile) wrongRoot(output string, services []service, mods modules) []string {
	want := mods.importPath(output)
	if want == "" {
		return nil // in no module here
	}
	for _, root := range []string{f.root, services[0].root} {
		if root != want {
			return []string{fmt.Sprintf("%s: root=%s is not the import path of %s, which is %s (set root=%[4]s in buf.gen.yaml, and run buf generate)", f.path, root, output, want)}
		}
	}
	return nil
}

// importPath is that of a folder, empty if it is in none of the modules.
func (m modules) importPath(dir string) string {
	module, inner := "", ""
	for path, folder := range m {
		rel, err := filepath.Rel(withoutLinks(folder), withoutLinks(dir))
		if err == nil && filepath.IsLocal(rel) && len(folder) > len(m[module]) {
			module, inner = path, filepath.ToSlash(rel)
		}
	}
	if module == "" || inner == "." {
		return module
	}
	return module + "/" + inner
}

// withoutLinks is a folder without links, by which the go command knows modules.
func withoutLinks(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		return resolved
	}
	return dir
}
