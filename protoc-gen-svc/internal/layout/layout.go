// Package layout gives generated Go the layout of gofmt without parsing it.
//
// A generator can well write each line as gofmt would. What it cannot do line by line is
// done here: indentation, columns and empty lines, which follow from the brackets. It
// takes a small part of the time of go/parser and go/printer.
package layout

import (
	"bytes"
	"math"
	"slices"
)

// Go returns a Go file with the indentation, the columns and the empty lines of gofmt, but
// for those that begin or end a block, of which none stay. Its lines must be otherwise as
// gofmt writes them.
//
// Go returns false for what it does not understand: brackets that do not match, comments
// beside code and comments that gofmt might reword, literals and expressions that go on in
// the next line outside of parentheses.
func Go(text []byte) ([]byte, bool) {
	w := writer{out: make([]byte, 0, len(text)+len(text)/8)}
	var held []byte // until the line after it is known
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if opening(held) {
			if len(line) == 0 {
				continue
			}
			if empty, ok := join(held, line); ok {
				held = empty
				continue
			}
		}
		if !w.line(held) {
			return nil, false
		}
		held = line
	}
	if !w.line(held) || !w.comment.end() || len(w.open) > 0 {
		return nil, false
	}
	w.flush()
	return w.out, true
}

// opening reports whether a line ends with a bracket that opens.
func opening(line []byte) bool {
	return len(line) > 0 && opens(line[len(line)-1]) && !isComment(line)
}

// join joins a line that opens a literal or arguments, and the next one, where that closes
// them. gofmt leaves blocks and types open, which have a blank before the bracket.
func join(line, next []byte) ([]byte, bool) {
	last := len(line) - 1
	if !closes(next[0]) || last == 0 || line[last-1] == ' ' {
		return nil, false
	}
	return slices.Concat(line, next), true
}

func isComment(line []byte) bool { return bytes.HasPrefix(line, []byte("//")) }

func opens(c byte) bool { return c == '(' || c == '[' || c == '{' }

func closes(c byte) bool { return c == ')' || c == ']' || c == '}' }

// bracket is one that is open.
type bracket struct {
	kind   byte
	indent int  // of its line
	column bool // whether the names in it have a column: fields, and variables of a group
}

type writer struct {
	out    []byte
	open   []bracket
	empty  bool // whether an empty line waits for what follows it
	column column
	comment
}

// line writes a line without its indentation, or nothing of one that it does not understand.
func (w *writer) line(line []byte) bool {
	if len(line) == 0 {
		if !w.comment.end() {
			return false
		}
		w.empty = len(w.out) > 0 || len(w.column.cells) > 0
		return true
	}
	indent := 0
	if n := len(w.open); n > 0 {
		indent = w.open[n-1].indent + 1
		if closes(line[0]) || bytes.HasPrefix(line, []byte("case ")) || bytes.HasPrefix(line, []byte("default:")) {
			indent--
		}
	}
	var name int
	var ok bool
	if text, is := bytes.CutPrefix(line, []byte("//")); is {
		ok = w.comment.add(text)
	} else if ok = w.comment.end(); ok {
		name, ok = w.scan(line, indent)
	}
	if !ok {
		return false
	}
	if w.empty {
		w.flush()
		if !closes(line[0]) {
			w.out = append(w.out, '\n')
		}
		w.empty = false
	}
	c := cell{line, indent, name}
	if name == 0 {
		w.flush()
		w.out = c.append(w.out, name)
		return true
	}
	if !w.column.takes(c) {
		w.flush()
	}
	w.column.add(c)
	return true
}

// scan follows the brackets of a line. It returns where the first word of the line ends if
// what follows stands in a column, else 0.
func (w *writer) scan(line []byte, indent int) (name int, ok bool) {
	depth := len(w.open)
	inColumn := depth > 0 && w.open[depth-1].column
	element := line[len(line)-1] == ','
	whole := true // whether the line closes what it opens, and nothing else
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case opens(c):
			before := line[:i]
			w.open = append(w.open, bracket{c, indent, bytes.HasSuffix(before, []byte("struct ")) || string(before) == "var " || string(before) == "const "})
		case closes(c):
			last := len(w.open) - 1
			if last < 0 || closing[w.open[last].kind] != c {
				return 0, false
			}
			w.open = w.open[:last]
			whole = whole && last >= depth
		case c == '"' || c == '\'' || c == '`':
			if i = literal(line, i); i == len(line) {
				return 0, false
			}
		case c == '/' && i+1 < len(line) && (line[i+1] == '/' || line[i+1] == '*'):
			return 0, false
		case name > 0 || len(w.open) != depth || i+1 == len(line):
		case element && c == ':' && line[i+1] == ' ':
			name = i + 1
		case inColumn && c == ' ':
			name = i
		}
	}
	n := len(w.open)
	if (n == 0 || w.open[n-1].kind != '(') && bytes.IndexByte([]byte("+-*/%&|^<>=.!"), line[len(line)-1]) >= 0 {
		return 0, false // goes on
	}
	if !whole || n != depth {
		return 0, true
	}
	return name, true
}

