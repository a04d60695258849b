package model

import (
	"strings"
)

// Case is a declared error as a method of the interface by which callers handle
// all errors of an RPC.
type Case struct {
	Name  string
	Error *Error
}

// Cases are the declared errors of the method. Errors of two packages may be
// called the same; the later one then has its package in front.
func (m *Method) Cases() []Case {
	var out []Case
	taken := map[string]bool{}
	for _, e := range m.Errors {
		name := e.GoName
		for taken[name] {
			name = camel(strings.ReplaceAll(string(e.Enum.proto.Desc.ParentFile().Package()), ".", "_")) + name
		}
		taken[name] = true
		out = append(out, Case{name, e})
	}
	return out
}

// Failing are the methods with several errors, which callers have to tell apart.
func (s *Service) Failing() []*Method {
	var out []*Method
	for _, m := range s.Methods {
		if len(m.Errors) > 1 {
			out = append(out, m)
		}
	}
	return out
}

// Fails reports whether a method of the service has several errors.
func (s *Service) Fails() bool { return len(s.Failing()) > 0 }

// caseClaims are the identifiers and the file of the cases.
func (s *Service) caseClaims() []string {
	var names []string
	for _, m := range s.Failing() {
		names = append(names, s.GoName+m.GoName+"Errors", "Match"+s.GoName+m.GoName)
	}
	if len(names) > 0 {
		names = append(names, s.Snake+"_cases.go")
	}
	return names
}

// Doc is the doc comment of the case.
func (c Case) Doc() Comment {
	return Comment(c.Name + ": " + string(c.Error.Comment.Or(c.Error.Reason+".")))
}
