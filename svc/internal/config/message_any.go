package config

import (
	"errors"
	"strconv"

	"go.yaml.in/yaml/v3"
	pr "google.golang.org/protobuf/reflect/protoreflect"
)

// place is what the message is in YAML. A Struct stands there as the map in it, a
// ListValue as the list, and a Value as what it holds.
func (o object) place() place {
	switch o.desc.FullName() {
	case "google.protobuf.Struct":
		return table{o.field("fields")}
	case "google.protobuf.ListValue":
		return repeated{o.field("values")}
	case "google.protobuf.Value":
		return variant{o}
	}
	return o
}

func (o object) field(name pr.Name) field { return field{o.desc.Fields().ByName(name), o, o.secret} }

// variant is a google.protobuf.Value: null, a scalar, a mapping or a list.
type variant struct{ object object }

func (v variant) present() bool    { return v.object.present() }
func (v variant) secrecy() secrecy { return v.object.secret }

// as is the place for a node of the kind.
func (v variant) as(kind yaml.Kind) place {
	switch kind {
	case yaml.MappingNode:
		return v.object.field("struct_value").object().place()
	case yaml.SequenceNode:
		return v.object.field("list_value").object().place()
	default:
		return loose{v}
	}
}

// held is the place of what it holds.
func (v variant) held() place {
	switch v.kind() {
	case "struct_value":
		return v.as(yaml.MappingNode)
	case "list_value":
		return v.as(yaml.SequenceNode)
	default:
		return v.as(yaml.ScalarNode)
	}
}

// kind is the field that is set, the null where none is.
func (v variant) kind() pr.Name {
	m := v.object.read()
	if fd := m.WhichOneof(v.object.desc.Oneofs().ByName("kind")); fd != nil {
		return fd.Name()
	}
	return "null_value"
}

// loose is a variant as a scalar, whose type is the one that YAML finds.
type loose struct{ variant }

// set takes what YAML calls a timestamp for the text that it is in JSON.
func (l loose) set(s scalar) error {
	switch s.tag {
	case tagNull:
		l.store("null_value", pr.ValueOfEnum(0))
		return nil
	case tagBool:
		b, err := s.bool()
		l.store("bool_value", pr.ValueOfBool(b))
		return err
	case tagInt, tagFloat:
		n, err := s.exactFloat()
		l.store("number_value", pr.ValueOfFloat64(n))
		return err
	case tagString, tagTimestamp:
		l.store("string_value", pr.ValueOfString(s.text))
		return nil
	default:
		return errLoose
	}
}

var errLoose = errors.New("want null, true, false, a number, a string, a list or a mapping")

func (l loose) store(name pr.Name, v pr.Value) {
	l.object.write().Set(l.object.field(name).fd, v)
}

func (l loose) get() scalar {
	kind := l.kind()
	if kind == "null_value" {
		return scalar{"null", tagNull}
	}
	f := l.object.field(kind)
	return formatScalar(f.fd, f.value())
}

// exactFloat takes no whole number that would lose its last digits.
func (s scalar) exactFloat() (float64, error) {
	n, err := s.float(64)
	if err != nil || s.tag != tagInt {
		return n, err
	}
	whole, err := strconv.ParseInt(s.text, 10, 64)
	if err != nil || whole > maxExact || whole < -maxExact {
		return 0, errExact
	}
	return n, nil
}
