package main_test

import (
	"cmp"
	"fmt"

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
