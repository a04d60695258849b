package model

import (
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

const defaultRetention = 24 * time.Hour

// retention is how long the answers of idempotency keys are kept.
func (b *builder) retention(s *Service, o *svcv1.Database) time.Duration {
	d, err := positive(o.GetIdempotencyRetention(), defaultRetention)
	if err != nil {
		b.reject(s.origin().in("database").in("idempotency_retention"), err)
	}
	return d
}

// storesResponse reports whether the runtime keeps the answers of a method: where it
// can, and the handler does not do so itself.
func (b *builder) storesResponse(s *Service, m *Method, o *svcv1.Method) bool {
	if o.GetHandlerIsIdempotent() && m.IdempotencyKey == "" {
		b.fault(m.origin().in("handler_is_idempotent"), keyMissing)
	}
	return m.IdempotencyKey != "" && m.Kind == Unary && s.Database != nil && !o.GetHandlerIsIdempotent()
}

// scope is the metadata key that keeps the idempotency keys of callers apart.
func (b *builder) scope(s *Service, m *Method, o *svcv1.Method) string {
	scope, keys := o.GetIdempotencyScope(), propagated(s)
	at := m.origin().in("idempotency_scope")
	switch {
	case scope == "":
	case m.IdempotencyKey == "":
		b.fault(at, keyMissing)
	case !m.StoresResponse:
		b.fault(at, scopeUnused, scope)
	case !slices.Contains(keys, scope):
		b.fault(at, scopeUnknown, scope, didYouMean(scope, keys))
	}
	return scope
}

// checkRetention refuses a retention of nothing.
func (b *builder) checkRetention(s *Service, o *svcv1.Database) {
	if text := o.GetIdempotencyRetention(); text != "" && len(s.Storing()) == 0 {
		b.fault(s.origin().in("database").in("idempotency_retention"), retentionUnused, text)
	}
}

// Storing are the methods whose answers the runtime keeps.
func (s *Service) Storing() []*Method {
	var out []*Method
	for _, m := range s.Methods {
		if m.StoresResponse {
			out = append(out, m)
		}
	}
	return out
}

// KeyGetter is the method of the request that returns the idempotency key.
func (m *Method) KeyGetter() string {
	fd := m.proto.Input.Desc.Fields().ByName(protoreflect.Name(m.IdempotencyKey))
	return "Get" + m.proto.Input.Fields[fd.Index()].GoName
}
