package transcode

import (
	"bytes"
	"encoding/json"
)

// scanner reads the tokens of JSON where they lie: a body may be large, and is right as
// far as it is scanned. Commas and colons are like space.
type scanner struct {
	data []byte
	at   int // behind the last token
}

// next returns the next token; nil at the end.
func (s *scanner) next() []byte {
	for s.at < len(s.data) && bytes.IndexByte([]byte(" \t\r\n,:"), s.data[s.at]) >= 0 {
		s.at++
	}
	rest := s.data[s.at:]
	token := rest[:lengthOf(rest)]
	s.at += len(token)
	if len(token) == 0 {
		return nil
	}
	return token
}

// lengthOf returns the length of the token that data begins with.
func lengthOf(data []byte) int {
	if len(data) == 0 {
		return 0
	}
	switch data[0] {
	case '{', '}', '[', ']':
		return 1
	case '"':
		return lengthOfString(data)
	}
	if n := bytes.IndexAny(data, " \t\r\n,:{}[]\""); n > 0 {
		return n
	}
	return len(data)
}

func lengthOfString(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// opens reports whether an object or an array begins with a token.
func opens(token []byte) bool { return token[0] == '{' || token[0] == '[' }

// closes reports whether one ends with it.
func closes(token []byte) bool { return token[0] == '}' || token[0] == ']' }

// unquoted returns the text of a name.
func unquoted(token []byte) (text string) {
	_ = json.Unmarshal(token, &text) // what is no name fits no field
	return text
}
