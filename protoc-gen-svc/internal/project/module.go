package project

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The rules of the go command for paths of modules that others can require
// (golang.org/ref/mod, "Module paths and versions"), one row for each.
var moduleRules = []struct {
	broken func(path string) bool
	rule   string
}{
	{regexp.MustCompile(`[^-._~/A-Za-z0-9]`).MatchString, "may have letters and digits of ASCII, \"-\", \".\", \"_\", \"~\" and \"/\""},
	{regexp.MustCompile(`^/|//|/$`).MatchString, "may neither begin nor end with a slash, nor have two in a row"},
	{regexp.MustCompile(`(^|/)\.|\.(/|$)`).MatchString, "may have no element that begins or ends with a dot"},
	{regexp.MustCompile(`^[^/]*[^-.a-z0-9/]|^-`).MatchString, "must begin with a domain in lower case"},
	{regexp.MustCompile(`^[^./]*(/|$)`).MatchString, "must begin with a domain, which has a dot"},
	{regexp.MustCompile(`/v(0[0-9]*|1|[0-9]+\.[0-9.]*)$`).MatchString, "may end with a major version from v2 on only, such as \"/v2\""},
	{regexp.MustCompile(`(^|/)[^./]*~[0-9]+([./]|$)`).MatchString, "may have no element that ends, up to its first dot, with \"~\" and digits"},
	{regexp.MustCompile(`(?i)(^|/)(con|prn|aux|nul|com[1-9]|lpt[1-9])(\.[^/]*)?(/|$)`).MatchString, "may have no element that Windows reserves"},
}

// checkModule finds every rule that a path breaks.
func checkModule(path string) error {
	if path == self || strings.HasPrefix(path, self+"/") {
		return fmt.Errorf("module path %q belongs to this program (want one of your own, for example %q)", path, exampleModule)
	}
	var faults []error
	for _, r := range moduleRules {
		if r.broken(path) {
			faults = append(faults, fmt.Errorf("module path %q %s (want for example %q)", path, r.rule, exampleModule))
		}
	}
	return errors.Join(faults...)
}

const exampleModule = "example.com/shop"
