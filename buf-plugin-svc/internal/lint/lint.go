// Package lint holds the rules about contracts that compile and run, and still
// will be regretted. What buf checks by rules of its own is not here.
package lint

import (
	"context"

	"buf.build/go/bufplugin/check"
	"buf.build/go/bufplugin/check/checkutil"
	"buf.build/go/bufplugin/info"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// category is what turns all rules on: buf.yaml has it below lint.use.
const category = "SVC"

// rule is a row of the table that the plugin registers and that docs/lint.md is
// made of.
type rule struct {
	// id is its name in buf.yaml.
	id string

	// purpose is one sentence, as "buf config ls-lint-rules" prints it.
	purpose string

	// why says in Markdown what goes wrong without the rule, where it looks and
	// when to turn it off.
	why string

	// bad breaks this rule and no other, good breaks none. Both are what follows
	// the package and the imports of a proto3 file.
	bad, good string

	// with are options under which the examples are that.
	with map[string]any

	handler check.RuleHandler
}

// Spec is the plugin: its rules, all of them on in the category SVC and by
// default, and the reading of its options.
func Spec() *check.Spec {
	spec := &check.Spec{
		Categories: []*check.CategorySpec{{ID: category, Purpose: "Checks what contracts of services need to stay usable for years."}},
		Info:       &info.Spec{Documentation: documentation},
		Before:     readOptions,
	}
	for _, r := range rules() {
		spec.Rules = append(spec.Rules, &check.RuleSpec{
			ID: r.id, CategoryIDs: []string{category}, Default: true, Purpose: r.purpose, Type: check.RuleTypeLint, Handler: r.handler,
		})
	}
	return spec
}

// iterator is a constructor of checkutil: it calls a function for every
// descriptor of one kind.
type iterator[D protoreflect.Descriptor] = func(func(context.Context, check.ResponseWriter, check.Request, D) error, ...checkutil.IteratorOption) check.RuleHandler

// over makes a handler of a function that says what is wrong with one
// descriptor, or "". Imported files are somebody else's to lint.
func over[D protoreflect.Descriptor](each iterator[D], find func(settings, D) string) check.RuleHandler {
	return each(func(ctx context.Context, w check.ResponseWriter, _ check.Request, d D) error {
		if message := find(settingsOf(ctx), d); message != "" {
			w.AddAnnotation(check.WithDescriptor(d), check.WithMessage(message))
		}
		return nil
	}, checkutil.WithoutImports())
}
