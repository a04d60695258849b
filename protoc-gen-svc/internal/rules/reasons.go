package rules

import "github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"

// Rules say why the rules of the diagnostics are there, by name.
func Rules() []fault.Rule { return reasons }

var reasons = []fault.Rule{
	{Name: "validate-impossible", Why: "No value can pass the rule, so every request would be refused."},
	{Name: "validate-oneof", Why: "A rule about several fields names fields of its message, each once."},
	{Name: "validate-type", Why: "The rule is for another type than that of its field."},
	{Name: "validate-unsupported", Why: "Validators are generated as Go code. CEL expressions, predefined rules and rules newer than the plugin are refused rather than left out: leaving one out would let through what its author forbade. CEL in a file that does not import `svc/v1/svc.proto`, which nobody wrote for this plugin, is left out, and the comment on top of the generated validators names each."},
	{Name: "validate-value", Why: "The value of the rule cannot be used: not a regular expression of RE2, not a known one, not a duration above zero."},
}
