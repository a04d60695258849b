package model

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

const unaryTimeout = 5 * time.Second

func (b *builder) method(s *Service, m *protogen.Method) *Method {
	options := extension[*svcv1.Method](m.Desc, svcv1.E_Method)
	method := &Method{
		Name:           string(m.Desc.Name()),
		GoName:         m.GoName,
		FullName:       string(m.Desc.FullName()),
		Wire:           "/" + s.FullName + "/" + string(m.Desc.Name()),
		FullMethod:     fullMethod(s.Client.GoImportPath, s.proto.GoName, m.GoName),
		Field:          fieldName(s.proto.GoName, m.GoName),
		Comment:        commentOf(m.Comments),
		Deprecated:     deprecated(m.Desc),
		Kind:           kindOf(m.Desc),
		Input:          m.Input.GoIdent,
		Output:         m.Output.GoIdent,
		IdempotencyKey: options.GetIdempotencyKey(),
		Validator:      "nil",
		proto:          m,
	}
	method.Timeout = b.timeout(method, options)
	method.Idempotent = b.idempotent(method, options)
	method.Errors = b.declaredErrors(method, options)
	method.StrictErrors = s.strictErrors
	method.MapErrors = b.mapErrors(method, options)
	method.Retry = b.retry(method, options)
	method.Concurrency = b.concurrency(s, method, options)
	method.RateLimit = b.rateLimit(s, method, options.GetRateLimit())
	method.Stream = b.stream(method, options.GetStream())
	method.Hedge = b.hedge(method, options)
	method.Calls = b.calls(method, "calls", options.GetCalls())
	method.Defers = b.calls(method, "defers", options.GetDefers())
	method.StoresResponse = b.storesResponse(s, method, options)
	method.IdempotencyScope = b.scope(s, method, options)
	method.Routes = b.routes(method)
	return method
}

func fullMethod(pkg protogen.GoImportPath, service, method string) protogen.GoIdent {
	return pkg.Ident(service + "_" + method + "_FullMethodName")
}

// ownTimeout is what the contract says, empty where the default holds.
func (m *Method) ownTimeout() string {
	return extension[*svcv1.Method](m.proto.Desc, svcv1.E_Method).GetTimeout()
}

func (m *Method) origin() Origin { return Origin{desc: m.proto.Desc, ext: svcv1.E_Method} }

// keep notes where the contract has the element that one of the method's lists
// gets next. Elements that are refused are in no list, so what follows them has
// another index there than in the contract.
func (m *Method) keep(field string, at Origin) {
	if m.places == nil {
		m.places = map[string][]Origin{}
	}
	m.places[field] = append(m.places[field], at)
}

// place is where the contract has an element of one of the method's lists.
func (m *Method) place(field string, i int) Origin { return m.places[field][i] }

func kindOf(d protoreflect.MethodDescriptor) Kind {
	switch {
	case d.IsStreamingClient() && d.IsStreamingServer():
		return BidiStream
	case d.IsStreamingClient():
		return ClientStream
	case d.IsStreamingServer():
		return ServerStream
	default:
		return Unary
	}
}

// Bind is the runtime's function that binds a method of the kind: BindUnary.
func (k Kind) Bind() string { return "Bind" + camel(string(k)) }

// Type is the runtime's type of a bound method of the kind: Unary.
func (k Kind) Type() string { return camel(string(k)) }

// Streams says which sides of the kind are streams, in the words of the docs.
func (k Kind) Streams() string { return strings.ReplaceAll(string(k), "_", " ") }

func (b *builder) timeout(m *Method, o *svcv1.Method) time.Duration {
	var byDefault time.Duration
	if m.Kind == Unary {
		byDefault = unaryTimeout
	}
	d, err := duration(o.GetTimeout(), byDefault)
	if err != nil {
		b.reject(m.origin().in("timeout"), err)
	}
	return d
}

func (b *builder) idempotent(m *Method, o *svcv1.Method) bool {
	level := m.proto.Desc.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel()
	key := o.GetIdempotencyKey()
	if key == "" {
		return level != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN
	}
	at := m.origin().in("idempotency_key")
	fields := m.proto.Input.Desc.Fields()
	fd := fields.ByName(protoreflect.Name(key))
	if m.proto.Desc.IsStreamingClient() {
		b.fault(at, keyOnStream, key)
	}
	switch {
	case strings.Contains(key, "."):
		b.fault(at, keyNested, key, m.proto.Input.Desc.FullName())
	case fd == nil:
		b.fault(at, keyUnknown, key, m.proto.Input.Desc.FullName(), didYouMean(key, fieldNames(fields)))
	case fd.Kind() != protoreflect.StringKind || fd.IsList():
		b.fault(at, keyType, key)
	case !refusesEmpty(fd):
		b.fault(at, keyEmpty, key, requiredToo(fd))
	}
	return true
}

func fieldNames(fields protoreflect.FieldDescriptors) []string {
	names := make([]string, fields.Len())
	for i := range names {
		names[i] = string(fields.Get(i).Name())
	}
	return names
}

