package rules

import (
	"strconv"
	"strings"
	"unicode"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
)

// printer writes the functions of a set.
type printer struct {
	File
	locals locals
}

// line writes a line. It gives locals, patterns and packages their names.
func (p *printer) line(parts ...any) {
	line := join(parts...)
	for i, part := range line {
		switch x := part.(type) {
		case local:
			line[i] = p.locals[x]
		case *pattern:
			line[i] = x.name
		case protogen.GoIdent:
			line[i] = p.QualifiedGoIdent(imports.Named(x))
		}
	}
	p.P(line...)
}

func (p *printer) nodes(nodes []node) {
	for _, n := range nodes {
		n.emit(p)
	}
}

// patterns writes a variable for each regular expression, which is compiled when
// the program starts.
func (p *printer) patterns(patterns []*pattern) {
	if len(patterns) == 0 {
		return
	}
	p.line("// Regular expressions of the rules.")
	p.line("var (")
	for _, each := range patterns {
		p.line(each, " = ", call(regexpPackage, "MustCompile", quotePattern(each.text)))
	}
	p.line(")")
	p.line()
}

// quotePattern avoids doubled backslashes where it can, and where a reader sees
// all of the pattern.
func quotePattern(s string) string {
	hidden := strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	if strconv.CanBackquote(s) && !hidden {
		return "`" + s + "`"
	}
	return quote(s)
}

// message writes the functions of a message. A message that is only received
// has one, which validates it; a message that lies in others has one that
// checks it as part of them.
func (p *printer) message(m *message) {
	if m.root {
		p.validator(m)
	}
	if m.called {
		p.checker(m)
	}
}

func (p *printer) validator(m *message) {
	p.line("// ", m.validator(), " returns what is wrong with the received ", m.Desc.FullName(), ", or nil.")
	p.line("func ", m.validator(), "(", localMessage, " *", m.GoIdent, ") error {")
	if m.called {
		p.line(localViolations, " := new(", validatePackage.Ident("Violations"), ")")
		p.line(m.checker(), "(", localMessage, ", ", validatePackage.Ident("Path"), "{}, ", localViolations, ")")
	} else {
		p.line(localPath, ", ", localViolations, " := ", validatePackage.Ident("Path"), "{}, new(", validatePackage.Ident("Violations"), ")")
		p.nodes(m.body)
	}
	p.line("return ", localViolations, ".Err()")
	p.line("}")
	p.line()
}

func (p *printer) checker(m *message) {
	p.line("// ", m.checker(), " checks every ", m.Desc.FullName(), " inside a message.")
	p.line("func ", m.checker(), "(", localMessage, " *", m.GoIdent, ", ", localPath, " ", validatePackage.Ident("Path"), ", ",
		localViolations, " *", validatePackage.Ident("Violations"), ") {")
	p.nodes(m.body)
	p.line("}")
	p.line()
}
