package project

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// AddOptions say what Add writes, and where.
type AddOptions struct {
	// Service is the name of the new service, in kebab case.
	Service string

	// Calls is the service of the project that the new one calls; empty for none.
	Calls string

	// Dir is the folder of the project.
	Dir string
}

// Add writes a further service into a project that Create has made, as Create writes
// services, and says on out what it has done. When it returns an error, it has
// written nothing. Files that are there stay as they are: what is generated and the
// demo find the service by its own.
func Add(o AddOptions, out io.Writer) error {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	s, err := checkAdded(o, dir)
	if err != nil {
		return err
	}
	outputs := each
	if !hasStories(dir) {
		outputs = slices.DeleteFunc(slices.Clone(each), func(o output) bool { return strings.HasPrefix(o.path, storyFolder) })
	}
	files, err := s.render(outputs)
	if err != nil {
		return err
	}
	staging, err := os.MkdirTemp(dir, ".add-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging)
	for _, f := range files {
		if err := f.write(staging); err != nil {
			return err
		}
	}
	if err := placeAll(staging, dir, s.placesOf(files)); err != nil {
		return fmt.Errorf("%w; nothing is written", err)
	}
	for _, f := range files {
		fmt.Fprintln(out, "wrote", f.path)
	}
	fmt.Fprint(out, "\nmake generate finds it, make demo shows it with the others.\n")
	return nil
}

// places are what a service has for itself, folders or files.
func (s service) places() []string {
	return []string{"proto/" + s.Snake(), "services/" + s.Package(), storyFolder + s.Snake() + "_story.go"}
}

// placesOf are those of the places that the files are in.
func (s service) placesOf(files []file) []string {
	return slices.DeleteFunc(s.places(), func(place string) bool {
		return !slices.ContainsFunc(files, func(f file) bool { return f.path == place || strings.HasPrefix(f.path, place+"/") })
	})
}

// checkAdded finds everything that is wrong with the options.
func checkAdded(o AddOptions, dir string) (service, error) {
	module, err := projectModule(dir)
	if err != nil {
		return service{}, err
	}
	s := service{Module: module, Name: o.Service}
	if err := checkName(s); err != nil {
		return service{}, err
	}
	var faults []error
	for _, place := range append(s.places(), "generated/deploy/"+s.Name) {
		_, err := os.Lstat(filepath.Join(dir, place))
		switch {
		case err == nil:
			faults = append(faults, fmt.Errorf("service name %q is taken: %s is there", s.Name, place))
		case !errors.Is(err, fs.ErrNotExist):
			faults = append(faults, err)
		}
	}
	if o.Calls != "" {
		s.Calls = &service{Module: module, Name: o.Calls}
		faults = append(faults, checkCallee(s, dir))
	}
	return s, errors.Join(faults...)
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)

// projectModule is the module of a project that Create has made.
func projectModule(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, goMod))
	line := moduleLine.FindSubmatch(text)
	if err != nil || line == nil {
		return "", notAProject(dir, "has no go.mod")
	}
	module := string(line[1])
	text, err = os.ReadFile(filepath.Join(dir, "buf.gen.yaml"))
	if err != nil {
		return "", notAProject(dir, "has no buf.gen.yaml")
	}
	for _, option := range []string{"root=" + module + "/generated", "handlers=" + module + "/services"} {
		if !regexp.MustCompile(`(?m)\b` + regexp.QuoteMeta(option) + `["',\s]`).Match(text) {
			return "", notAProject(dir, "has no "+option+" in buf.gen.yaml")
		}
	}
	return module, nil
}

func notAProject(dir, fault string) error {
	return fmt.Errorf("folder %q is not a project of init, it %s (want the folder of one: --dir=DIR names another)", dir, fault)
}

// checkCallee makes sure that the contract of the callee has what a new one calls, and
// finds out whether it has what a new one defers, which only callees of init have.
func checkCallee(s service, dir string) error {
	callee := s.Calls
	if err := checkName(*callee); err != nil {
		return err
	}
	if callee.Name == s.Name {
		return fmt.Errorf("service %q cannot call itself", s.Name)
	}
	name := fmt.Sprintf("proto/%s/v1/%[1]s.proto", callee.Snake())
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("service %q cannot be called: there is no %s", callee.Name, name)
	}
	rpc := func(verb string) string {
		name := verb + callee.Camel()
		return `\brpc ` + name + `\s*\(\s*` + name + `Request\s*\)\s*returns\s*\(\s*` + name + `Response\s*\)`
	}
	for _, want := range []struct{ pattern, what string }{
		{rpc("Get"), "rpc Get" + callee.Camel()},
		{`\berrors:\s*"` + callee.Upper() + `_ERROR_NOT_FOUND"`, "error " + callee.Upper() + "_ERROR_NOT_FOUND"},
		{`\bstring ` + callee.Snake() + `_id\b`, "field " + callee.Snake() + "_id"},
	} {
		if !regexp.MustCompile(want.pattern).Match(text) {
			return fmt.Errorf("service %q cannot be called: %s has no %s, as init writes it (leave out --calls, and write the call yourself)", callee.Name, name, want.what)
		}
	}
	callee.Activated = regexp.MustCompile(rpc("Activate") + `\s*{\s*option idempotency_level = IDEMPOTENT;`).Match(text)
	return nil
}

// hasStories reports whether the demo is as Create has made it: it may be gone.
func hasStories(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, storyFolder, "main.go"))
	return err == nil && strings.Contains(string(text), "var stories = map[string]func(context.Context, *stage) error{")
}
