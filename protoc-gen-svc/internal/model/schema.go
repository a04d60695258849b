package model

import (
	"cmp"
	"maps"
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/jsonschema"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// ConfigSchema is the schema of a service's config.yaml. It refuses nothing that the
// service takes, and as much of the rest as JSON Schema can. A file is one layer of
// several, so what has to be somewhere is not missed in it. Describe words a setting,
// and the rules of buf.validate that no keyword stands for.
func ConfigSchema(s *Service, describe func(s Setting, unchecked []string) (string, error)) (*jsonschema.Schema, error) {
	b := &schemaBuilder{
		describe: describe,
		env:      s.EnvPrefix,
		settings: map[string]Setting{},
		defs:     map[string]*jsonschema.Schema{},
	}
	for _, setting := range s.Settings() {
		b.settings[setting.Path] = setting
	}
	root := closed(b.keys(b.runtimeKeys(s), ""))
	if s.Config != nil {
		own := closed(b.fields(s.Config.Fields, "service.", false))
		exclude(own, s.Config.proto, inConfig)
		b.say(own, b.settings["service"], nil)
		root.Properties = append(root.Properties, jsonschema.Property{Name: "service", Schema: own})
	}
	root.Dialect = jsonschema.Draft
	root.Defs = b.definitions()
	return root, b.err
}

// schemaBuilder makes the schema of one service.
type schemaBuilder struct {
	describe func(Setting, []string) (string, error)
	env      string
	settings map[string]Setting            // by path
	defs     map[string]*jsonschema.Schema // by name
	err      error                         // the first one of describe
}

// runtimeKey is one that the runtime has for every service: a value, or a section of keys.
type runtimeKey struct {
	name, typ string
	value     *jsonschema.Schema // nil: a section
	below     []runtimeKey
}

// runtimeKeys are those of svc.Settings, whether or not config.yaml shows them.
func (b *schemaBuilder) runtimeKeys(s *Service) []runtimeKey {
	http := textSchema()
	if !s.HTTP() {
		http.Const = ""
	}
	keys := []runtimeKey{
		{name: "listen", below: []runtimeKey{{"grpc", "address", filledSchema(), nil}, {"http", "address", http, nil}, {"admin", "address", filledSchema(), nil}, {"reflection", "boolean", boolSchema(), nil}}},
		{name: "admin", below: []runtimeKey{{"token_file", "path", textSchema(), nil}}},
		{name: "stop", below: []runtimeKey{{"drain_delay", "duration", b.duration(notNegative), nil}, {"budget", "duration", b.duration(aboveZero), nil}}},
		{name: "limits", below: []runtimeKey{{"concurrency", "integer", countSchema(), nil}, {"adaptive", "boolean", boolSchema(), nil}, {"connections", "integer", countSchema(), nil}}},
		{name: "log", below: []runtimeKey{{"level", "level", levelSchema(), nil}}},
		{name: "tracing", below: []runtimeKey{{"sample_ratio", "number", ratioSchema(), nil}}},
	}
	if s.Database != nil {
		keys = append(keys, runtimeKey{name: "database", below: []runtimeKey{
			{"url", "URL", databaseURL(), nil},
			{"max_connections", "integer", countSchema(), nil},
			{"readiness_timeout", "duration", b.duration(aboveZero), nil},
			{"idempotency_retention", "duration", b.duration(notNegative), nil},
		}})
	}
	callees, external := runtimeKey{name: "callees"}, runtimeKey{name: "http_callees"}
	for _, c := range s.Callees {
		keys := []runtimeKey{{"target", "address", textSchema(), nil}, {"balance", "policy", balanceSchema(), nil}}
		switch {
		case c.CustomBreaker() != nil:
			keys = append(keys, runtimeKey{name: "breaker", below: b.breakerKeys()})
		case c.Breaker != nil:
			keys = append(keys, runtimeKey{name: "breaker", value: b.defaultBreaker()})
		}
		callees.below = append(callees.below, runtimeKey{name: c.Key, below: keys})
	}
	for _, c := range s.HTTPCallees {
		external.below = append(external.below, runtimeKey{name: c.Name, below: []runtimeKey{{"url", "URL", textSchema(), nil}, {"timeout", "duration", b.duration(aboveZero), nil}}})
	}
	rates := runtimeKey{name: "rate_limits"}
	for _, m := range s.RateLimited() {
		rates.below = append(rates.below, runtimeKey{name: m.Name, below: []runtimeKey{{"per_second", "number", aboveZeroSchema(), nil}, {"burst", "integer", countSchema(), nil}}})
	}
	return append(keys, callees, external, rates)
}

func (b *schemaBuilder) breakerKeys() []runtimeKey {
	return []runtimeKey{
		{"failure_percent", "integer", integerSchema("1", "100"), nil},
		{"min_calls", "integer", countSchema(), nil},
		{"window", "duration", b.duration(aboveZero), nil},
		{"open", "duration", b.duration(aboveZero), nil},
	}
}

// defaultBreaker is the breaker of each callee about which the contract says nothing: they
// share one definition.
func (b *schemaBuilder) defaultBreaker() *jsonschema.Schema {
	const name, path = "default-breaker", "callees.KEY.breaker"
	if b.defs[name] == nil {
		for _, s := range defaultBreaker.settings(path) {
			s.Topic, s.Env = topic(s.Path), b.env+"_"+envName(s.Path)
			b.settings[s.Path] = s
		}
		b.defs[name] = closed(b.keys(b.breakerKeys(), path+"."))
	}
	return refTo(name)
}

func (b *schemaBuilder) keys(keys []runtimeKey, prefix string) jsonschema.Properties {
	var out jsonschema.Properties
	for _, k := range keys {
		schema := k.value
		if schema == nil {
			schema = closed(b.keys(k.below, prefix+k.name+"."))
		}
		b.say(schema, b.setting(prefix+k.name, k.typ), nil)
		out = append(out, jsonschema.Property{Name: k.name, Schema: schema})
	}
	return out
}

// setting is that of config.yaml, and what would be one if the service had a use for it.
func (b *schemaBuilder) setting(path, typ string) Setting {
	s, shown := b.settings[path]
	if !shown {
		s = Setting{Path: path, Topic: topic(path), Type: typ, Unset: true}
		if typ != "" {
			s.Env = b.env + "_" + envName(path)
		}
	}
	return s.complete()
}

// say adds what is said of a value to people, its default among it.
func (b *schemaBuilder) say(schema *jsonschema.Schema, s Setting, unchecked []string) {
	description, err := b.describe(s, unchecked)
	b.err = cmp.Or(b.err, err)
	schema.Description = description
	schema.WriteOnly = s.Secret
	if !s.Section && !s.Unset {
		schema.Default = defaultOf(schema, s.Value)
	}
}

// fields are the settings of the service's own: the fields of a message in their place
// among the settings, where they have variables and defaults. Ignored says that rules
// do not hold here.
func (b *schemaBuilder) fields(fields []*ConfigField, prefix string, ignored bool) jsonschema.Properties {
	var out jsonschema.Properties
	for _, f := range fields {
		spec := specOf(f.proto, ignored)
		var schema *jsonschema.Schema
		if isNested(f.proto.Desc) && f.Fields != nil {
			schema = closed(b.fields(f.Fields, prefix+f.Name+".", spec.Ignored))
			exclude(schema, f.proto.Message, inConfig)
		} else {
			schema = b.shape(f.proto, spec)
		}
		b.say(schema, b.setting(prefix+f.Name, ""), obey(schema, f.proto, spec))
		out = append(out, jsonschema.Property{Name: f.Name, Schema: schema})
	}
	return out
}

// specOf are the rules of a field, none where rules do not hold.
func specOf(f *protogen.Field, ignored bool) *rules.Spec {
	if ignored {
		return &rules.Spec{Ignored: true}
	}
	return rules.SpecOf(f)
}

// obey adds the rules of a field, and returns those that are not checked.
func obey(schema *jsonschema.Schema, f *protogen.Field, spec *rules.Spec) []string {
	unchecked := inConfig.constrain(schema, f, spec, inConfig.zeroOf(f))
	if spec.Required {
		return append([]string{"required"}, unchecked...)
	}
	return unchecked
}

// shape is what a field is made of.
func (b *schemaBuilder) shape(f *protogen.Field, spec *rules.Spec) *jsonschema.Schema {
	switch {
	case f.Desc.IsMap():
		key, value := f.Message.Fields[0], f.Message.Fields[1]
		return &jsonschema.Schema{
			Type:                 nullable(jsonschema.Object),
			PropertyNames:        inConfig.keySchema(key, within(spec, spec.Keys)),
			AdditionalProperties: b.element(value, within(spec, spec.Values)),
		}
	case f.Desc.IsList():
		return &jsonschema.Schema{Type: nullable(jsonschema.Array), Items: b.element(f, within(spec, spec.Items))}
	default:
		return b.single(f, spec)
	}
}

// within are the rules of what is in a list or a map.
func within(whole, inner *rules.Spec) *rules.Spec {
	if whole.Ignored || inner == nil {
		return &rules.Spec{Ignored: whole.Ignored}
	}
	return inner
}

// element is an element of a list, a value of a map.
func (b *schemaBuilder) element(f *protogen.Field, spec *rules.Spec) *jsonschema.Schema {
	out := b.single(f, spec)
	inConfig.constrain(out, f, spec, inConfig.zeroElement(f))
	return out
}

// single is one value: that of a scalar, or a reference to a message.
func (b *schemaBuilder) single(f *protogen.Field, spec *rules.Spec) *jsonschema.Schema {
	switch {
	case f.Message == nil:
		return scalarSchema(f.Desc)
	case f.Message.Desc.FullName() == durationName:
		return b.duration(signOf(spec))
	case isSpecial(f.Message.Desc):
		return scalarSchema(wrapped(f.Desc))
	}
	return b.message(f.Message, spec.Ignored)
}

// message is a reference to a message below lists and maps, or in itself. Ignored says
// that it is reached by a field whose rules say to check nothing; the mark after such a
// name is one that no name of protobuf has.
func (b *schemaBuilder) message(m *protogen.Message, ignored bool) *jsonschema.Schema {
	name := string(m.Desc.FullName())
	if ignored {
		name += "-ignored"
	}
	if b.defs[name] == nil {
		b.defs[name] = closed(nil) // before its fields, which may be of its type
		b.define(b.defs[name], m, ignored)
	}
	return refTo(name)
}

// duration is a reference to the durations of a sign.
func (b *schemaBuilder) duration(s sign) *jsonschema.Schema {
	if b.defs[string(s)] == nil {
		b.defs[string(s)] = durationSchema(s)
	}
	return refTo(string(s))
}

func refTo(name string) *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/" + name} }

// define describes a message where its fields have neither variables nor defaults.
func (b *schemaBuilder) define(schema *jsonschema.Schema, m *protogen.Message, ignored bool) {
	b.say(schema, Setting{Comment: commentOf(m.Comments)}.complete(), nil)
	exclude(schema, m, inConfig)
	for _, f := range m.Fields {
		spec := specOf(f, ignored)
		one := b.shape(f, spec)
		b.say(one, Setting{
			Path:    string(f.Desc.Name()),
			Comment: commentOf(f.Comments),
			Type:    typeName(f.Desc),
			Secret:  f.Desc.Options().(*descriptorpb.FieldOptions).GetDebugRedact(),
			Unset:   true,
		}.complete(), obey(one, f, spec))
		schema.Properties = append(schema.Properties, jsonschema.Property{Name: string(f.Desc.Name()), Schema: one})
	}
}

func (b *schemaBuilder) definitions() jsonschema.Properties {
	var out jsonschema.Properties
	for _, name := range slices.Sorted(maps.Keys(b.defs)) {
		out = append(out, jsonschema.Property{Name: name, Schema: b.defs[name]})
	}
	return out
}

// closed is a mapping that takes these keys and no other.
func closed(properties jsonschema.Properties) *jsonschema.Schema {
	return &jsonschema.Schema{Type: nullable(jsonschema.Object), Properties: properties, AdditionalProperties: false}
}

// exclude lets an object have at most one field of each oneof: none of them, or exactly one.
func exclude(schema *jsonschema.Schema, m *protogen.Message, as notation) {
	for _, o := range m.Oneofs {
		if o.Desc.IsSynthetic() || len(o.Fields) < 2 {
			continue
		}
		var each []*jsonschema.Schema
		for _, f := range o.Fields {
			each = append(each, &jsonschema.Schema{Required: []string{as.name(f.Desc)}})
		}
		none := &jsonschema.Schema{Not: &jsonschema.Schema{AnyOf: each}}
		schema.And(&jsonschema.Schema{OneOf: append(slices.Clone(each), none)})
	}
}
