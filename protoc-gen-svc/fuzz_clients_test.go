package main_test

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// mendHedge makes the hedging of a method acceptable.
func (c *fuzzContract) mendHedge(m *svcv1.Method, streams bool) {
	if streams {
		m.Hedge = nil
	}
	if m.Hedge == nil {
		return
	}
	m.Retry = nil
	m.Hedge.Delay = cmp.Or(m.Hedge.Delay, "50ms")
	if m.Timeout != "" {
		m.Timeout = "20s"
	}
}

// mendCORS lets pages call services that they can.
func mendCORS(s *descriptorpb.ServiceDescriptorProto, policy *svcv1.Service) {
	routed := slices.ContainsFunc(s.Method, func(m *descriptorpb.MethodDescriptorProto) bool {
		return proto.HasExtension(m.Options, annotations.E_Http)
	})
	cors := policy.GetHttp().GetCors()
	if !routed || len(cors.GetOrigins()) == 0 {
		policy.Http = nil
		return
	}
	cors.Origins = cors.Origins[:1]
	cors.Credentials = cors.Credentials && cors.Origins[0] != "*"
}

// mendHTTPCallees makes external services acceptable.
func (c *fuzzContract) mendHTTPCallees(callees []*svcv1.HTTPCallee) {
	for i, h := range callees {
		h.Name = fmt.Sprintf("%s_%d", c.one(plausible["svc.v1.HTTPCallee.name"]...), i)
		h.Url = cmp.Or(h.Url, "https://example.com")
	}
}

// mendNetwork makes what NetworkPolicies find acceptable.
func (c *fuzzContract) mendNetwork(s *svcv1.Service) {
	for _, client := range s.GetNetwork().GetClients() {
		client.Pods = cmp.Or(client.Pods, "app.kubernetes.io/name=web")
	}
	n := s.GetDatabase().GetNetwork()
	switch {
	case n == nil:
	case n.Cidr != "":
		n.Pods, n.Namespace = "", ""
	default:
		n.Pods = cmp.Or(n.Pods, "cnpg.io/cluster=order")
	}
}
