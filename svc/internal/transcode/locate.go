package transcode

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/svc/internal/cut"
)

// maxPath is how many bytes of a path an answer shows: keys are the client's choice.
const maxPath = 128

// level is an object or an array around a value.
type level struct {
	message protoreflect.MessageDescriptor // that an object is; nil for other values
	element protoreflect.FieldDescriptor   // what a list or a map has; nil for other values
	array   bool
	index   int
	name    []byte // as in JSON; nil between a value and the next name
	inValue bool   // the name has been read, and not its value
}

// locate returns the path of the value at an offset of a message in JSON, in the names of
// the contract as far as it has them. After the offset the JSON may be anything.
func locate(data []byte, offset int, md protoreflect.MessageDescriptor) string {
	s := scanner{data: data}
	var levels []level
	for {
		token := s.next()
		if token == nil {
			return pathOf(levels)
		}
		enter(levels, token)
		if s.at > offset {
			return pathOf(levels)
		}
		levels = leave(levels, token, md)
	}
}

// enter counts a token as the next name or value of the level around it.
func enter(levels []level, token []byte) {
	if len(levels) == 0 || closes(token) {
		return
	}
	switch top := &levels[len(levels)-1]; {
	case top.array:
		top.index++
	case !top.inValue:
		top.name = token
	}
}

// leave moves on from a token: into an object or an array, out of it, or to the next.
func leave(levels []level, token []byte, md protoreflect.MessageDescriptor) []level {
	switch {
	case opens(token) && len(levels) == 0:
		return []level{{message: md}}
	case opens(token):
		return append(levels, levels[len(levels)-1].inside(token[0] == '['))
	case closes(token) && len(levels) > 0:
		levels = levels[:len(levels)-1]
	}
	if len(levels) > 0 {
		levels[len(levels)-1].proceed()
	}
	return levels
}

// proceed moves from a name to its value, or from a value to the next name.
func (l *level) proceed() {
	if l.inValue {
		l.name = nil
	}
	l.inValue = !l.array && !l.inValue
}

// inside returns the level of the value that comes now.
func (l level) inside(array bool) level {
	inner := level{array: array, index: -1}
	fd := l.element
	if l.message != nil {
		fd = named(l.message, unquoted(l.name))
	}
	switch {
	case fd == nil:
	case array:
		inner.element = fd
	case fd.IsMap():
		inner.element = fd.MapValue()
	default:
		inner.message = fd.Message()
	}
	return inner
}

func pathOf(levels []level) string {
	var out strings.Builder
	for _, l := range levels {
		switch {
		case l.array:
			out.WriteString("[" + strconv.Itoa(max(l.index, 0)) + "]")
		case l.name == nil:
		case l.element != nil:
			out.WriteString("[" + strconv.Quote(shown(unquoted(l.name))) + "]")
		default:
			if out.Len() > 0 {
				out.WriteByte('.')
			}
			out.WriteString(l.nameOf())
		}
		if out.Len() > maxPath {
			break
		}
	}
	return cut.Text(out.String(), maxPath)
}

// nameOf is the name that the contract has for what the client wrote.
func (l level) nameOf() string {
	name := unquoted(l.name)
	if l.message != nil {
		if fd := named(l.message, name); fd != nil {
			return string(fd.Name())
		}
	}
	return shown(name)
}
