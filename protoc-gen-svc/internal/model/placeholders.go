package model

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// Parameter is a placeholder of an error's message: a parameter of the constructor,
// called Name, or where there are many a Field of its parameters.
type Parameter struct {
	Key, Name, Field string
	// Type is that of the contract, Go the one in Go, which is in Import unless that
	// is empty.
	Type, Go, Import string
}

// placeholderTypes are the types of placeholders, the default first.
var placeholderTypes = []Parameter{
	{Type: "string", Go: "string"},
	{Type: "bool", Go: "bool"},
	{Type: "int64", Go: "int64"},
	{Type: "double", Go: "float64"},
	{Type: "timestamp", Go: "Time", Import: "time"},
	{Type: "duration", Go: "Duration", Import: "time"},
}

// MaxParameters is how many parameters a constructor has at most. More of them are
// fields of a struct, so that nobody takes one for another.
const MaxParameters = 2

var (
	braces      = regexp.MustCompile(`\{[^{}]*\}|[{}]`)
	placeholder = regexp.MustCompile(`^\{([a-z][a-z0-9_]*)(:[^{}]*)?\}$`)
)

// untyped is a message without the types of its placeholders.
func untyped(message string) string {
	return braces.ReplaceAllStringFunc(message, func(p string) string {
		key, _, typed := strings.Cut(p, ":")
		if typed {
			return key + "}"
		}
		return p
	})
}

// Placeholders are those of a message, each once, in order.
func Placeholders(message string) []Parameter {
	return stringByDefault(placeholders(message, func(finding, ...any) {}))
}

func (b *builder) parameters(at Origin, message string) []Parameter {
	return stringByDefault(b.placeholders(at, message))
}

// placeholders have no type where the message does not say one.
func (b *builder) placeholders(at Origin, message string) []Parameter {
	return placeholders(message, func(m finding, args ...any) { b.fault(at, m, args...) })
}

func stringByDefault(parameters []Parameter) []Parameter {
	for i, p := range parameters {
		if p.Type == "" {
			parameters[i] = p.as(placeholderTypes[0])
		}
	}
	return parameters
}

// placeholders reads a message. One that stands there several times has the type
// that any of them says.
func placeholders(message string, refuse func(finding, ...any)) []Parameter {
	var out []Parameter
	taken := map[string]string{} // keys by their names in Go
	for _, p := range braces.FindAllString(message, -1) {
		parts := placeholder.FindStringSubmatch(p)
		if parts == nil {
			refuse(errorPlaceholder, message, p)
			continue
		}
		found := Parameter{Key: parts[1], Name: unexported(parts[1]), Field: camel(parts[1])}
		t, err := placeholderType(parts[2])
		if err != nil {
			refuse(placeholderOfType, message, p, err)
		}
		found = found.as(t)
		if i := slices.IndexFunc(out, func(o Parameter) bool { return o.Key == found.Key }); i >= 0 {
			if !out[i].agrees(found) {
				refuse(placeholderTwice, message, found.Key, out[i].Type, found.Type)
			}
			out[i] = found.as(cmp.Or(out[i].kind(), t))
			continue
		}
		first := cmp.Or(taken[found.Name], taken[found.Field])
		if first != "" {
			refuse(errorOneName, message, first, found.Key)
		}
		taken[found.Name], taken[found.Field] = found.Key, found.Key
		out = append(out, found)
	}
	return out
}

// placeholderType reads what is behind the name of a placeholder. It is empty where
// there is nothing, and for what is wrong.
func placeholderType(written string) (Parameter, error) {
	name, typed := strings.CutPrefix(written, ":")
	names := make([]string, len(placeholderTypes))
	for i, t := range placeholderTypes {
		if names[i] = t.Type; t.Type == name {
			return t, nil
		}
	}
	switch near := fault.Suggest(name, names); {
	case !typed:
		return Parameter{}, nil
	case name == "":
		return Parameter{}, errors.New("no type behind the colon (want for example {count:int64})")
	case near != "":
		return Parameter{}, fmt.Errorf("the unknown type %q (did you mean %q?)", name, near)
	}
	return Parameter{}, fmt.Errorf("the unknown type %q (want %s)", name, strings.Join(names, ", "))
}

// kind is the type of a parameter alone.
func (p Parameter) kind() Parameter { return Parameter{Type: p.Type, Go: p.Go, Import: p.Import} }

// as is the parameter with a type.
func (p Parameter) as(t Parameter) Parameter {
	p.Type, p.Go, p.Import = t.Type, t.Go, t.Import
	return p
}

// agrees reports whether two may be one placeholder: one that says no type is of any.
func (p Parameter) agrees(other Parameter) bool {
	return p.Type == other.Type || p.Type == "" || other.Type == ""
}

// Many reports whether the constructor takes a struct.
func (e *Error) Many() bool { return len(e.Parameters) > MaxParameters }

// Params is the struct of the parameters.
func (e *Error) Params() string { return e.GoName + "Params" }

// As is the func that reads them.
func (e *Error) As() string { return "As" + e.GoName }

// Alike reports whether the next parameter has the type of this one too, which Go
// then says once for both.
func (e *Error) Alike(i int) bool {
	return i+1 < len(e.Parameters) && e.Parameters[i].Type == e.Parameters[i+1].Type
}
