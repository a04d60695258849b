package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/protosvc/protosvc/internal/reload"
)

func TestBound(t *testing.T) {
	type inner struct {
		Budget time.Duration `yaml:"budget"`
		Names  []string      `yaml:"names"`
	}
	type settings struct {
		Secret  string            `yaml:"secret" secret:"true"`
		Stop    inner             `yaml:"stop"`
		Targets map[string]string `yaml:"targets"`
		Limits  map[string]inner  `yaml:"limits" reload:"hot"`
		Level   string            `yaml:"level" reload:"hot"`
		Hidden  int
	}
	changed := func(change func(*settings)) *settings {
		s := &settings{"x", inner{time.Second, []string{"a", "b"}}, map[string]string{"user": "u", "order": "o"}, map[string]inner{"all": {}}, "info", 1}
		change(s)
		return s
	}
	for _, test := range []struct {
		name   string
		change func(*settings)
		want   []string
	}{
		{"nothing", func(*settings) {}, nil},
		{"a field without a key", func(s *settings) { s.Hidden = 2 }, nil},
		{"a secret", func(s *settings) { s.Secret = "y" }, []string{"secret"}},
		{"a value inside", func(s *settings) { s.Stop.Budget = time.Minute }, []string{"stop.budget"}},
		{"an element", func(s *settings) { s.Stop.Names[1] = "c" }, []string{"stop.names"}},
		{"one element fewer", func(s *settings) { s.Stop.Names = s.Stop.Names[:1] }, []string{"stop.names"}},
		{"one key of a map", func(s *settings) { s.Targets["user"] = "v" }, []string{"targets.user"}},
		{"a key that is not there", func(s *settings) { delete(s.Targets, "order") }, []string{"targets.order"}},
		{"what may change", func(s *settings) { s.Level = "debug" }, nil},
		{"what is inside of it", func(s *settings) { s.Limits["all"] = inner{Budget: 1} }, nil},
		{"two", func(s *settings) { s.Secret, s.Stop.Budget = "", 0 }, []string{"secret", "stop.budget"}},
	} {
		if got := Bound(changed(func(*settings) {}), changed(test.change)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// Each state of the files has a hash of its own, and comes back to it.
func TestHash(t *testing.T) {
	base := filepath.Join(t.TempDir(), "config.yaml")
	over := filepath.Join(filepath.Dir(base), "config.prod.yaml")
	src := Source{Path: base, Env: "prod"}
	seen := map[reload.Hash]string{}
	for _, state := range []struct{ name, base, over string }{
		{"neither", "", ""},
		{"one", "a: 1\n", ""},
		{"both", "a: 1\n", "b: 2\n"},
		{"the other's text", "a: 1\nb: 2\n", ""},
		{"exchanged", "b: 2\n", "a: 1\n"},
	} {
		for path, text := range map[string]string{base: state.base, over: state.over} {
			_ = os.Remove(path)
			if text == "" {
				continue
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h := src.Hash()
		if other, taken := seen[h]; taken {
			t.Errorf("%s has the hash of %s", state.name, other)
		}
		if seen[h] = state.name; src.Hash() != h {
			t.Errorf("%s: another hash at the second look", state.name)
		}
	}
}
