package model

import (
	"strconv"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestOneScalar: what is read without a parser is what the parser reads, and the rest is
// left to it.
func TestOneScalar(t *testing.T) {
	for value, want := range map[string]bool{
		"info": true, "10m": true, "1.5": true, "1e+06": true, "least_request": true, "null": true, "0x1F": true,
		`""`: true, `":9090"`: true, `"a\"b\\c"`: true, `"\u2028\x01\t\n"`: true, strconv.Quote("äöü\a\b\v\U0001f600\x7f"): true,
		"": false, "-1": false, "[a, b]": false, `'a'`: false, "a b": false, "a: b": false, "a #b": false, "~": false, `"a\/b"`: false,
	} {
		got, ok := oneScalar(value)
		if ok != want {
			t.Errorf("%s: read is %v, want %v", value, ok, want)
		}
		if !ok {
			continue
		}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(value), &doc); err != nil {
			t.Fatal(err)
		}
		if node := doc.Content[0]; node.Kind != yaml.ScalarNode || node.Value != got {
			t.Errorf("%s is read as %q, want %q", value, got, node.Value)
		}
	}
}
