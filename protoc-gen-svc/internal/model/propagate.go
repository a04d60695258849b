package model

import (
	"regexp"
	"slices"
	"strings"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

const (
	maxPropagated       = 16
	maxPropagatedBytes  = 1024
	propagatedByDefault = 128
)

// Propagated is a metadata key that travels.
type Propagated struct {
	Key      string
	MaxBytes uint32
}

var metadataKey = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// reservedKeys belong to the transport, to tracing, or to one hop alone: what a
// caller is allowed here is not what this service is allowed there.
var reservedKeys = []string{
	"authorization", "baggage", "connection", "content-length", "content-type", "cookie", "host",
	"proxy-authorization", "te", "traceparent", "tracestate", "transfer-encoding", "user-agent",
}

func (b *builder) propagated(s *Service, o *svcv1.Service) []Propagated {
	if n := len(o.GetPropagate()); n > maxPropagated {
		b.fault(s.origin().in("propagate"), propagateCount, n, maxPropagated)
	}
	var out []Propagated
	for i, p := range o.GetPropagate() {
		at := s.origin().at("propagate", i)
		switch key := p.GetKey(); {
		case !metadataKey.MatchString(key) || strings.HasSuffix(key, "-bin"):
			b.fault(at.in("key"), propagateForm, key, "x-tenant-id")
		case strings.HasPrefix(key, "grpc-") || slices.Contains(reservedKeys, key):
			b.fault(at.in("key"), propagateReserved, key)
		}
		if slices.ContainsFunc(out, func(other Propagated) bool { return other.Key != "" && other.Key == p.GetKey() }) {
			b.fault(at.in("key"), propagateTwice, p.GetKey())
		}
		if p.GetMaxBytes() > maxPropagatedBytes {
			b.fault(at.in("max_bytes"), propagateBytes, p.GetMaxBytes(), maxPropagatedBytes)
		}
		out = append(out, Propagated{p.GetKey(), orDefault(p.GetMaxBytes(), propagatedByDefault)})
	}
	return out
}
