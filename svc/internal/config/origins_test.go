package config_test

import (
	"errors"
	"testing"

	"github.com/protosvc/protosvc/svc/internal/config"
)

// What is wrong with a value is told at the place that it is from, in the highest layer; of
// a value that no layer has, at the mapping around it.
func TestOrigins(t *testing.T) {
	in(t, map[string]string{
		"config.yaml":      "a: 1\nsection:\n  deep: {b: 2}\n  list: [x, y]\n",
		"config.prod.yaml": "section: {deep: {b: 3}}\n",
	})
	type deep struct {
		B int `yaml:"b"`
		C int `yaml:"c"`
	}
	type section struct {
		Deep deep     `yaml:"deep"`
		List []string `yaml:"list"`
	}
	type settings struct {
		A       int     `yaml:"a"`
		E       int     `yaml:"e"`
		None    int     `yaml:"none"`
		Section section `yaml:"section"`
	}
	origins := config.Origins{}
	err := config.Load(config.Source{Path: "config.yaml", Env: "prod", Prefix: "X", Environ: []string{"X_E=5"}, Origins: origins}, new(settings), nil)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	for key, want := range map[string]string{
		"a":               "config.yaml:1:4: broken",
		"e":               "environment variable X_E: broken",
		"none":            "broken",
		"section.deep.b":  "config.prod.yaml:1:21: broken",
		"section.deep.c":  "config.prod.yaml:1:11: broken",
		"section.list[1]": "config.yaml:4:13: broken",
		"section.list[7]": "config.yaml:4:9: broken",
	} {
		if got := origins.Locate(config.Wrong(key, broken)); got.Error() != want || !errors.Is(got, broken) {
			t.Errorf("%s: %v, want %s", key, got, want)
		}
	}
	both := origins.Locate(errors.Join(broken, errors.Join(config.Wrong("a", broken), nil)))
	if want := "broken\nconfig.yaml:1:4: broken"; both.Error() != want {
		t.Errorf("several: %v", both)
	}
	if err := origins.Locate(nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
}
