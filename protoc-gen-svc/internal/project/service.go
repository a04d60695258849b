package project

import (
	"errors"
	"fmt"
	"go/token"
	"regexp"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/gocmd"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
)

// project is what the templates of a whole project print.
type project struct {
	Module string
	Source source
	// Protos is the folder of the contracts.
	Protos string
	// Services are none in a module that was there before.
	Services []service
}

// Tools are what buf runs, by way of the go command.
func (project) Tools() []string {
	return []string{
		self + "/buf-plugin-svc",
		self + "/protoc-gen-svc",
		"google.golang.org/grpc/cmd/protoc-gen-go-grpc",
		"google.golang.org/protobuf/cmd/protoc-gen-go",
	}
}

// service is what the templates of one service print. Its methods are the forms
// in which its name is written.
type service struct {
	Module string
	Name   string // "line-item"
	// Calls is the service that has to know what this one's requests name; nil for none.
	Calls *service
	// Activated says that it has an RPC by which others mark it as active. Those that
	// call it defer a call of that.
	Activated bool
}

// Defers says that the service has an outbox.
func (s service) Defers() bool { return s.Calls != nil && s.Calls.Activated }

// Package is the Go package of the handler, "lineitem", and so its folder.
func (s service) Package() string { return strings.ReplaceAll(s.Name, "-", "") }

// Snake is "line_item".
func (s service) Snake() string { return strings.ReplaceAll(s.Name, "-", "_") }

// Upper is "LINE_ITEM".
func (s service) Upper() string { return strings.ToUpper(s.Snake()) }

// Words is "line item".
func (s service) Words() string { return strings.ReplaceAll(s.Name, "-", " ") }

// WithArticle is "a line item".
func (s service) WithArticle() string {
	if vowel.MatchString(s.Name) {
		return "an " + s.Words()
	}
	return "a " + s.Words()
}

// vowel is the sound, not the letter: an update, but a user and a unit.
var vowel = regexp.MustCompile(`^([aeio]|un[^i]|u[^snu])`)

// Camel is "LineItem".
func (s service) Camel() string {
	var b strings.Builder
	for word := range strings.SplitSeq(s.Name, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// Lower is "lineItem".
func (s service) Lower() string { return strings.ToLower(s.Name[:1]) + s.Camel()[1:] }

// Variable is "lineItems", which holds some of them and no Go name has.
func (s service) Variable() string {
	return service{Name: s.Plural()}.Lower()
}

// Plural is "line-items", of the last word.
func (s service) Plural() string {
	i := strings.LastIndexByte(s.Name, '-') + 1
	first, last := s.Name[:i], s.Name[i:]
	switch {
	case plurals[last] != "":
		return first + plurals[last]
	case sibilant.MatchString(last):
		return s.Name + "es"
	case consonantY.MatchString(last):
		return strings.TrimSuffix(s.Name, "y") + "ies"
	}
	return s.Name + "s"
}

// plurals are those that no rule makes, of words that services are named after. What
// cannot be counted has its own name.
var plurals = map[string]string{
	"analysis": "analyses", "basis": "bases", "child": "children", "crisis": "crises", "criterion": "criteria", "datum": "data",
	"half": "halves", "index": "indices", "knife": "knives", "leaf": "leaves", "life": "lives", "man": "men", "matrix": "matrices",
	"medium": "media", "mouse": "mice", "person": "people", "quiz": "quizzes", "shelf": "shelves", "thesis": "theses",
	"vertex": "vertices", "woman": "women",

	"advice": "advice", "analytics": "analytics", "content": "content", "data": "data", "details": "details", "equipment": "equipment",
	"evidence": "evidence", "feedback": "feedback", "hardware": "hardware", "info": "info", "information": "information", "inventory": "inventory",
	"knowledge": "knowledge", "logistics": "logistics", "luggage": "luggage", "mail": "mail", "media": "media", "merchandise": "merchandise",
	"metadata": "metadata", "money": "money", "music": "music", "news": "news", "payroll": "payroll", "people": "people", "research": "research",
	"series": "series", "software": "software", "species": "species", "staff": "staff", "stock": "stock", "traffic": "traffic", "weather": "weather",
}

var (
	sibilant   = regexp.MustCompile(`(s|x|z|ch|sh)$`)
	consonantY = regexp.MustCompile(`[^aeiou]y$`)
)

// Table is "line_items".
func (s service) Table() string { return strings.ReplaceAll(s.Plural(), "-", "_") }

// SomeWords is "line items".
func (s service) SomeWords() string { return strings.ReplaceAll(s.Plural(), "-", " ") }

// Title is "Line items".
func (s service) Title() string {
	words := s.SomeWords()
	return strings.ToUpper(words[:1]) + words[1:]
}

const maxServiceName = 54 // as (svc.v1.service).name

// Generators disagree on where a word begins after a single letter, and on the
// case of a letter after a digit.
var serviceName = regexp.MustCompile(`^[a-z]{2,}[0-9]*(-[a-z]{2,}[0-9]*)*$`)

// takenNames are names that something else in a project has.
var takenNames = map[string]string{
	"buf":       "a package of protos that contracts import",
	"google":    "a package of protos that contracts import",
	"svc":       "a package of protos that contracts import",
	"demo":      "the program that shows the services",
	"deploy":    "the folder of what is deployed",
	"main":      "a package that Go treats in its own way",
	"request":   "half of request_id, which is a field already",
	"exist":     "a word of SQL in its plural",
	"reference": "a word of SQL in its plural",
	"value":     "a word of SQL in its plural",

	"descriptor":    "a method of Go messages",
	"marshal":       "a method of Go messages",
	"proto-message": "a method of Go messages",
	"reset":         "a method of Go messages",
	"string":        "a method of Go messages",
	"unmarshal":     "a method of Go messages",
}

// newServices finds everything that is wrong with the names. The first service is
// called by all others, before their transactions and after them.
func newServices(module string, names []string) ([]service, error) {
	var services []service
	var faults []error
	seen := map[string]string{} // package: the name that has it
	for _, name := range names {
		s := service{Module: module, Name: name, Activated: len(services) == 0 && len(names) > 1}
		if err := checkName(s); err != nil {
			faults = append(faults, err)
			continue
		}
		if other, twice := seen[s.Package()]; twice {
			faults = append(faults, fmt.Errorf("service names %q and %q are the same Go package (want each one once)", other, name))
		}
		seen[s.Package()] = name
		if len(services) > 0 {
			s.Calls = &services[0]
		}
		services = append(services, s)
	}
	return services, errors.Join(faults...)
}

func checkName(s service) error {
	if !serviceName.MatchString(s.Name) || len(s.Name) > maxServiceName {
		return fmt.Errorf("service name %q is not words of two or more lower-case letters, joined by \"-\", %d characters at most (want for example %q)", s.Name, maxServiceName, "line-item")
	}
	reason := takenNames[s.Name]
	switch {
	case token.IsKeyword(s.Package()):
		reason = "a keyword of Go"
	case !gocmd.Ordinary(s.Package()):
		reason = "a folder that Go treats in its own way"
	case imports.IsVersion(s.Name):
		reason = "a version of a package"
	case !gocmd.AlwaysBuilt(s.Snake() + ".pb.go"):
		reason = "the end of a file that Go builds on one platform only"
	}
	if reason != "" {
		return fmt.Errorf("service name %q cannot be used: it is %s (want for example %q)", s.Name, reason, "line-item")
	}
	return nil
}
