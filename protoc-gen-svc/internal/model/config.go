package model

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// config resolves the config message and reads it. It returns the message, nil
// without one.
func (b *builder) config(s *Service, o *svcv1.Service) *protogen.Message {
	if o.GetConfig() == "" {
		return nil
	}
	message, ok := resolve(b.file.messages, b.file.pkg, o.GetConfig())
	if !ok {
		b.fault(s.origin().in("config"), configUnknown, o.GetConfig(), suggestion(b.file.messages, b.file.pkg, o.GetConfig()))
		return nil
	}
	if isSpecial(message.Desc) {
		b.fault(s.origin().in("config"), configValue, message.Desc.FullName())
		return nil
	}
	b.checkConfigTypes(message, map[protoreflect.FullName]bool{})
	s.Config = &Config{
		FullName: string(message.Desc.FullName()),
		Message:  message.GoIdent,
		proto:    message,
		Fields:   b.configFields(message, section{env: s.EnvPrefix + "_SERVICE"}),
	}
	b.checkSecretKeys(s.Config.Fields, map[string]string{})
	return message
}

// section is where a message stands among the settings.
type section struct {
	path   string                  // "payment.", empty for the settings themselves
	env    string                  // what variables begin with
	secret bool                    // all of it
	bound  bool                    // all of it changes with a restart alone
	above  []protoreflect.FullName // the messages that it stands in
}

// configFields reads the fields of a message, nested messages included.
// Variables set single values and lists of them, nothing below a list or a map.
func (b *builder) configFields(m *protogen.Message, at section) []*ConfigField {
	if slices.Contains(at.above, m.Desc.FullName()) {
		return nil // a message within itself has no finite form
	}
	above := append(slices.Clone(at.above), m.Desc.FullName())
	var out []*ConfigField
	for _, f := range m.Fields {
		text, values := b.configDefault(f)
		field := &ConfigField{
			Name:    string(f.Desc.Name()),
			Env:     at.env + "_" + envName(string(f.Desc.Name())),
			Comment: commentOf(f.Comments),
			Type:    typeName(f.Desc),
			Restart: b.restart(f, at),
			Secret:  at.secret || f.Desc.Options().(*descriptorpb.FieldOptions).GetDebugRedact(),
			Default: text,
			values:  values,
			proto:   f,
		}
		if isNested(f.Desc) {
			field.Fields = b.configFields(f.Message, section{at.path + field.Name + ".", field.Env, field.Secret, field.Restart, above})
		}
		if !hasVariable(f.Desc) {
			field.Env = ""
		}
		field.SecretKey = b.secretKey(field, at.path+field.Name)
		out = append(out, field)
	}
	b.checkOneofDefaults(m)
	return out
}

// restart reports whether a field changes with a restart alone.
func (b *builder) restart(f *protogen.Field, at section) bool {
	own := extension[*svcv1.Field](f.Desc, svcv1.E_Field).GetReload()
	if at.bound && own == svcv1.Reload_RELOAD_HOT {
		b.fault(Origin{desc: f.Desc, ext: svcv1.E_Field}.in("reload"), reloadInside, strings.TrimSuffix(at.path, "."))
	}
	return at.bound || own == svcv1.Reload_RELOAD_RESTART
}

// Bound are the paths of the fields that change with a restart alone: those of sections
// stand for what is in them.
func (c *Config) Bound() []string { return boundFields(c.Fields, "") }

func boundFields(fields []*ConfigField, prefix string) (paths []string) {
	for _, f := range fields {
		if f.Restart {
			paths = append(paths, prefix+f.Name)
			continue
		}
		paths = append(paths, boundFields(f.Fields, prefix+f.Name+".")...)
	}
	return paths
}

var secretKey = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)

// secretKey is the key of a field in the service's Secret: empty for what is no secret,
// and for what a variable cannot set.
func (b *builder) secretKey(f *ConfigField, path string) string {
	own := extension[*svcv1.Field](f.proto.Desc, svcv1.E_Field).GetSecretKey()
	at := Origin{desc: f.proto.Desc, ext: svcv1.E_Field}.in("secret_key")
	switch {
	case own == "" && (!f.Secret || f.Env == ""):
		return ""
	case own == "":
		return path
	case !f.Secret:
		b.fault(at, secretKeyUseless, own)
	case f.Env == "":
		b.fault(at, secretKeyVariable, own)
	case !secretKey.MatchString(own):
		b.fault(at, secretKeyForm, own)
	}
	return own
}

