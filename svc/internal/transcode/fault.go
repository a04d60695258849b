package transcode

import (
	"bytes"
	"encoding/json"
	stderrors "errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/svc/internal/cut"
)

// fault is what is wrong with a body: the path of the field and a description.
type fault struct{ field, text string }

// maxFault is how many bytes a description of a body has, beside the position. It quotes
// what was sent.
const maxFault = 200

// position is how protojson says where a fault is.
var position = regexp.MustCompile(`^(?:syntax error )?\(line (\d+):(\d+)\): `)

// faultOf tells an error of protojson as "line 1, column 17: …", in the body as the
// client sent it.
func faultOf(err error, body Body, md protoreflect.MessageDescriptor) *fault {
	text := withoutPrefix(err.Error())
	found := position.FindStringSubmatch(text)
	if found == nil {
		return &fault{text: plain(text)}
	}
	line, _ := strconv.Atoi(found[1])
	column, _ := strconv.Atoi(found[2])
	field := locate(body.data, offsetOf(body.data, line, column), md)
	if line == 1 {
		column -= utf8.RuneCount(body.data[:body.start])
	}
	return &fault{field, placed(line, column, plain(text[len(found[0]):]))}
}

func placed(line, column int, text string) string {
	return fmt.Sprintf("line %d, column %d: %s", line, column, text)
}

// plain is an error's text for a client: without the prefix of protojson, whose space is
// random, and not too long.
func plain(text string) string {
	text = withoutPrefix(text)
	if text == "unexpected EOF" {
		return "JSON ends before it is complete"
	}
	return cut.Text(strings.ToValidUTF8(text, "\ufffd"), maxFault)
}

func withoutPrefix(text string) string {
	if rest, ok := strings.CutPrefix(text, "proto:"); ok {
		return strings.TrimLeft(rest, " \u00a0")
	}
	return text
}

// offsetOf returns the index of a position whose columns are characters.
func offsetOf(data []byte, line, column int) int {
	offset := 0
	for range line - 1 {
		offset += bytes.IndexByte(data[offset:], '\n') + 1
	}
	for range column - 1 {
		_, size := utf8.DecodeRune(data[offset:])
		offset += size
	}
	return offset
}

// syntaxFault returns what keeps data from being one value of JSON; nil: it is one.
func syntaxFault(data []byte) *fault {
	var value json.RawMessage
	if json.Valid(data) {
		return nil
	}
	syntax, ok := stderrors.AsType[*json.SyntaxError](json.Unmarshal(data, &value))
	if !ok {
		return &fault{text: "not valid JSON"}
	}
	if syntax.Error() == "unexpected end of JSON input" {
		return &fault{text: "JSON ends before it is complete"}
	}
	before := data[:max(syntax.Offset-1, 0)]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return &fault{text: placed(line, column, plain(syntax.Error()))}
}