// comment is what has been seen of one.
type comment struct {
	blocks int  // of text and of code, that have ended
	lines  int  // of the last one
	code   bool // whether that is code
}

// add adds a line. It returns false for one of which gofmt might make another, in a doc
// comment: an item of a list, a heading, code beside text, quotes of two marks.
func (c *comment) add(text []byte) bool {
	if len(text) == 0 {
		heading := c.lines == 1 && c.blocks > 0 && !c.code
		ended := c.lines > 0 && !heading
		*c = comment{blocks: c.blocks + 1}
		return ended
	}
	code := text[0] == '\t'
	switch {
	case code && c.lines == 0 && (c.blocks == 0 || text[1] <= ' '):
		return false // no text before it, or gofmt takes away what indents all of it
	case !code && !isText(text), c.lines > 0 && code != c.code:
		return false
	}
	c.lines++
	c.code = code
	return true
}

// isText reports whether a line of a comment is text and nothing else.
func isText(line []byte) bool {
	if len(line) < 2 || line[0] != ' ' || bytes.Contains(line, []byte("''")) || bytes.Contains(line, []byte("``")) {
		return false
	}
	c := line[1]
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '(' || c == '"'
}

// end ends the comment. It returns false if its last line is empty.
func (c *comment) end() bool {
	ended := c.lines > 0 || c.blocks == 0
	*c = comment{}
	return ended
}

var closing = map[byte]byte{'(': ')', '[': ']', '{': '}'}

// literal is where a literal that begins at i ends, or the length of the line.
func literal(line []byte, i int) int {
	quote := line[i]
	for i++; i < len(line) && line[i] != quote; i++ {
		if line[i] == '\\' && quote != '`' {
			i++
		}
	}
	return min(i, len(line))
}

func (w *writer) flush() {
	w.out = w.column.append(w.out)
	w.column = column{cells: w.column.cells[:0]}
}

// cell is a line, and where its first word ends if what follows stands in a column.
type cell struct {
	line         []byte
	indent, name int
}

// append appends the line with what follows the name at a width.
func (c cell) append(out []byte, width int) []byte {
	for range c.indent {
		out = append(out, '\t')
	}
	out = append(out, c.line[:c.name]...)
	rest := c.line[c.name:]
	if c.name > 0 {
		rest = bytes.TrimLeft(rest, " ")
		for range width + 1 - c.name {
			out = append(out, ' ')
		}
	}
	return append(append(out, rest...), '\n')
}

// isKey reports whether the name is the key of an element.
func (c cell) isKey() bool { return c.line[c.name-1] == ':' }

// size is what go/printer takes for the size of a key.
func (c cell) size() float64 { return float64(c.name - len(":")) }

// column is a run of lines whose second words stand below one another.
type column struct {
	cells []cell
	width int
	logs  float64 // the sum of those of all sizes
}

// takes reports whether a line goes on with the column. In go/printer a key does not, if one of
// the two is long, and it is much longer or shorter than those before it are on average.
func (c *column) takes(next cell) bool {
	n := len(c.cells)
	if n == 0 {
		return true
	}
	last := c.cells[n-1]
	if next.indent != last.indent || next.isKey() != last.isKey() {
		return false
	}
	const long, much = 40, 2.5
	if !next.isKey() || last.size() <= long && next.size() <= long {
		return true
	}
	ratio := next.size() / math.Exp(c.logs/float64(n))
	return much*ratio > 1 && ratio < much
}

func (c *column) add(next cell) {
	c.cells = append(c.cells, next)
	c.width = max(c.width, next.name)
	if next.isKey() {
		c.logs += math.Log(next.size())
	}
}

func (c *column) append(out []byte) []byte {
	for _, each := range c.cells {
		out = each.append(out, c.width)
	}
	return out
}
