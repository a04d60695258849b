package manifests

import (
	"net/netip"
	"slices"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// peer is a pod, or a host outside the cluster, at one end of a connection.
type peer struct {
	address   netip.Addr        // of a host
	namespace string            // of a pod
	labels    map[string]string // of a pod
}

// namespaceLabel is what Kubernetes puts on every namespace.
const namespaceLabel = "kubernetes.io/metadata.name"

// allowed evaluates the policies of the services for a connection over TCP, all
// services in one namespace, as a network plugin does: both ends must allow it.
func allowed(services []*Service, namespace string, from, to peer, port int32) bool {
	return allows(services, namespace, from, networking.PolicyTypeEgress, to, port) &&
		allows(services, namespace, to, networking.PolicyTypeIngress, from, port)
}

// allows reports whether the policies about one end of a connection allow the other
// end. Without a policy about it, everything is allowed.
func allows(services []*Service, namespace string, here peer, direction networking.PolicyType, there peer, port int32) bool {
	isolated := false
	for _, p := range policiesOf(services) {
		if here.namespace != namespace || !selects(&p.Spec.PodSelector, here.labels) || !slices.Contains(p.Spec.PolicyTypes, direction) {
			continue
		}
		isolated = true
		for _, r := range rules(p, direction) {
			if r.covers(there, namespace) && r.opens(core.ProtocolTCP, port) {
				return true
			}
		}
	}
	return !isolated
}

func policiesOf(services []*Service) (all []*networking.NetworkPolicy) {
	for _, s := range services {
		for _, p := range []*networking.NetworkPolicy{s.Policy, s.MigrationPolicy} {
			if p != nil {
				all = append(all, p)
			}
		}
	}
	return all
}

// rule is an ingress or an egress rule.
type rule struct {
	peers []networking.NetworkPolicyPeer
	ports []networking.NetworkPolicyPort
}

func rules(p *networking.NetworkPolicy, direction networking.PolicyType) (out []rule) {
	if direction == networking.PolicyTypeIngress {
		for _, r := range p.Spec.Ingress {
			out = append(out, rule{r.From, r.Ports})
		}
		return out
	}
	for _, r := range p.Spec.Egress {
		out = append(out, rule{r.To, r.Ports})
	}
	return out
}

func (r rule) covers(e peer, namespace string) bool {
	for _, p := range r.peers {
		if matches(p, e, namespace) {
			return true
		}
	}
	return len(r.peers) == 0
}

func matches(p networking.NetworkPolicyPeer, e peer, namespace string) bool {
	if p.IPBlock != nil {
		prefix, err := netip.ParsePrefix(p.IPBlock.CIDR)
		return err == nil && e.address.IsValid() && prefix.Contains(e.address)
	}
	if e.address.IsValid() {
		return false
	}
	if p.NamespaceSelector == nil && e.namespace != namespace {
		return false
	}
	return (p.NamespaceSelector == nil || selects(p.NamespaceSelector, map[string]string{namespaceLabel: e.namespace})) &&
		(p.PodSelector == nil || selects(p.PodSelector, e.labels))
}

func (r rule) opens(protocol core.Protocol, port int32) bool {
	for _, p := range r.ports {
		if p.Protocol != nil && *p.Protocol == protocol && p.Port != nil && p.Port.IntVal == port {
			return true
		}
	}
	return len(r.ports) == 0
}

func selects(s *meta.LabelSelector, set map[string]string) bool {
	selector, err := meta.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(labels.Set(set))
}

// checkNetwork holds a service's NetworkPolicy against its pods, and against the
// policies of the others: what one end allows by name, the other end must too.
func checkNetwork(s *Service, all []*Service, f *faults) {
	if s.Policy == nil {
		return
	}
	spec := s.Policy.Spec
	pods := s.pods()
	f.when(len(spec.PodSelector.MatchLabels) == 0 || !selects(&spec.PodSelector, pods.labels), "selects %v, the pods have %v", spec.PodSelector.MatchLabels, pods.labels)
	f.when(!slices.Contains(spec.PolicyTypes, networking.PolicyTypeIngress) || !slices.Contains(spec.PolicyTypes, networking.PolicyTypeEgress), "policyTypes are %v", spec.PolicyTypes)
	for _, r := range rules(s.Policy, networking.PolicyTypeIngress) {
		f.when(len(r.peers) == 0, "an ingress rule lets in everybody")
		f.when(len(r.ports) == 0, "an ingress rule opens every port")
		for _, p := range r.ports {
			f.when(p.Port == nil || !s.isOpen(p.Port.IntVal), "lets in to port %v, which the container does not open", p.Port)
		}
	}
	for _, r := range rules(s.Policy, networking.PolicyTypeEgress) {
		f.when(len(r.ports) == 0, "an egress rule opens every port")
	}
	for _, direction := range spec.PolicyTypes {
		for _, r := range rules(s.Policy, direction) {
			for _, p := range r.peers {
				s.checkPeer(p, r, direction, all, f)
			}
		}
	}
}

// checkPeer follows a rule about the pods of services to their other end.
func (s *Service) checkPeer(p networking.NetworkPolicyPeer, r rule, direction networking.PolicyType, all []*Service, f *faults) {
	if p.PodSelector == nil || p.PodSelector.MatchLabels["app.kubernetes.io/part-of"] == "" {
		return // not a service of a contract
	}
	found := false
	for _, other := range all {
		if !matches(p, other.pods(), home) {
			continue
		}
		found = true
		for _, port := range r.ports {
			if direction == networking.PolicyTypeIngress {
				f.when(!names(other, networking.PolicyTypeEgress, s, port.Port.IntVal), "lets in %s to port %v, which that one's policy does not let out", other.Name, port.Port)
			} else {
				f.when(!names(other, networking.PolicyTypeIngress, s, port.Port.IntVal), "lets out to %s at port %v, which that one's policy does not let in", other.Name, port.Port)
			}
		}
	}
	f.when(!found, "a rule selects %v, which no service has", p.PodSelector.MatchLabels)
}

// names reports whether a policy has a rule about the pods of a service at a port.
func names(s *Service, direction networking.PolicyType, other *Service, port int32) bool {
	for _, r := range rules(s.Policy, direction) {
		if len(r.peers) > 0 && r.covers(other.pods(), home) && r.opens(core.ProtocolTCP, port) {
			return true
		}
	}
	return false
}

// home is the namespace of the services here.
const home = "shop"

func (s *Service) pods() peer {
	return peer{namespace: home, labels: s.Deployment.Spec.Template.Labels}
}

func (s *Service) isOpen(port int32) bool {
	for _, p := range s.container().Ports {
		if p.ContainerPort == port {
			return true
		}
	}
	return false
}
