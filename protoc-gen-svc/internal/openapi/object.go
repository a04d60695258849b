package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// object is a JSON object that keeps the order of its members, which people read
// a document in, and everything in them that is not touched.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

func (o *object) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return fmt.Errorf("%.20q… is not a JSON object", data)
	}
	*o = nil
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		m := member{key: key.(string)}
		if err := d.Decode(&m.value); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}

func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, key...), ':'), m.value...)
	}
	return append(out, '}'), nil
}

// indented is the object as the other plugin writes it.
func (o object) indented() (string, error) {
	data, err := o.MarshalJSON()
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = json.Indent(&out, data, "", "  ")
	out.WriteByte('\n')
	return out.String(), err
}

// member returns the member with the key, or nil.
func (o object) member(key string) *member {
	for i := range o {
		if o[i].key == key {
			return &o[i]
		}
	}
	return nil
}

// text returns the string that a member is, or the empty one.
func (o object) text(key string) string {
	var text string
	if m := o.member(key); m != nil && json.Unmarshal(m.value, &text) != nil {
		return ""
	}
	return text
}

// edit changes the object that the member is. Other values stay as they are: a
// path may have a list of parameters beside its operations.
func (m *member) edit(change func(*object) error) error {
	if !bytes.HasPrefix(m.value, []byte("{")) {
		return nil
	}
	var o object
	if err := json.Unmarshal(m.value, &o); err != nil {
		return err
	}
	if err := change(&o); err != nil {
		return err
	}
	value, err := o.MarshalJSON()
	m.value = value
	return err
}

// editMember changes the object that the member with the key is, if there is one.
func (o object) editMember(key string, change func(*object) error) error {
	if m := o.member(key); m != nil {
		return m.edit(change)
	}
	return nil
}