// checkSecretKeys refuses two settings with one key, of which one would be the other's
// value.
func (b *builder) checkSecretKeys(fields []*ConfigField, first map[string]string) {
	for _, f := range fields {
		b.checkSecretKeys(f.Fields, first)
		if f.SecretKey == "" {
			continue
		}
		if other, taken := first[f.SecretKey]; taken {
			b.fault(Origin{desc: f.proto.Desc, ext: svcv1.E_Field}.in("secret_key"), secretKeyTwice, f.SecretKey, other)
			continue
		}
		first[f.SecretKey] = string(f.proto.Desc.FullName())
	}
}

// markNeeded finds the settings without which the service does not start. What is below
// a section that may be absent is not one: its rules hold only where it is there.
func markNeeded(fields []*ConfigField, set *rules.Set) {
	for _, f := range fields {
		f.Needed = f.Default == "" && set.NeedsValue(f.proto)
		if f.Needed {
			markNeeded(f.Fields, set)
		}
	}
}

// checkConfigTypes refuses what has no form in YAML, below lists and maps too.
func (b *builder) checkConfigTypes(m *protogen.Message, seen map[protoreflect.FullName]bool) {
	if seen[m.Desc.FullName()] || isSpecial(m.Desc) {
		return
	}
	seen[m.Desc.FullName()] = true
	for _, f := range m.Fields {
		switch of := element(f).Message; {
		case of == nil:
		case of.Desc.FullName() == anyName:
			b.fault(Origin{desc: f.Desc}, configAny)
		default:
			b.checkConfigTypes(of, seen)
		}
	}
}

// element is the value of a map, and any other field itself.
func element(f *protogen.Field) *protogen.Field {
	if f.Desc.IsMap() {
		return f.Message.Fields[1]
	}
	return f
}

// isNested reports whether a field is a section of settings: a single message
// that has no form of its own.
func isNested(d protoreflect.FieldDescriptor) bool {
	return d.Message() != nil && !d.IsList() && !d.IsMap() && !isSpecial(d.Message())
}

// hasVariable reports whether one line of text can say the value of a field. The
// elements of a list are separated by commas, as the paths of a mask are.
func hasVariable(d protoreflect.FieldDescriptor) bool {
	return !d.IsMap() && isScalar(d) && !(d.IsList() && isMask(d))
}

func isMask(d protoreflect.FieldDescriptor) bool {
	return d.Message() != nil && d.Message().FullName() == maskName
}

// isScalar reports whether a value of the field's type, an element where it is a
// list, is a scalar in YAML.
func isScalar(d protoreflect.FieldDescriptor) bool {
	return wrapped(d).Message() == nil || scalarNames[d.Message().FullName()] != ""
}

// isSpecial reports whether a message has a form of its own in YAML, or none.
func isSpecial(m protoreflect.MessageDescriptor) bool {
	name := m.FullName()
	return name == anyName || isWrapper(m) || scalarNames[name] != "" || openNames[name] != ""
}

const (
	anyName      protoreflect.FullName = "google.protobuf.Any"
	durationName protoreflect.FullName = "google.protobuf.Duration"
	maskName     protoreflect.FullName = "google.protobuf.FieldMask"
)

// scalarNames and openNames are what people call the messages of protobuf with a form
// of their own in YAML: scalars, and those whose content no contract knows.
var (
	scalarNames = map[protoreflect.FullName]string{
		durationName:                "duration",
		"google.protobuf.Timestamp": "time (RFC 3339)",
		maskName:                    "field mask (paths with commas)",
	}
	openNames = map[protoreflect.FullName]string{
		"google.protobuf.Struct":    "JSON object",
		"google.protobuf.ListValue": "JSON list",
		"google.protobuf.Value":     "JSON value",
	}
)

// wrapped is the scalar in the wrapper that is the type of a field, and the field
// itself where it is another type.
func wrapped(d protoreflect.FieldDescriptor) protoreflect.FieldDescriptor {
	if d.Message() != nil && isWrapper(d.Message()) {
		return d.Message().Fields().ByName("value")
	}
	return d
}

func isWrapper(m protoreflect.MessageDescriptor) bool {
	return m.ParentFile().Path() == "google/protobuf/wrappers.proto"
}

func typeName(d protoreflect.FieldDescriptor) string {
	switch {
	case d.IsMap():
		return "map of " + typeName(d.MapKey()) + " to " + typeName(d.MapValue())
	case d.IsList():
		return "list of " + singleName(d)
	default:
		return singleName(d)
	}
}

// singleName is the type of one element of a list, or of a field that is none.
func singleName(d protoreflect.FieldDescriptor) string {
	switch d := wrapped(d); {
	case d.Enum() != nil:
		return string(d.Enum().Name())
	case d.Message() != nil:
		name := d.Message().FullName()
		return cmp.Or(scalarNames[name], openNames[name], string(name.Name()))
	default:
		return d.Kind().String()
	}
}
