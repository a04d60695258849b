package main_test

import (
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// tenantKey is the metadata key by which tame contracts tell callers apart.
const tenantKey = "x-tenant-id"

// mendMethodLimits makes the limits of a method acceptable.
func mendMethodLimits(m *descriptorpb.MethodDescriptorProto, policy *svcv1.Method) {
	if r := policy.RateLimit; r != nil {
		r.PerSecond = max(r.PerSecond, .5)
		if r.Key != "" {
			r.Key = tenantKey
		}
	}
	switch {
	case policy.Stream == nil:
	case !m.GetClientStreaming() && !m.GetServerStreaming():
		policy.Stream = nil
	case !m.GetClientStreaming():
		policy.Stream.MaxMessages = 0
	}
}

// mendTenantKey declares the key where the limit of a method, or its scope, uses it.
func mendTenantKey(s *descriptorpb.ServiceDescriptorProto, policy *svcv1.Service) {
	if slices.ContainsFunc(policy.Propagate, func(p *svcv1.Propagated) bool { return p.Key == tenantKey }) {
		return
	}
	for _, m := range s.Method {
		method := proto.GetExtension(m.Options, svcv1.E_Method).(*svcv1.Method)
		if method.GetRateLimit().GetKey() != "" || method.GetIdempotencyScope() != "" {
			policy.Propagate = append(policy.Propagate, &svcv1.Propagated{Key: tenantKey})
			return
		}
	}
}
