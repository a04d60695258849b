package main_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// TestCallsOpenPorts: the last call to a service, taken out of the contract, takes one
// rule out of the caller's NetworkPolicy and one out of the callee's, and nothing else.
func TestCallsOpenPorts(t *testing.T) {
	c := loadCorpus(t)
	i := slices.IndexFunc(c.cases, func(one *testCase) bool { return one.name == "service_network" })
	one := c.cases[i]
	request := c.request(one.parameter, one.good...)
	for _, f := range own(request) {
		for _, s := range f.GetService() {
			for _, m := range s.GetMethod() {
				if m.GetName() == "Open" {
					proto.GetExtension(m.GetOptions(), svcv1.E_Method).(*svcv1.Method).Calls = nil
				}
			}
		}
	}
	without, err := generate(request)
	if err != nil {
		t.Fatal(err)
	}
	with := c.generateGood(t, one)
	policy := func(name string) string {
		return "deploy/" + name + "/k8s/components/network-policy/networkpolicy.yaml"
	}
	rules := map[string]string{policy("door"): "- to:", policy("safe-vault"): "- from:"}
	for path, text := range with {
		if !strings.HasSuffix(path, "/networkpolicy.yaml") {
			continue
		}
		left, right := strings.Split(text, "\n"), strings.Split(without[path], "\n")
		start := 0
		for start < len(right) && left[start] == right[start] {
			start++
		}
		gone := left[start : start+len(left)-len(right)]
		if !slices.Equal(slices.Concat(left[:start], left[start+len(gone):]), right) {
			t.Errorf("%s: more than one block of lines differs", path)
		}
		starts := 0
		for _, line := range gone {
			if strings.HasPrefix(line, "    - ") {
				starts++
				if strings.TrimSpace(line) != rules[path] {
					t.Errorf("%s: %q is gone", path, line)
				}
			}
		}
		if want := len(rules[path]) > 0; (starts == 1) != want || starts > 1 {
			t.Errorf("%s: %d rules are gone:\n%s", path, starts, strings.Join(gone, "\n"))
		}
	}
}
