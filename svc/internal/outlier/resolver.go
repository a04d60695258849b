package outlier

import "google.golang.org/grpc/resolver"

// policyKey is the attribute of a resolver's state that holds the policy.
type policyKey struct{}

// policyOf returns one that does nothing where there is none.
func policyOf(s resolver.State) *Policy {
	if p, ok := s.Attributes.Value(policyKey{}).(*Policy); ok {
		return p
	}
	return new(Policy)
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

func (c resolverConn) ReportError(err error) {
	c.policy.reached(err)
	c.ClientConn.ReportError(err)
}

func (c resolverConn) UpdateState(s resolver.State) error {
	c.policy.reached(nil)
	s.Attributes = s.Attributes.WithValue(policyKey{}, c.policy)
	return c.ClientConn.UpdateState(s)
}
