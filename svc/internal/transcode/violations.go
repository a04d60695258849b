package transcode

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/svc/internal/cut"
	"github.com/protosvc/protosvc/svc/validate"
)

// violations are what is wrong with a request. Nothing is allocated for none.
type violations struct{ list *validate.Violations }

// add records what is wrong with a field, whose path is complete.
func (v *violations) add(field, description string) {
	if v.list == nil {
		v.list = &validate.Violations{}
	}
	v.list.Add((&validate.Path{}).Field(field), "", description)
}

func (v *violations) err() error {
	if v.list == nil {
		return nil
	}
	return v.list.Err()
}

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
	var found violations
	found.add("", plain(err.Error()))
	return found.err()
}
