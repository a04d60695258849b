package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/release"
)

// Record is what the file [emit.Record] says about the plugin that wrote a system.
type Record struct {
	Version  string   `yaml:"version" json:"version"`
	Options  Settings `yaml:"options" json:"options"`
	Overlays []string `yaml:"overlays" json:"overlays"`
}

// Settings are the options that outputs depend on.
type Settings struct {
	Root     string `yaml:"root" json:"root"`
	Handlers string `yaml:"handlers" json:"handlers"`
	System   bool   `yaml:"system" json:"system"`
	Registry string `yaml:"registry" json:"registry,omitempty"`
	Tag      string `yaml:"tag" json:"tag,omitempty"`
	OpenAPI  bool   `yaml:"openapi" json:"openapi,omitempty"`
}

func readRecord(text string) (*Record, error) {
	r := new(Record)
	if err := yaml.Unmarshal([]byte(text), r); err != nil {
		return nil, fmt.Errorf("%s: %w", emit.Record, err)
	}
	if r.Version == "" {
		return nil, fmt.Errorf("%s: version is missing (remove the file if it is not ours: nothing is recorded then)", emit.Record)
	}
	return r, nil
}

// headline says which versions are compared.
func (r Report) headline() string {
	const program = "protoc-gen-svc "
	switch {
	case r.Recorded == nil:
		return program + release.Version + "; which version wrote the files is not recorded"
	case release.Compare(r.Recorded.Version, release.Version) == 0:
		return program + release.Version + ", which wrote the files"
	case release.Compare(r.Recorded.Version, release.Version) > 0:
		return program + r.Recorded.Version + " to " + release.Version + ", which is older"
	}
	return program + r.Recorded.Version + " to " + release.Version
}

// settings says which options and overlays are not those that are recorded, one
// line for each.
func (r Report) settings() []string {
	if r.Recorded == nil || r.Current == nil {
		return nil
	}
	var lines []string
	old, now := r.Recorded, r.Current
	for _, s := range []struct{ name, old, now string }{
		{"root=", old.Options.Root, now.Options.Root},
		{"handlers=", old.Options.Handlers, now.Options.Handlers},
		{"registry=", old.Options.Registry, now.Options.Registry},
		{"tag=", old.Options.Tag, now.Options.Tag},
		{"openapi=", onOff(old.Options.OpenAPI), onOff(now.Options.OpenAPI)},
		{"overlays:", overlays(old), overlays(now)},
	} {
		if s.old != s.now {
			lines = append(lines, fmt.Sprintf("%s %s to %s", s.name, named(s.old), named(s.now)))
		}
	}
	if len(old.Overlays) > 0 && len(now.Overlays) == 0 {
		lines = append(lines, "A plugin with templates of its own wrote the files: the upgrade command of that plugin compares with what it would write.")
	}
	return lines
}

func overlays(r *Record) string { return strings.Join(slices.Sorted(slices.Values(r.Overlays)), ", ") }

// onOff is an option that is a switch, off by default.
func onOff(on bool) string {
	if on {
		return "true"
	}
	return ""
}

func named(value string) string {
	if value == "" {
		return "none"
	}
	return value
}
