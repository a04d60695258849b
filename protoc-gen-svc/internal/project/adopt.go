package project

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/protos"
)

// AdoptOptions say what Adopt writes, and where.
type AdoptOptions struct {
	// Dir is the folder of a module.
	Dir string

	// Protos is the folder of its contracts below Dir, which may be missing yet.
	Protos string

	// Replace is as in Options. Where go.mod requires this module already, empty
	// leaves that as it is.
	Replace string
}

// DefaultProtos is where contracts are, as Create has them.
const DefaultProtos = "proto"

const (
	thirdParty = "third_party"
	generated  = "generated"
)

// Adopt writes into a module that is there what contracts need to be built: files of buf,
// the protos that contracts import, and tools in go.mod. It says on out what it does.
// Nothing else of the module is changed, and nothing at all when it returns an error. It
// needs what Create needs.
func Adopt(ctx context.Context, o AdoptOptions, out io.Writer) error {
	m, err := checkAdopted(ctx, o)
	if err != nil {
		return err
	}
	staging, err := os.MkdirTemp(m.dir, ".init-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging)
	fmt.Fprintln(out, "go list: go.mod and go.sum of the tools (the first time downloads their modules)")
	if err := m.requireTools(ctx, staging); err != nil {
		return err
	}
	for _, o := range []output{bufYAML, bufGenYAML} {
		f, err := o.render(m.Module, m.project)
		if err != nil {
			return err
		}
		if err := f.write(staging); err != nil {
			return err
		}
	}
	if err := protos.Write(ctx, protos.Options{Dir: filepath.Join(staging, thirdParty)}, io.Discard); err != nil {
		return err
	}
	missing, err := missingFiles(staging, m.dir)
	if err != nil {
		return err
	}
	if err := m.place(staging, missing); err != nil {
		return fmt.Errorf("%w; nothing is written", err)
	}
	m.report(out, missing)
	return nil
}

// adopted is a module that was there before.
type adopted struct {
	project
	dir string
	// required says that it requires this module already, which stays so.
	required bool
}

// checkAdopted finds everything that is wrong with the options.
func checkAdopted(ctx context.Context, o AdoptOptions) (adopted, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return adopted{}, err
	}
	if _, err := os.Stat(filepath.Join(dir, goMod)); err != nil {
		return adopted{}, fmt.Errorf("folder %q has no go.mod (want \"go mod init\" first, or for a new project its module: init %s)", dir, exampleModule)
	}
	mod, modFault := readGoMod(ctx, dir)
	m := adopted{project{Module: mod.Module.Path, Protos: o.Protos}, dir, mod.requires(self) && o.Replace == ""}
	faults := []error{modFault, checkProtos(o.Protos)}
	for _, name := range []string{bufYAML.path, bufGenYAML.path} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			faults = append(faults, fmt.Errorf("%s is there, and init replaces nothing (move it away, and take into the new one what it has)", name))
		}
	}
	if entries, _ := os.ReadDir(filepath.Join(dir, generated)); len(entries) > 0 {
		faults = append(faults, fmt.Errorf("folder %s is there, and buf generate would empty it (move it away)", generated))
	}
	if !m.required {
		var sourceFault error
		m.Source, sourceFault = findSource(o.Replace)
		faults = append(faults, sourceFault)
	}
	return m, errors.Join(faults...)
}

// protosFolder are names that neither YAML nor buf reads as something else.
var protosFolder = regexp.MustCompile(`^[A-Za-z_][-\w.]*(/[A-Za-z_][-\w.]*)*$`)

func checkProtos(folder string) error {
	if !protosFolder.MatchString(folder) {
		return fmt.Errorf("proto %q is not a folder below that of go.mod, of letters, digits, \"-\", \".\" and \"_\" (want for example %q)", folder, DefaultProtos)
	}
	if first, _, _ := strings.Cut(folder, "/"); first == thirdParty || first == generated {
		return fmt.Errorf("proto %q is a folder of other files (want one for contracts, for example %q)", folder, DefaultProtos)
	}
	return nil
}

