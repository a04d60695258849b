package outlier

import "google.golang.org/grpc/resolver"

// policyKey is the attribute of a resolver's state that holds the policy.
type policyKey struct{}

func policyOf(s resolver.State) *Policy {
	p, _ := s.Attributes.Value(policyKey{}).(*Policy)
	return p
}

// resolverBuilder adds the policy to what another resolver finds. It is how
// something that is not JSON reaches a balancer.
type resolverBuilder struct {
	resolver.Builder
	policy *Policy
}

func (b resolverBuilder) Build(t resolver.Target, cc resolver.ClientConn, o resolver.BuildOptions) (resolver.Resolver, error) {
	return b.Builder.Build(t, resolverConn{cc, b.policy}, o)
}

type resolverConn struct {
	resolver.ClientConn
	policy *Policy
}

func (c resolverConn) UpdateState(s resolver.State) error {
	s.Attributes = s.Attributes.WithValue(policyKey{}, c.policy)
	return c.ClientConn.UpdateState(s)
}
