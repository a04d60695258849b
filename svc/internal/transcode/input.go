package transcode

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// input is JSON that is read by tables.
type input struct {
	data    []byte
	at      int
	nesting int    // messages around what is read
	buffer  []byte // of the last text that had escapes
}

// isAtEnd reports whether nothing but space is left.
func (in *input) isAtEnd() bool {
	in.next()
	return in.at == len(in.data)
}

// next skips space, and returns the byte that comes then; 0: none.
func (in *input) next() byte {
	for ; in.at < len(in.data); in.at++ {
		switch c := in.data[in.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// skip reads a byte, if it comes next.
func (in *input) skip(c byte) bool {
	if in.next() != c {
		return false
	}
	in.at++
	return true
}

// first reports whether an object or an array has a value, or else reads its end.
func (in *input) first(end byte) (more, ok bool) { return !in.skip(end), true }

// more reads what is behind a value of an object or an array: a comma, or its end.
func (in *input) more(end byte) (more, ok bool) {
	if in.skip(',') {
		return true, true
	}
	return false, in.skip(end)
}

// name reads a name and the colon behind it.
func (in *input) name() ([]byte, bool) {
	name, ok := in.text()
	return name, ok && in.skip(':')
}

const (
	inNumber = "0123456789+-.eE"
	inWord   = "truefalse"
)

// number reads what may be a number: a byte of none ends it.
func (in *input) number() []byte { return in.run(inNumber) }

// word reads what may be true or false.
func (in *input) word() []byte { return in.run(inWord) }

func (in *input) run(of string) []byte {
	in.next()
	start := in.at
	for in.at < len(in.data) && strings.IndexByte(of, in.data[in.at]) >= 0 {
		in.at++
	}
	return in.data[start:in.at]
}

// value returns what is a value if it is JSON.
func (in *input) value() []byte {
	in.next()
	start := in.at
	w := walker{scanner: scanner{data: in.data, at: in.at}}
	w.skip(w.next())
	in.at = w.at
	return in.data[start:in.at]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// text reads a string in UTF-8. What it returns lies in the JSON, or in a buffer that the
// next one takes.
func (in *input) text() ([]byte, bool) {
	if !in.skip('"') {
		return nil, false
	}
	rest, union := in.data[in.at:], byte(0)
	for i, c := range rest {
		switch {
		case c == '"':
			in.at += i + 1
			return rest[:i], union < utf8.RuneSelf || utf8.Valid(rest[:i])
		case c == '\\':
			return in.escaped(i)
		case c < ' ':
			return nil, false
		}
		union |= c
	}
	return nil, false
}

// escaped reads the string whose first escape is at an index.
func (in *input) escaped(i int) ([]byte, bool) {
	rest := in.data[in.at:]
	out := append(in.buffer[:0], rest[:i]...)
	for i < len(rest) {
		switch c := rest[i]; {
		case c == '"':
			in.at += i + 1
			in.buffer = out
			return out, utf8.Valid(out)
		case c < ' ':
			return nil, false
		case c != '\\':
			out = append(out, c)
			i++
		default:
			r, n := unescape(rest[i:])
			if n == 0 {
				return nil, false
			}
			out = utf8.AppendRune(out, r)
			i += n
		}
	}
	return nil, false
}

// unescape returns the character of the escape that a text begins with, and the escape's
// length; 0: it is none.
func unescape(text []byte) (rune, int) {
	if bytes.HasPrefix(text, []byte(`\/`)) {
		return '/', 2
	}
	if len(text) < 2 {
		return 0, 0
	}
	if i := strings.LastIndexByte(short, text[1]); i > 0 && i%2 == 1 {
		return rune(short[i-1]), 2
	}
	r := codeUnit(text)
	switch {
	case r < 0:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	if r = utf16.DecodeRune(r, codeUnit(text[6:])); r == unicode.ReplacementChar {
		return 0, 0
	}
	return r, 12
}

// codeUnit returns that of \uXXXX; negative: it is none.
func codeUnit(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}