// goModFile is a go.mod as "go mod edit -json" prints it.
type goModFile struct {
	Module  struct{ Path string }
	Require []struct{ Path string }
}

func readGoMod(ctx context.Context, dir string) (m goModFile, err error) {
	text, err := goCommand(ctx, dir, "", "mod", "edit", "-json")
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	return m, err
}

func (m goModFile) requires(path string) bool {
	return slices.ContainsFunc(m.Require, func(r struct{ Path string }) bool { return r.Path == path })
}

// requireTools makes go.mod and go.sum in another folder, out of those of the module. In
// contrast to tidy, listing the tools looks at no package of the module, some of which may
// import what is not generated yet, and takes no requirement away.
func (m adopted) requireTools(ctx context.Context, staging string) error {
	for _, name := range []string{goMod, goSum} {
		content, err := os.ReadFile(filepath.Join(m.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = file{name, content}.write(staging)
		}
		if err != nil {
			return err
		}
	}
	edit := []string{"mod", "edit"}
	if !m.required {
		edit = append(edit, "-require="+self+"@"+m.Source.Version)
	}
	if m.Source.Dir != "" {
		edit = append(edit, "-replace="+self+"="+m.Source.Dir)
	}
	for _, tool := range m.Tools() {
		edit = append(edit, "-tool="+tool)
	}
	staged := filepath.Join(staging, goMod)
	if _, err := goCommand(ctx, m.dir, "", append(edit, staged)...); err != nil {
		return err
	}
	_, err := goCommand(ctx, m.dir, modulesHint, "list", "-modfile="+staged, "tool")
	return err
}

// missingFiles are those of one folder that another one does not have, but for go.mod and
// go.sum. Those that it has with other content are faults.
func missingFiles(from, to string) (missing []string, err error) {
	var faults []error
	err = fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == goMod || name == goSum {
			return err
		}
		want, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		switch got, err := os.ReadFile(filepath.Join(to, name)); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, name)
		case err != nil:
			faults = append(faults, err)
		case !bytes.Equal(got, want):
			faults = append(faults, fmt.Errorf("%s is there with other content (the command protos %s replaces it)", name, thirdParty))
		}
		return nil
	})
	return missing, errors.Join(append(faults, err)...)
}

// place changes go.mod and go.sum, and moves files to their place. After a fault all is as
// it was.
func (m adopted) place(staging string, missing []string) (err error) {
	for _, name := range []string{goMod, goSum} {
		undo, fault := overwrite(filepath.Join(staging, name), filepath.Join(m.dir, name))
		defer func() {
			if err != nil && undo != nil {
				err = errors.Join(err, undo())
			}
		}()
		if fault != nil {
			return fault
		}
	}
	return placeAll(staging, m.dir, missing)
}

// overwrite gives a file the content of another one. It stays the file that it was, with
// its mode, as it does when the go command writes to it. What undoes that is nil where
// nothing has been written.
func overwrite(from, to string) (undo func() error, err error) {
	content, err := os.ReadFile(from)
	if err != nil {
		return nil, err
	}
	old, err := os.ReadFile(to)
	switch {
	case err == nil:
		undo = func() error { return os.WriteFile(to, old, 0o644) }
	case errors.Is(err, fs.ErrNotExist):
		undo = func() error { return os.Remove(to) }
	default:
		return nil, err
	}
	return undo, os.WriteFile(to, content, 0o644)
}

func (m adopted) report(out io.Writer, written []string) {
	fmt.Fprintf(out, "%s: changed %s and %s\n", m.Module, goMod, goSum)
	for _, name := range written {
		fmt.Fprintln(out, "wrote", name)
	}
	m.sayReplaced(out)
	fmt.Fprintf(out, `
Write a contract below %s/, then:
buf generate    writes generated/
go mod tidy     requires what that imports
go build ./...  builds a service for each contract
docs/own-module.md of protosvc says how to go on with handlers.
`, m.Protos)
}
