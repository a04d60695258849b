package openapi

import (
	"encoding/json"
	"fmt"
	"slices"
)

// parameter is an OpenAPI parameter object.
type parameter struct {
	Name        string `json:"name"`
	In          string `json:"in"`
	Description string `json:"description"`
	Schema      struct {
		Type string `json:"type"`
	} `json:"schema"`
}

// addKey adds the header that a client may send instead of the field of the
// idempotency key.
func addKey(operation *object, field string) error {
	p := parameter{
		Name: "Idempotency-Key", In: "header",
		Description: fmt.Sprintf("Sets the field %s where the request does not: a second request with the same value has no second effect. A string in quotes, as of RFC 9651, or bare text.", field),
	}
	p.Schema.Type = "string"
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return operation.addParameter(value)
}

// addParameter adds to the parameters of an operation, which stand before what it is
// sent and answers. What is no list of parameters stays as it is.
func (o *object) addParameter(value json.RawMessage) error {
	if m := o.member("parameters"); m != nil {
		var all []json.RawMessage
		if json.Unmarshal(m.value, &all) != nil {
			return nil
		}
		var err error
		m.value, err = json.Marshal(append(all, value))
		return err
	}
	at := slices.IndexFunc(*o, func(m member) bool { return m.key == "requestBody" || m.key == "responses" })
	if at < 0 {
		at = len(*o)
	}
	*o = slices.Insert(*o, at, member{"parameters", append(append(json.RawMessage("["), value...), ']')})
	return nil
}
