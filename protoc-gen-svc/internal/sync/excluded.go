package sync

import (
	"fmt"
	"slices"
	"strings"
)

// read are the options that the plugin generates from.
var read = []string{"buf.validate", "google.api.http", "svc.v1"}

// checkExcluded refuses a template that takes away what the plugin generates from.
// The plugin itself cannot: buf gives it contracts in which options, imports and
// their positions look as if they had never been there.
func (t *template) checkExcluded() error {
	for _, place := range slices.Concat(t.Plugins, t.inputs()) {
		for _, name := range list(place["exclude_types"]) {
			if option, hit := takes(name); hit {
				return fmt.Errorf("exclude_types has %q: without the options of %s nothing is generated from them, neither validators nor settings (remove it where protoc-gen-svc is concerned; under protoc-gen-go it may stay)", name, option)
			}
		}
	}
	return nil
}

func (t *template) inputs() []mapping {
	var out []mapping
	node := t.Rest["inputs"]
	if node.Decode(&out) != nil {
		return nil // buf says what is wrong
	}
	return out
}

// takes reports whether a name is that of an option that is read, or around or in it.
func takes(name string) (option string, hit bool) {
	for _, option := range read {
		if strings.HasPrefix(name+".", option+".") || strings.HasPrefix(option+".", name+".") {
			return option, true
		}
	}
	return "", false
}
