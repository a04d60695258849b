package main_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/protosvc/protosvc/internal/httprule"
	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// annotate gives options to declarations, now that everything is declared that
// they may name.
func (c *fuzzContract) annotate() {
	for _, m := range c.messages {
		for _, f := range m.Field {
			c.fieldOptions(f)
		}
	}
	for i, f := range c.files {
		c.visible = i
		eachEnum(f, c.errorOptions)
		for _, s := range f.Service {
			for _, m := range s.Method {
				c.methodOptions(m)
			}
			c.serviceOptions(s, joinName(f.GetPackage(), s.GetName()))
		}
	}
}

func eachEnum(f *descriptorpb.FileDescriptorProto, visit func(*descriptorpb.EnumDescriptorProto)) {
	enums := slices.Clone(f.EnumType)
	var walk func([]*descriptorpb.DescriptorProto)
	walk = func(messages []*descriptorpb.DescriptorProto) {
		for _, m := range messages {
			enums = append(enums, m.EnumType...)
			walk(m.NestedType)
		}
	}
	walk(f.MessageType)
	for _, e := range enums {
		visit(e)
	}
}

func (c *fuzzContract) errorOptions(e *descriptorpb.EnumDescriptorProto) {
	if !c.once(2) {
		return
	}
	errors := &svcv1.Errors{}
	c.fill(errors.ProtoReflect(), 1)
	e.Options = &descriptorpb.EnumOptions{}
	proto.SetExtension(e.Options, svcv1.E_Errors, errors)
	for i, v := range e.Value {
		if i == 0 && c.tame {
			continue
		}
		options := &svcv1.Error{}
		c.fill(options.ProtoReflect(), 1)
		if c.tame {
			options.Message = noBraces.Replace(options.Message) + c.one("", "{user_id} {type}", "{error}", "{at:timestamp} {time:duration}", "{error:int64}{svcerrors:bool}{e:double}")
			options.Code = max(options.Code, code.Code_CANCELLED)
			mendError(options)
		}
		v.Options = &descriptorpb.EnumValueOptions{Deprecated: proto.Bool(c.once(4))}
		proto.SetExtension(v.Options, svcv1.E_Error, options)
		c.errors = append(c.errors, c.values[v])
	}
}

func (c *fuzzContract) fieldOptions(f *descriptorpb.FieldDescriptorProto) {
	f.Options = &descriptorpb.FieldOptions{DebugRedact: proto.Bool(c.once(6))}
	field := &svcv1.Field{SecretKey: c.secretKey(f)}
	if c.once(3) {
		field.Default = c.defaultFor(f)
	}
	if c.once(6) {
		field.Reload = svcv1.Reload_RELOAD_RESTART
	}
	if !proto.Equal(field, new(svcv1.Field)) {
		proto.SetExtension(f.Options, svcv1.E_Field, field)
	}
	if c.once(4) {
		rules := &validate.FieldRules{}
		c.setRules(rules.ProtoReflect(), f)
		proto.SetExtension(f.Options, validate.E_Field, rules)
	}
}

