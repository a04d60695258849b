package model

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// What follows is said in more than one template, so the model says it.

// Target is where generated clients find the service: the headless Kubernetes
// Service, so that the client sees every replica and balances by itself.
func (s *Service) Target() string {
	return fmt.Sprintf("dns:///%s:%d", s.Headless(), s.Ports.GRPC)
}

// Headless is the name of the headless Kubernetes Service.
func (s *Service) Headless() string { return s.Name + headlessSuffix }

// EmbeddedURL is the database of a service that is told no other.
func (s *Service) EmbeddedURL() string { return "sqlite:" + s.Name + ".db" }

// Routed are the methods with an HTTP path.
func (s *Service) Routed() []*Method {
	var out []*Method
	for _, m := range s.Methods {
		if len(m.Routes) > 0 {
			out = append(out, m)
		}
	}
	return out
}

// Unchecked are the rules of the requests that have no validator, in words.
func (s *Service) Unchecked() []string { return s.Rules.Unchecked }

// EmitRules writes the validators of the service.
func (s *Service) EmitRules(f rules.File) { s.Rules.Emit(f) }

// Doc is the doc comment of the method.
func (m *Method) Doc() Comment {
	return doc(m.Comment.Or(m.GoName+" is the RPC "+m.Wire+"."), m.Deprecated, m.GoName)
}

// Doc is the doc comment of the error's sentinel.
func (e *Error) Doc() Comment {
	text := e.GoName + ": " + string(e.Comment)
	if e.Comment == "" {
		text = e.GoName + " is the error " + e.Reason + "."
	}
	return doc(Comment(text), e.Deprecated, e.GoName)
}

// doc adds the paragraph by which Go's tools know what is deprecated.
func doc(c Comment, isDeprecated bool, name string) Comment {
	if isDeprecated && !strings.Contains(string(c), "Deprecated:") {
		c += Comment("\n\nDeprecated: " + name + " is deprecated in its contract.")
	}
	return c
}

// Table is the variable with all errors of the enum.
func (e *ErrorEnum) Table() protogen.GoIdent { return e.Package.Ident(e.GoName + "Table") }

// Handle is the type in client_golang of what a handler gets.
func (t MetricType) Handle() string {
	if t == "Histogram" {
		return "Observer"
	}
	return string(t)
}

// Ports that are open, with their names in Kubernetes.
func (s *Service) OpenPorts() []NamedPort {
	ports := []NamedPort{{"grpc", s.Ports.GRPC}}
	if s.HTTP() {
		ports = append(ports, NamedPort{"http", s.Ports.HTTP})
	}
	return append(ports, NamedPort{"admin", s.Ports.Admin})
}

// NamedPort is a port and its name.
type NamedPort struct {
	Name string
	Port uint32
}

// Autoscaled reports whether the number of replicas may change by itself.
func (s *Service) Autoscaled() bool { return s.Scale.Max > s.Scale.Min }

// Replicated reports whether more than one replica can run.
func (s *Service) Replicated() bool { return s.Scale.Max > 1 }
