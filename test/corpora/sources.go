package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// download has the go command fetch and check every module that pins/go.mod
// requires, and returns the folder of each in the module cache.
func download(pins string) (map[string]string, error) {
	text, err := command(pins, nil, "go", "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(text, &mod); err != nil {
		return nil, err
	}
	args := []string{"mod", "download", "-json"}
	for _, r := range mod.Require {
		args = append(args, r.Path+"@"+r.Version)
	}
	if text, err = command(pins, nil, "go", args...); err != nil {
		return nil, err
	}
	dirs := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var m struct{ Path, Dir string }
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return dirs, nil
		} else if err != nil {
			return nil, err
		}
		dirs[m.Path] = m.Dir
	}
}

// collect copies the protos of a corpus to where buf compiles them, and returns
// the names of those that are generated. What is only imported lies in a second
// folder.
func (w *workshop) collect(c corpus) (names []string, err error) {
	dir := w.path("protos", c.name)
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	for _, s := range c.from {
		copied, err := w.copySource(s, filepath.Join(dir, "generated"))
		if err != nil {
			return nil, err
		}
		names = append(names, copied...)
	}
	for _, s := range wellKnown {
		if _, err := w.copySource(s, filepath.Join(dir, "imported")); err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	config := "version: v2\nmodules:\n  - path: generated\n  - path: imported\n"
	return names, os.WriteFile(filepath.Join(dir, "buf.yaml"), []byte(config), 0o644)
}

func (w *workshop) copySource(s source, to string) (names []string, err error) {
	from := s.dir
	if s.module != "" {
		from = filepath.Join(w.modules[s.module], s.dir)
		if w.modules[s.module] == "" {
			return nil, fmt.Errorf("pins/go.mod has no module %s", s.module)
		}
	}
	err = filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".proto" {
			return err
		}
		rel, err := filepath.Rel(from, file)
		if err != nil || !s.takes(filepath.ToSlash(rel)) {
			return err
		}
		name := path.Join(s.as, filepath.ToSlash(rel))
		names = append(names, name)
		return copyFile(file, filepath.Join(to, name))
	})
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("%s has no proto files", from)
	}
	return names, err
}

func (s source) takes(name string) bool {
	return (s.only == nil || slices.Contains(s.only, name)) && !slices.Contains(s.except, name)
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return writeFile(to, data)
}

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