// defaultFor is a default for a config field, empty where none is accepted.
func (c *fuzzContract) defaultFor(f *descriptorpb.FieldDescriptorProto) string {
	if !c.tame && c.once(4) {
		return c.text()
	}
	if f.OneofIndex != nil && c.tame {
		return ""
	}
	if f.GetLabel() != labelRepeated {
		return c.singleDefault(f)
	}
	if f.GetType() == typeMessage { // a map perhaps
		return ""
	}
	items := make([]string, c.below(4))
	for i := range items {
		items[i] = c.singleDefault(f)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func (c *fuzzContract) singleDefault(f *descriptorpb.FieldDescriptorProto) string {
	switch f.GetType() {
	case typeString:
		if c.once(4) && f.GetLabel() != labelRepeated {
			return "|-\n  " + strings.ReplaceAll(printableText.ReplaceAllString(c.text(), "_"), "\n", "\n  ") + "."
		}
		return c.one("plain", "42", "'a: b'", strconv.Quote(c.text()))
	case typeMessage:
		return map[string]string{".google.protobuf.Duration": "1.5s", ".google.protobuf.Timestamp": "2026-01-02T03:04:05Z"}[f.GetTypeName()]
	case typeEnum:
		return c.enumDefault(f.GetTypeName())
	case descriptorpb.FieldDescriptorProto_TYPE_BOOL:
		return c.one("true", "false")
	case descriptorpb.FieldDescriptorProto_TYPE_BYTES:
		return c.one("aGk=", "''", base64.StdEncoding.EncodeToString([]byte(c.raw(3))))
	}
	return c.one("0", "7", "42", "1")
}

// printableText matches what YAML allows in no scalar that is not quoted.
var printableText = regexp.MustCompile(`[^\n\x20-\x7e\xa0-\x{d7ff}]`)

func (c *fuzzContract) enumDefault(name string) (out string) {
	for _, f := range c.files {
		eachEnum(f, func(e *descriptorpb.EnumDescriptorProto) {
			if strings.HasSuffix(name, "."+e.GetName()) {
				out = e.Value[0].GetName()
			}
		})
	}
	return out
}

// setRules sets rules of buf.validate: one that fits the field's type, or any.
func (c *fuzzContract) setRules(rules protoreflect.Message, f *descriptorpb.FieldDescriptorProto) {
	kind := protoreflect.Name(strings.ToLower(strings.TrimPrefix(f.GetType().String(), "TYPE_")))
	ofKind := rules.Descriptor().Fields().ByName(kind)
	if !c.tame || ofKind == nil || f.GetLabel() == labelRepeated {
		if !c.tame {
			c.fill(rules, 2)
		}
		return
	}
	m := rules.Mutable(ofKind).Message()
	fd := m.Descriptor().Fields().Get(c.below(m.Descriptor().Fields().Len()))
	switch value := c.value(m.NewField(fd), fd, 0); {
	case fd.IsList() || fd.Message() != nil:
	case fd.Name() == "pattern":
		m.Set(fd, protoreflect.ValueOfString(regexp.QuoteMeta(value.String())))
	default:
		m.Set(fd, value)
	}
}

func (c *fuzzContract) methodOptions(m *descriptorpb.MethodDescriptorProto) {
	m.Options = &descriptorpb.MethodOptions{Deprecated: proto.Bool(c.once(6))}
	policy := &svcv1.Method{}
	c.fill(policy.ProtoReflect(), 2)
	streams := m.GetClientStreaming() || m.GetServerStreaming()
	if c.tame {
		policy.Calls, policy.Defers, policy.Errors = unique(policy.Calls), unique(policy.Defers), unique(policy.Errors)
		policy.IdempotencyKey = c.idempotencyKey(m)
		mendMethodLimits(m, policy)
		if len(c.errors) == 0 {
			policy.Errors = nil
		}
		c.mendMappings(policy)
		c.mendHedge(policy, streams)
		if streams {
			policy.Retry, policy.IdempotencyKey = nil, ""
		}
		if !c.once(4) { // most methods cannot be deferred
			policy.Defers = nil
		}
		policy.HandlerIsIdempotent = policy.HandlerIsIdempotent && policy.IdempotencyKey != ""
	}
	if policy.Hedge != nil {
		m.Options.IdempotencyLevel = descriptorpb.MethodOptions_IDEMPOTENT.Enum()
	}
	if policy.Retry != nil {
		m.Options.IdempotencyLevel = descriptorpb.MethodOptions_IDEMPOTENT.Enum()
		if c.tame {
			policy.Retry.Codes = slices.DeleteFunc(policy.Retry.Codes, func(c code.Code) bool { return c == code.Code_OK })
		}
	}
	if c.once(8) {
		policy = nil
	}
	proto.SetExtension(m.Options, svcv1.E_Method, policy)
	if c.once(2) && !(c.tame && m.GetClientStreaming()) {
		rule := &annotations.HttpRule{}
		c.fill(rule.ProtoReflect(), 2)
		if c.tame {
			tameRoutes(m.GetName(), rule)
		}
		proto.SetExtension(m.Options, annotations.E_Http, rule)
	}
}

// tameRoutes makes paths that no other method has of those that were drawn. It
// draws nothing, so inputs remain what they were.
func tameRoutes(method string, rule *annotations.HttpRule) {
	for i, binding := range append([]*annotations.HttpRule{rule}, rule.AdditionalBindings...) {
		prefix := fmt.Sprintf("/v1/%s/%d/", method, i)
		switch p := binding.Pattern.(type) {
		case *annotations.HttpRule_Post:
			p.Post = tamePath(prefix, p.Post)
		case *annotations.HttpRule_Delete:
			p.Delete = tamePath(prefix, p.Delete)
		case *annotations.HttpRule_Custom:
			p.Custom = &annotations.CustomHttpPattern{Kind: cmp.Or(p.Custom.GetKind(), "HEAD"), Path: tamePath(prefix, p.Custom.GetPath())}
		default:
			binding.Pattern = &annotations.HttpRule_Get{Get: tamePath(prefix, binding.GetGet())}
			binding.Body = ""
		}
		binding.ResponseBody = ""
		if i > 0 {
			binding.AdditionalBindings = nil
		}
	}
}

func tamePath(prefix, drawn string) string {
	path := prefix + strings.TrimPrefix(drawn, "/v1/")
	if t, err := httprule.Parse(path); err != nil || len(t.Variables) > 0 {
		return strings.TrimSuffix(prefix, "/")
	}
	return path
}

// idempotencyKey is a field of the request that can be one, if there is any.
func (c *fuzzContract) idempotencyKey(m *descriptorpb.MethodDescriptorProto) string {
	if !c.once(3) {
		return ""
	}
	for _, message := range c.messages {
		for _, f := range message.Field {
			if "."+message.fullName == m.GetInputType() && f.GetType() == typeString && f.GetLabel() != labelRepeated {
				rules := &validate.FieldRules{Required: proto.Bool(true), Type: &validate.FieldRules_String_{String_: &validate.StringRules{MinLen: proto.Uint64(1)}}}
				proto.SetExtension(f.Options, validate.E_Field, rules)
				return f.GetName()
			}
		}
	}
	return ""
}

func (c *fuzzContract) serviceOptions(s *descriptorpb.ServiceDescriptorProto, fullName string) {
	if c.once(4) {
		c.mendKept(s, nil)
		return
	}
	policy := &svcv1.Service{}
	c.fill(policy.ProtoReflect(), 3)
	c.mendKept(s, policy.Database)
	if c.tame {
		if policy.Name != "" { // else two services often have one
			policy.Name += strconv.Itoa(slices.Index(c.services, fullName))
		}
		for i, m := range policy.Metrics {
			c.mendMetric(m, i)
		}
		mendPropagated(policy.Propagate)
		mendTenantKey(s, policy)
		c.mendHTTPCallees(policy.HttpCallees)
		mendCORS(s, policy)
		c.mendNetwork(policy)
		mendDeployment(s, policy)
	}
	if c.tame {
		more := &svcv1.Callee{} // services that call something are few
		c.fill(more.ProtoReflect(), 2)
		policy.Callees = calledOnly(s, append(policy.Callees, more))
	}
	s.Options = &descriptorpb.ServiceOptions{Deprecated: proto.Bool(c.once(6))}
	proto.SetExtension(s.Options, svcv1.E_Service, policy)
}

// mendKept keeps what needs a database to services that have one, and a retention
// to those that have what it is for.
func (c *fuzzContract) mendKept(s *descriptorpb.ServiceDescriptorProto, database *svcv1.Database) {
	keeps := false
	for _, m := range s.Method {
		policy := proto.GetExtension(m.Options, svcv1.E_Method).(*svcv1.Method)
		if c.tame && database == nil && policy != nil {
			policy.Defers = nil
		}
		kept := policy.GetIdempotencyKey() != "" && !policy.GetHandlerIsIdempotent()
		keeps = keeps || kept
		switch {
		case !c.tame || policy.GetIdempotencyScope() == "":
		case kept && database != nil:
			policy.IdempotencyScope = tenantKey
		default:
			policy.IdempotencyScope = ""
		}
	}
	if c.tame && database != nil && !keeps {
		database.IdempotencyRetention = ""
	}
}

// calledOnly makes settings those of services that are called, each once.
func calledOnly(s *descriptorpb.ServiceDescriptorProto, settings []*svcv1.Callee) []*svcv1.Callee {
	var called []string
	for _, m := range s.Method {
		policy := proto.GetExtension(m.Options, svcv1.E_Method).(*svcv1.Method)
		for _, call := range slices.Concat(policy.GetCalls(), policy.GetDefers()) {
			service, _, _ := strings.Cut(call, "/")
			called = append(called, service)
		}
	}
	called = unique(called)
	settings = settings[:min(len(settings), len(called))]
	for i := range settings {
		settings[i].Service = called[i]
		if settings[i].GetBreaker().GetOff() {
			settings[i].Breaker = &svcv1.Breaker{Off: true}
		}
	}
	return settings
}

// mendMetric makes a metric acceptable, apart from its texts.
func (c *fuzzContract) mendMetric(m *svcv1.Metric, index int) {
	m.Name = fmt.Sprintf("%s_%d", c.one(plausible["svc.v1.Metric.name"]...), index)
	m.Type = max(m.Type, svcv1.MetricType_METRIC_TYPE_COUNTER)
	if m.Type == svcv1.MetricType_METRIC_TYPE_COUNTER {
		m.Name += "_total"
	}
	m.Help += "x"
	for i, l := range m.Labels {
		l.Name = c.one(plausible["svc.v1.Label.name"]...) + strings.Repeat("x", i)
		l.Values = append(slices.DeleteFunc(unique(l.Values), func(v string) bool { return v == "" || v == "web" }), "web")
	}
	if m.Type != svcv1.MetricType_METRIC_TYPE_HISTOGRAM {
		m.Buckets = nil
	}
	m.Buckets = unique(m.Buckets)
}

// unique sorts values and keeps one of each.
func unique[T string | float64](values []T) []T {
	slices.Sort(values)
	return slices.Compact(values)
}
