// Package dns finds the replicas of a service by its name, again and again.
//
// It takes the place of grpc-go's own resolver for the scheme "dns", which asks
// only when a connection has ended, once in 30 seconds at the most for each name,
// and after a name was not found not for up to two minutes. Meanwhile all replicas
// of a service can have been replaced. Here a client asks all the time while it
// is in use, and at once when a replica stops serving.
package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"sync"

	"google.golang.org/grpc/resolver"
)

// Lookup returns the addresses of a host, as [net.Resolver.LookupHost] does.
type Lookup func(ctx context.Context, host string) ([]string, error)

// Builder makes resolvers for targets "dns:[//SERVER/]HOST[:PORT]"; without a
// port it is 443, as everywhere in gRPC. Resolvers of one builder for one target
// share their questions. The zero value is ready for use.
type Builder struct {
	// Lookup asks instead of the name server that the target names, or that of
	// the machine.
	Lookup Lookup

	// OnStale is called when a question fails while older addresses stay in use,
	// with the reason, and with nil when they are up to date again: once for each
	// change. May be nil.
	OnStale func(error)

	mu      sync.Mutex
	watches map[string]*watch // by target
}

var _ resolver.Builder = (*Builder)(nil)

// Scheme returns "dns".
func (*Builder) Scheme() string { return "dns" }

// Build starts to ask for the target's host, unless another resolver does so
// already. An IP address is its own answer.
func (b *Builder) Build(target resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	host, port, err := split(target.Endpoint())
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return fixed{}, cc.UpdateState(stateOf([]string{host}, port))
	}
	lookup, err := b.lookup(target.URL)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	name := target.URL.String()
	w := b.watches[name]
	if w == nil {
		w = newWatch(host, port, lookup, b.OnStale)
		if b.watches == nil {
			b.watches = map[string]*watch{}
		}
		b.watches[name] = w
	}
	r := &subscription{builder: b, name: name, watch: w, cc: cc}
	w.add(r)
	return r, nil
}

// lookup is how the names of a target are looked up.
func (b *Builder) lookup(target url.URL) (Lookup, error) {
	if b.Lookup != nil {
		return b.Lookup, nil
	}
	if target.Host == "" {
		return net.DefaultResolver.LookupHost, nil
	}
	server, err := nameServer(target)
	if err != nil {
		return nil, err
	}
	return (&net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server)
		},
	}).LookupHost, nil
}

// nameServer is the address of the server that a target names.
func nameServer(target url.URL) (string, error) {
	switch {
	case target.Hostname() == "":
		return "", fmt.Errorf("name server %q has no host", target.Host)
	case target.Port() == "":
		return net.JoinHostPort(target.Hostname(), "53"), nil
	}
	return target.Host, nil
}

// split parts host and port. Like everywhere in gRPC, no port is 443 and no host
// is this one.
func split(endpoint string) (host, port string, err error) {
	const defaultPort = "443"
	switch _, err := netip.ParseAddr(endpoint); {
	case endpoint == "":
		return "", "", fmt.Errorf("the target has no host")
	case err == nil:
		return endpoint, defaultPort, nil
	}
	host, port, err = net.SplitHostPort(endpoint)
	if err != nil {
		var bare error
		if host, port, bare = net.SplitHostPort(endpoint + ":" + defaultPort); bare != nil {
			return "", "", err
		}
	}
	if port == "" {
		return "", "", fmt.Errorf("the target ends in a colon: %s", endpoint)
	}
	if host == "" {
		host = "localhost"
	}
	return host, port, nil
}

var (
	hostname = regexp.MustCompile(`^[\w.-]+$`)
	portName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
)

// Check reports what is wrong with a target, as far as that can be known without a
// question. The error repeats nothing of it.
func Check(target url.URL) error {
	host, port, err := split(resolver.Target{URL: target}.Endpoint())
	if err != nil {
		return errors.New("it is not HOST:PORT")
	}
	if _, err := netip.ParseAddr(host); err != nil && !hostname.MatchString(host) {
		return errors.New("its host is neither a name nor an IP address")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err == nil {
		return nil
	}
	if !portName.MatchString(port) { // what "http" is, the dialer looks up
		return errors.New("its port is not a number from 0 to 65535")
	}
	return nil
}

func stateOf(hosts []string, port string) (s resolver.State) {
	for _, host := range hosts {
		address := resolver.Address{Addr: net.JoinHostPort(host, port)}
		s.Addresses = append(s.Addresses, address)
		s.Endpoints = append(s.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{address}})
	}
	return s
}

// fixed is the resolver of an IP address.
type fixed struct{}

func (fixed) ResolveNow(resolver.ResolveNowOptions) {}
func (fixed) Close()                                {}

// subscription is the resolver of one connection.
type subscription struct {
	builder *Builder
	name    string
	watch   *watch
	cc      resolver.ClientConn
	has     []string // the addresses that cc took; guarded by the watch
}

// ResolveNow asks soon, however often it is called.
func (s *subscription) ResolveNow(resolver.ResolveNowOptions) { s.watch.ask() }

// Close ends the questions with the last resolver of the target.
func (s *subscription) Close() {
	s.builder.mu.Lock()
	last := s.watch.remove(s)
	if last {
		delete(s.builder.watches, s.name)
	}
	s.builder.mu.Unlock()
	if last {
		s.watch.close()
	}
}
