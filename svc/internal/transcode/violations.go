package transcode

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/svc/internal/cut"
	"github.com/protosvc/protosvc/svc/validate"
)

// at is the path of a violation.
func at(field string) validate.Path { return (&validate.Path{}).Field(field) }

// shown is what an answer shows of a text that a client chose.
func shown(text string) string {
	return cut.Text(strings.ToValidUTF8(text, "\ufffd"), maxShown)
}

// complete refuses a message that lacks a required field, which path, query and body
// could each have had.
func complete(m proto.Message) error {
	err := proto.CheckInitialized(m)
	if err == nil {
		return nil
	}
	var faults validate.Violations
	faults.Add(validate.Path{}, "", plain(err.Error()))
	return faults.Err()
}
