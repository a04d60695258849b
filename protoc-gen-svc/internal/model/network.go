package model

import (
	"net/netip"
	"regexp"
	"strings"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

const (
	defaultMonitoringNamespace = "monitoring"
	defaultDatabasePort        = 5432
)

// Network is who may reach a service beyond its callers by contract.
type Network struct {
	// Clients may call over gRPC.
	Clients []NetworkPods
	// HTTPNamespaces is the label of the namespaces that may call over HTTP/JSON;
	// its key is empty where none may.
	HTTPNamespaces Pair
	// MonitoringNamespace has Prometheus and the OpenTelemetry collector.
	MonitoringNamespace string
}

// NetworkPods are pods by a label, in a namespace; empty: that of the service.
type NetworkPods struct {
	Label     Pair
	Namespace string
}

// DatabaseNetwork is where a database is: at addresses, or in pods.
type DatabaseNetwork struct {
	CIDR string
	Pods NetworkPods
	Port uint32
}

// NetworkPeer is the other end of connections that a NetworkPolicy allows:
// addresses, or pods.
type NetworkPeer struct {
	CIDR string
	// Pods are labels of the pods; none: all pods of the namespaces.
	Pods []Pair
	// Namespaces are labels of their namespaces; none: the service's own namespace,
	// or any.
	Namespaces   []Pair
	AnyNamespace bool
}

func (b *builder) network(s *Service, o *svcv1.Network) Network {
	at := s.origin().in("network")
	n := Network{
		HTTPNamespaces:      b.label(at.in("http_namespaces"), o.GetHttpNamespaces(), "kubernetes.io/metadata.name=ingress-nginx"),
		MonitoringNamespace: orDefault(b.namespace(at.in("monitoring_namespace"), o.GetMonitoringNamespace()), defaultMonitoringNamespace),
	}
	if o.GetHttpNamespaces() != "" && !s.HTTP() {
		b.fault(at.in("http_namespaces"), networkNoPaths, o.GetHttpNamespaces())
	}
	for i, c := range o.GetClients() {
		at := at.at("clients", i)
		if c.GetPods() == "" {
			b.fault(at.in("pods"), networkPodsMissing, "app.kubernetes.io/name=web")
		}
		n.Clients = append(n.Clients, b.networkPods(at, c.GetPods(), c.GetNamespace()))
	}
	return n
}

func (b *builder) databaseNetwork(at Origin, o *svcv1.DatabaseNetwork) *DatabaseNetwork {
	if o == nil {
		return nil
	}
	if (o.GetCidr() == "") == (o.GetPods() == "") {
		b.fault(at, networkDatabase)
	}
	if o.GetNamespace() != "" && o.GetPods() == "" {
		b.fault(at.in("namespace"), networkNamespace, o.GetNamespace())
	}
	if o.GetPort() > maxPort {
		b.fault(at.in("port"), portRange, o.GetPort())
	}
	return &DatabaseNetwork{
		CIDR: b.cidr(at.in("cidr"), o.GetCidr()),
		Pods: b.networkPods(at, o.GetPods(), o.GetNamespace()),
		Port: orDefault(o.GetPort(), defaultDatabasePort),
	}
}

func (b *builder) networkPods(at Origin, pods, namespace string) NetworkPods {
	return NetworkPods{
		Label:     b.label(at.in("pods"), pods, "app.kubernetes.io/name=web"),
		Namespace: b.namespace(at.in("namespace"), namespace),
	}
}

var (
	dnsLabel     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	dnsSubdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
)

// label reads "key=value"; empty is none.
func (b *builder) label(at Origin, text, example string) Pair {
	if text == "" {
		return Pair{}
	}
	key, value, _ := strings.Cut(text, "=")
	if !isLabelKey(key) || !labelValue.MatchString(value) {
		b.fault(at, networkLabel, text, example)
	}
	return Pair{key, value}
}

// isLabelKey reports whether Kubernetes takes a key: a name, perhaps after a domain
// and a slash. A name has the form of a value.
func isLabelKey(key string) bool {
	if domain, name, ok := strings.Cut(key, "/"); ok {
		return len(domain) <= maxObjectName && dnsSubdomain.MatchString(domain) && labelValue.MatchString(name)
	}
	return labelValue.MatchString(key)
}

func (b *builder) namespace(at Origin, name string) string {
	if name != "" && !dnsLabel.MatchString(name) {
		b.fault(at, namespaceName, name, "monitoring")
	}
	return name
}

// cidr reads a range of addresses; empty is none. Bits behind the prefix would be
// ignored by some network plugins and refused by others.
func (b *builder) cidr(at Origin, text string) string {
	prefix, err := netip.ParsePrefix(text)
	if text != "" && (err != nil || prefix.Addr().Is4In6() || prefix.Masked() != prefix) {
		b.fault(at, networkCIDR, text, "10.20.0.0/24")
	}
	return text
}

// connect gives each service the edges of the call graph that end at it.
func (s *System) connect() {
	for _, service := range s.Services {
		service.WholeSystem = true
	}
	for _, e := range s.Edges() {
		e.From.Outgoing = append(e.From.Outgoing, e)
		e.To.Incoming = append(e.To.Incoming, e)
	}
}

// Neighbors are the services that it calls, and those that call it.
func (s *Service) Neighbors() []*Service {
	var out []*Service
	for _, e := range s.Incoming {
		out = append(out, e.From)
	}
	for _, e := range s.Outgoing {
		out = append(out, e.To)
	}
	return out
}

// OtherSystem reports whether the edge joins services of two systems, which may be
// in two namespaces.
func (e Edge) OtherSystem() bool { return e.From.System != e.To.System }

// Caller is the service that calls, as a NetworkPolicy finds it.
func (e Edge) Caller() NetworkPeer { return e.peer(e.From) }

// Callee is the service that is called, as a NetworkPolicy finds it.
func (e Edge) Callee() NetworkPeer { return e.peer(e.To) }

func (e Edge) peer(s *Service) NetworkPeer {
	return NetworkPeer{
		Pods:         []Pair{{"app.kubernetes.io/name", s.Name}, {"app.kubernetes.io/part-of", s.System}},
		AnyNamespace: e.OtherSystem(),
	}
}

// HTTPPeer is who may call over HTTP/JSON; nil where the port is closed.
func (s *Service) HTTPPeer() *NetworkPeer {
	if !s.HTTP() || s.Network.HTTPNamespaces.Key == "" {
		return nil
	}
	return &NetworkPeer{Namespaces: []Pair{s.Network.HTTPNamespaces}}
}

// Monitoring are all pods of the monitoring's namespace.
func (n Network) Monitoring() NetworkPeer {
	return NetworkPeer{Namespaces: inNamespace(n.MonitoringNamespace)}
}

// Peer are the pods, as a NetworkPolicy finds them.
func (p NetworkPods) Peer() NetworkPeer {
	return NetworkPeer{Pods: []Pair{p.Label}, Namespaces: inNamespace(p.Namespace)}
}

// inNamespace is the label that Kubernetes gives every namespace.
func inNamespace(name string) []Pair {
	if name == "" {
		return nil
	}
	return []Pair{{"kubernetes.io/metadata.name", name}}
}

// Peer is where the database is; nil where the contract does not say.
func (d *Database) Peer() *NetworkPeer {
	switch {
	case d.Network == nil:
		return nil
	case d.Network.CIDR != "":
		return &NetworkPeer{CIDR: d.Network.CIDR}
	}
	peer := d.Network.Pods.Peer()
	return &peer
}

// Port is where the database listens.
func (d *Database) Port() uint32 {
	if d.Network == nil {
		return defaultDatabasePort
	}
	return d.Network.Port
}

// Peer is where the external service is; nil where the contract does not say.
func (c *HTTPCallee) Peer() *NetworkPeer {
	if c.CIDR == "" {
		return nil
	}
	return &NetworkPeer{CIDR: c.CIDR}
}
