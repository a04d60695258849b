package httprule

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is why a text is no template.
type Error struct {
	// Offset is the byte of the text that is wrong; the length of the text where
	// something is missing at its end.
	Offset int
	Text   string
}

func (e *Error) Error() string { return fmt.Sprintf("at offset %d: %s", e.Offset, e.Text) }

// Parse reads a template. Its error is an [*Error].
//
//	Template  = "/" Segments [ ":" LITERAL ] ;
//	Segments  = Segment { "/" Segment } ;
//	Segment   = "*" | "**" | LITERAL | Variable ;
//	Variable  = "{" FieldPath [ "=" Segments ] "}" ;
//	FieldPath = IDENT { "." IDENT } ;
//
// Beyond that grammar it reads "/", the root. A colon begins the verb when it is
// the last one in the last segment and outside braces; others belong to literals.
func Parse(text string) (Template, error) {
	p := &parser{text: text, end: verbAt(text)}
	p.template()
	if p.err != nil {
		return Template{}, p.err
	}
	return p.out, nil
}

// verbAt is the index of the colon of the verb, or the length of the text.
func verbAt(text string) int {
	last := strings.LastIndexAny(text, "/}") + 1
	if colon := strings.LastIndexByte(text[last:], ':'); colon >= 0 {
		return last + colon
	}
	return len(text)
}

// parser reads from at to end, where the verb begins, and stops at the first error.
type parser struct {
	text    string
	at, end int
	out     Template
	multi   int // the end of a ** that was read, else 0
	err     *Error
}

func (p *parser) fail(offset int, format string, args ...any) {
	if p.err == nil {
		p.err = &Error{offset, fmt.Sprintf(format, args...)}
	}
}

// next is the byte to read; 0 at the end.
func (p *parser) next() byte {
	if p.at < p.end {
		return p.text[p.at]
	}
	return 0
}

// char is the character to read, for errors.
func (p *parser) char() rune {
	r, _ := utf8.DecodeRuneInString(p.text[p.at:])
	return r
}

// take reads a byte if it is the next.
func (p *parser) take(c byte) bool {
	if p.at == p.end || p.text[p.at] != c {
		return false
	}
	p.at++
	return true
}

func (p *parser) template() {
	switch {
	case !strings.HasPrefix(p.text, "/"):
		p.fail(0, `a path begins with "/"`)
		return
	case p.text == "/":
		return
	}
	p.at = 1
	p.segments(true /* variables may stand here */)
	if p.err == nil && p.at < p.end {
		p.fail(p.at, `%q is out of place (want "/", or ":" and a verb at the end)`, p.char())
	}
	if p.err == nil && p.end < len(p.text) {
		p.verb()
	}
}

func (p *parser) verb() {
	p.at, p.end = p.end+1, len(p.text)
	if p.at == p.end {
		p.fail(p.at, `the verb after ":" is empty`)
		return
	}
	p.out.Verb = p.literal()
}

func (p *parser) segments(variables bool) {
	for {
		if p.multi > 0 {
			p.fail(p.at, `a segment follows "**", which takes the rest of the path`)
		}
		p.segment(variables)
		if p.err != nil || !p.take('/') {
			return
		}
	}
}

func (p *parser) segment(variables bool) {
	switch c := p.next(); {
	case c == 0 && p.at == p.end, c == '/', c == '}':
		p.fail(p.at, "a segment is empty")
	case c == '{' && variables:
		p.variable()
	case c == '{':
		p.fail(p.at, "a variable stands inside another one")
	case c == '*':
		p.wildcard()
	default:
		p.add(Segment{Literal: p.literal()})
	}
}

func (p *parser) add(s Segment) { p.out.Segments = append(p.out.Segments, s) }

func (p *parser) wildcard() {
	p.at++
	kind := Single
	if p.take('*') {
		kind, p.multi = Multi, p.at
	}
	p.add(Segment{Kind: kind})
	if c := p.next(); c != 0 && c != '/' && c != '}' {
		p.fail(p.at, `%q follows a wildcard, which is a segment of its own`, p.char())
	}
}

func (p *parser) variable() {
	p.at++ // the brace
	field, first := p.at, len(p.out.Segments)
	v := Variable{Field: p.fieldPath(), First: first}
	if p.err != nil {
		return
	}
	if p.take('=') {
		p.segments(false)
	} else {
		p.add(Segment{Kind: Single})
	}
	if !p.take('}') {
		p.fail(p.at, `the variable %q is not closed (want "}")`, v.Field)
	}
	v.Count = len(p.out.Segments) - first
	p.bind(v, field)
	if c := p.next(); c != 0 && c != '/' {
		p.fail(p.at, `%q follows a variable, which is a segment of its own`, p.char())
	}
}

// bind refuses what would set a field twice, be it with the message around it.
func (p *parser) bind(v Variable, offset int) {
	for _, other := range p.out.Variables {
		switch {
		case other.Field == v.Field:
			p.fail(offset, "the variable %q is bound twice", v.Field)
		case strings.HasPrefix(other.Field, v.Field+"."), strings.HasPrefix(v.Field, other.Field+"."):
			p.fail(offset, "the variables %q and %q set one field", other.Field, v.Field)
		}
	}
	p.out.Variables = append(p.out.Variables, v)
}

func (p *parser) fieldPath() string {
	begin := p.at
	for {
		name := p.at
		for p.at < p.end && identifier(p.text[p.at], p.at > name) {
			p.at++
		}
		if p.at == name {
			p.fail(p.at, "the name of a field is missing")
			return ""
		}
		if !p.take('.') {
			return p.text[begin:p.at]
		}
	}
}

func identifier(c byte, inside bool) bool {
	return letter(c) || c == '_' || inside && digit(c)
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func digit(c byte) bool { return '0' <= c && c <= '9' }

// plain reports whether a byte stands for itself in a literal: pchar of RFC 3986
// without "*", which would look like a wildcard.
func plain(c byte) bool {
	return letter(c) || digit(c) || strings.IndexByte("-._~!$&'()+,;=:@", c) >= 0
}

func (p *parser) literal() string {
	begin := p.at
	for p.at < p.end && strings.IndexByte("/{}", p.text[p.at]) < 0 {
		switch c := p.text[p.at]; {
		case plain(c):
			p.at++
		case c == '%' && escaped(p.text[p.at:p.end]):
			p.at += 3
		case c == '%':
			p.fail(p.at, `"%%" is not followed by two hexadecimal digits`)
			return ""
		case c == '*':
			p.fail(p.at, `"*" is a segment of its own (write %%2A for the character)`)
			return ""
		default:
			p.fail(p.at, "a character does not belong in a path (write %s)", encoded(p.text[p.at:]))
			return ""
		}
	}
	if p.next() == '{' {
		p.fail(p.at, "a variable is a segment of its own")
	}
	return string(appendDecoded(nil, p.text[begin:p.at]))
}

// encoded is the first character of a text, percent-encoded.
func encoded(text string) string {
	_, size := utf8.DecodeRuneInString(text)
	var out strings.Builder
	for i := range size {
		fmt.Fprintf(&out, "%%%02X", text[i])
	}
	return out.String()
}
