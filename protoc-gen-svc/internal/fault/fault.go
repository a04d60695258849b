// Package fault collects the mistakes of a contract, each with its position.
//
// A run of the plugin shows every mistake it can find, so whatever checks a
// contract adds to a [List] and goes on. Nothing here fails or stops.
package fault

import (
	"cmp"
	"errors"
	"fmt"
	pathpkg "path"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Fault is one mistake in a contract.
type Fault struct {
	// Path is the proto file, as the compiler names it: "order/v1/order.proto".
	Path string

	// Line and Column are 1-based. Zero means unknown.
	Line, Column int

	// Subject is what the mistake is about, without the proto package:
	// "OrderService.CreateOrder". Empty for a file.
	Subject string

	// Rule names what the contract breaks: "deadline-budget".
	Rule string

	// Text is lower case and has no full stop. It quotes the value, says what is
	// wrong and, where it can, the fix.
	Text string

	// Tree is what the text is about, over several lines, or empty.
	Tree string
}

// String returns "path:line:column: Subject: rule: text", without what is
// unknown, and the tree below it, indented.
func (f Fault) String() string {
	var out strings.Builder
	out.WriteString(printable(f.Path))
	for _, n := range []int{f.Line, f.Column} {
		if n == 0 {
			break
		}
		out.WriteByte(':')
		out.WriteString(strconv.Itoa(n))
	}
	for _, part := range []string{f.Subject, f.Rule, f.Text} {
		if part == "" {
			continue
		}
		if out.Len() > 0 {
			out.WriteString(": ")
		}
		out.WriteString(printable(part))
	}
	for line := range strings.Lines(f.Tree) {
		out.WriteString("\n  ")
		out.WriteString(printable(strings.TrimSuffix(line, "\n")))
	}
	return out.String()
}

// printable keeps text on its line: what cannot be printed is written as in Go.
func printable(text string) string {
	var out strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			out.WriteRune(r)
		} else {
			out.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return out.String()
}

// compare orders faults as a reader meets them in the files.
func compare(a, b Fault) int {
	return cmp.Or(
		cmp.Compare(a.Path, b.Path),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Column, b.Column),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Text, b.Text),
		cmp.Compare(a.Subject, b.Subject),
	)
}

// List is the mistakes found so far. Its zero value is empty and ready.
type List struct {
	faults []Fault
}

// Add records a mistake at a position, which [At] finds. The prefix stands before
// the message, whose verbs the arguments fill.
func (l *List) Add(at Position, m Message, prefix string, args ...any) {
	l.faults = append(l.faults, Fault{
		Path:    at.Path,
		Line:    at.Line,
		Column:  at.Column,
		Subject: at.Subject,
		Rule:    m.Rule,
		Text:    prefix + fmt.Sprintf(m.Format, args...),
	})
}

// Explain puts a tree below the mistake that was added last.
func (l *List) Explain(tree string) { l.faults[len(l.faults)-1].Tree = tree }

// Under puts a folder before the path of every mistake.
func (l *List) Under(dir string) {
	for i := range l.faults {
		l.faults[i].Path = pathpkg.Join(dir, l.faults[i].Path)
	}
}

// Merge adds what another list has.
func (l *List) Merge(other List) {
	l.faults = append(l.faults, other.faults...)
}

// Faults returns the mistakes in the order of the files, each once.
func (l *List) Faults() []Fault {
	sorted := slices.SortedFunc(slices.Values(l.faults), compare)
	return slices.Compact(sorted)
}

// Empty reports whether there is no mistake.
func (l *List) Empty() bool { return len(l.faults) == 0 }

// String returns a headline and a line for each mistake; nothing when there is
// none. The headline matters: buf and protoc put the plugin's name before the
// first line.
func (l *List) String() string {
	faults := l.Faults()
	if len(faults) == 0 {
		return ""
	}
	lines := make([]string, 0, len(faults)+1)
	lines = append(lines, headline(len(faults)))
	for _, f := range faults {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

// Err returns nil when there is no mistake, else an error whose text is that of
// String.
func (l *List) Err() error {
	if l.Empty() {
		return nil
	}
	return &contractError{len(l.Faults()), l.String()}
}

// ForCompiler is the text of an error in the answer of a plugin. Where one fails, buf
// stops the others and reports them behind it, as "context canceled" or "signal:
// killed": the headline of a list says what that is.
func ForCompiler(err error) string {
	contract, ok := errors.AsType[*contractError](err)
	if !ok {
		return err.Error()
	}
	these := "these"
	if contract.n == 1 {
		these = "this"
	}
	return strings.Replace(contract.text, ":", " (what buf prints below about plugins comes from "+these+"):", 1)
}

func headline(n int) string {
	if n == 1 {
		return "1 fault in the contract:"
	}
	return strconv.Itoa(n) + " faults in the contract:"
}

// contractError is the error of a list of n faults. Its text is final: what is added
// to the list later does not change it.
type contractError struct {
	n    int
	text string
}

func (e *contractError) Error() string { return e.text }
