package typecheck

import (
	"fmt"
	"reflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"
)

// member is the type of a field or of a method's first result, as text/template
// finds them. It is nil where only the value will tell.
func member(t reflect.Type, name string) (reflect.Type, bool) {
	if t.Kind() == reflect.Interface {
		m, ok := t.MethodByName(name)
		if !ok {
			return nil, true // a value may have more than its interface
		}
		return known(m.Type.Out(0)), true
	}
	if m, ok := reflect.PointerTo(indirect(t)).MethodByName(name); ok && m.Type.NumOut() > 0 {
		return known(m.Type.Out(0)), true
	}
	switch t = indirect(t); t.Kind() {
	case reflect.Struct:
		if f, ok := t.FieldByName(name); ok && f.IsExported() {
			return known(f.Type), true
		}
	case reflect.Map:
		return known(t.Elem()), true
	}
	return nil, false
}

// known is nil for types that say too little about their values.
func known(t reflect.Type) reflect.Type {
	if t == nil || t == reflect.TypeFor[any]() || t == reflect.TypeFor[reflect.Value]() {
		return nil
	}
	return t
}

func indirect(t reflect.Type) reflect.Type {
	if t != nil && t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// Missing says that a type has no field or method of a name, and which is the
// nearest that it has.
func Missing(t reflect.Type, name string) string {
	typeName := indirect(t).Name()
	if typeName == "" {
		typeName = indirect(t).String()
	}
	return fmt.Sprintf("%s has no field or method %q%s", typeName, name, fault.DidYouMean(name, members(t)))
}

// members are the names of all fields and methods that templates can use.
func members(t reflect.Type) []string {
	var names []string
	t = indirect(t)
	if t.Kind() == reflect.Struct {
		for _, f := range reflect.VisibleFields(t) {
			if f.IsExported() {
				names = append(names, f.Name)
			}
		}
	}
	for i := range reflect.PointerTo(t).NumMethod() {
		names = append(names, reflect.PointerTo(t).Method(i).Name)
	}
	return names
}

// reachable are the types that can be met on the way from some others, by the
// names that text/template has for them.
func reachable(roots []reflect.Type) map[string]reflect.Type {
	found := map[string]reflect.Type{}
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		if t == nil || found[t.String()] != nil {
			return
		}
		found[t.String()] = t
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			visit(t.Elem())
		}
		for _, name := range members(t) {
			next, _ := member(t, name)
			visit(next)
		}
	}
	for _, t := range roots {
		visit(t)
	}
	return found
}