// defaultRetry is the policy of an idempotent unary method that says nothing more.
var defaultRetry = Retry{Attempts: 3, InitialBackoff: 50 * time.Millisecond, MaxBackoff: time.Second}

func (b *builder) retry(m *Method, o *svcv1.Method) *Retry {
	r := b.retryValues(m, o.GetRetry())
	at, repeatable := m.origin().in("retry"), m.Kind == Unary && m.Idempotent
	switch {
	case repeatable || o.GetRetry() == nil:
	case m.Kind != Unary:
		b.fault(at, retryStream, m.Kind.Streams())
	default:
		b.fault(at, retryNotIdempotent)
	}
	if !repeatable || r.Attempts == 1 {
		return nil
	}
	return r
}

// retryValues reads the fields, whether or not the method may be repeated.
func (b *builder) retryValues(m *Method, o *svcv1.Retry) *Retry {
	at := m.origin().in("retry")
	r := defaultRetry
	r.Attempts = orDefault(o.GetAttempts(), r.Attempts)
	if r.Attempts > 5 {
		b.fault(at.in("attempts"), retryAttempts, r.Attempts)
		r.Attempts = 1
	}
	var err error
	if r.InitialBackoff, err = positive(o.GetInitialBackoff(), r.InitialBackoff); err != nil {
		b.reject(at.in("initial_backoff"), err)
	}
	if r.MaxBackoff, err = positive(o.GetMaxBackoff(), r.MaxBackoff); err != nil {
		b.reject(at.in("max_backoff"), err)
	}
	if r.MaxBackoff > 0 && r.MaxBackoff < r.InitialBackoff {
		b.fault(at.in("max_backoff"), retryBackoff, r.MaxBackoff, r.InitialBackoff)
	}
	r.Codes = b.retryCodes(at, m, o.GetCodes())
	return &r
}

// retryCodes are the codes of the annotation and of the method's retryable
// errors, each once, by number.
func (b *builder) retryCodes(at Origin, m *Method, wanted []code.Code) []string {
	if len(wanted) == 0 {
		wanted = []code.Code{code.Code_UNAVAILABLE}
	}
	var all []codes.Code
	for i, c := range wanted {
		if c == code.Code_OK || code.Code_name[int32(c)] == "" {
			b.fault(at.at("codes", i), retryCode, c)
		}
		all = append(all, codes.Code(c))
	}
	for _, e := range m.Errors {
		if e.Retryable {
			all = append(all, codes.Code(extension[*svcv1.Error](e.proto.Desc, svcv1.E_Error).GetCode()))
		}
	}
	slices.Sort(all)
	var names []string
	for _, c := range slices.Compact(all) {
		names = append(names, c.String())
	}
	return names
}

func (b *builder) declaredErrors(m *Method, o *svcv1.Method) []*Error {
	var out []*Error
	for i, name := range o.GetErrors() {
		at := m.origin().at("errors", i)
		e := b.namedError(at, name)
		if e == nil {
			continue
		}
		if slices.Contains(out, e) {
			b.fault(at, errorTwice, name)
			continue
		}
		m.keep("errors", at)
		out = append(out, e)
	}
	return out
}

// errorNames are the values in sight that are errors.
func (b *builder) errorNames() map[protoreflect.FullName]bool {
	names := map[protoreflect.FullName]bool{}
	for full := range b.file.values {
		if b.errors[full] != nil {
			names[full] = true
		}
	}
	return names
}

// calls reads one of the lists of methods of other services.
func (b *builder) calls(m *Method, field string, names []string) []Call {
	var out []Call
	for i, text := range names {
		at := m.origin().at(field, i)
		call, ok := b.call(at, text)
		if !ok {
			continue
		}
		if slices.Contains(out, call) {
			b.fault(at, callTwice, text)
			continue
		}
		m.keep(field, at)
		out = append(out, call)
	}
	return out
}

// call reads the name of a method of a service.
func (b *builder) call(at Origin, text string) (call Call, ok bool) {
	const example = "payment.v1.PaymentService/Authorize"
	service, method, cut := strings.Cut(text, "/")
	if !cut {
		b.fault(at, callForm, text, example)
		return Call{}, false
	}
	full, ok := b.serviceName(service)
	if !ok {
		b.fault(at, callService, text, service)
	}
	switch {
	case method == "":
		b.fault(at, callNoMethod, text, example)
	case !protoreflect.Name(method).IsValid():
		b.fault(at, callMethod, text, method)
	default:
		return Call{Service: full, Method: method}, ok
	}
	return Call{}, false
}

// serviceName makes a callee's name full. The callee need not be imported, so a
// name that is not in sight is taken as full already.
func (b *builder) serviceName(name string) (full string, ok bool) {
	if s, ok := resolve(b.file.services, b.file.pkg, name); ok {
		return string(s.Desc.FullName()), true
	}
	plain := protoreflect.FullName(strings.TrimPrefix(name, "."))
	return string(plain), plain.IsValid()
}
