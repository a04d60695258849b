package sync

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mapping is a YAML mapping of which only some keys matter here; the others stay
// as they are written.
type mapping map[string]yaml.Node

// template is buf.gen.yaml as far as it matters here.
type template struct {
	Version string    `yaml:"version"`
	Plugins []mapping `yaml:"plugins"`
	Rest    mapping   `yaml:",inline"`
}

func openTemplate(name string) (*template, error) {
	source, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (run this where buf.gen.yaml is, or name it with --template)", err)
	}
	if err != nil {
		return nil, err
	}
	t, err := readTemplate(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// readTemplate returns the template with only our plugin in it.
func readTemplate(source []byte) (*template, error) {
	t := new(template)
	if err := yaml.Unmarshal(source, t); err != nil {
		return nil, err
	}
	if t.Version != "v2" {
		return nil, fmt.Errorf("version is %q (want %q: \"buf config migrate\" brings it up to date)", t.Version, "v2")
	}
	t.Plugins = slices.DeleteFunc(t.Plugins, func(plugin mapping) bool { return !isOurs(plugin) })
	if len(t.Plugins) == 0 {
		return nil, errors.New("none of the plugins is protoc-gen-svc (want one whose local names it, or whose opt has root=)")
	}
	return t, t.checkExcluded()
}

// capturing returns the template with another command in the plugin's place,
// which writes below dir.
func (t *template) capturing(command []string, dir string) ([]byte, error) {
	delete(t.Rest, "clean")
	for i, plugin := range t.Plugins {
		delete(plugin, "remote")
		delete(plugin, "revision")
		plugin["local"] = sequence(command)
		plugin["strategy"] = scalar("all")
		plugin["out"] = scalar(filepath.Join(dir, strconv.Itoa(i)))
	}
	return yaml.Marshal(t)
}

// rebase makes inputs that are relative to dir relative to the current folder.
func (t *template) rebase(dir string) {
	inputs, has := t.Rest["inputs"]
	if !has || dir == "" {
		return
	}
	for _, input := range inputs.Content {
		for i := 0; i+1 < len(input.Content); i += 2 {
			switch input.Content[i].Value {
			case "directory", "proto_file", "binary_image", "json_image", "text_image", "yaml_image", "tarball", "zip_archive", "paths", "exclude_paths":
				rebaseNode(input.Content[i+1], dir)
			}
		}
	}
}

func rebaseNode(n *yaml.Node, dir string) {
	if n.Kind == yaml.ScalarNode && !filepath.IsAbs(n.Value) {
		n.SetString(filepath.Join(dir, n.Value))
	}
	for _, item := range n.Content {
		rebaseNode(item, dir)
	}
}

// parameter is what buf makes of the plugin's options.
func (t *template) parameter() string {
	return strings.Join(list(t.Plugins[0]["opt"]), ",")
}

// isOurs recognises the plugin by its name, or by an option that no other one
// has: it may be run by any command. With a word behind its name it is one of its
// commands.
func isOurs(plugin mapping) bool {
	if local := list(plugin["local"]); len(local) > 0 && strings.HasPrefix(filepath.Base(local[len(local)-1]), "protoc-gen-svc") {
		return true
	}
	for _, options := range list(plugin["opt"]) {
		for option := range strings.SplitSeq(options, ",") {
			if strings.HasPrefix(strings.TrimSpace(option), "root=") {
				return true
			}
		}
	}
	return false
}

// list reads what buf takes as one string or as a list.
func list(n yaml.Node) []string {
	var many []string
	if n.Decode(&many) == nil {
		return many
	}
	var one string
	if n.Decode(&one) != nil {
		return nil
	}
	return []string{one}
}

func scalar(text string) (n yaml.Node) {
	n.SetString(text)
	return n
}

func sequence(texts []string) yaml.Node {
	n := yaml.Node{Kind: yaml.SequenceNode}
	for _, text := range texts {
		element := scalar(text)
		n.Content = append(n.Content, &element)
	}
	return n
}
