package svc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"

	"google.golang.org/grpc/resolver"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/database"
	"github.com/protosvc/protosvc/svc/httpclient"
	"github.com/protosvc/protosvc/svc/internal/config"
	"github.com/protosvc/protosvc/svc/internal/dns"
)

// What is here finds out without a start what a start would fail for. No error
// repeats an address or a URL: each may hold a password, if only by mistake.

// check looks at the addresses and whether they exclude each other.
func (l Listen) check(fault func(bool, string, string, ...any)) {
	var others []address
	for _, row := range []struct {
		key, address, example string
		optional              bool
	}{
		{"listen.grpc", l.GRPC, ":9090", false},
		{"listen.http", l.HTTP, ":8080", true},
		{"listen.admin", l.Admin, ":9091", false},
	} {
		if row.address == "" {
			fault(!row.optional, row.key, " is empty (want for example %q)", row.example)
			continue
		}
		a, err := parseAddress(row.address)
		if err != nil {
			fault(true, row.key, " %w (want \"host:port\", for example %q)", err, row.example)
			continue
		}
		a.key = row.key
		for _, other := range others {
			fault(a.excludes(other), a.key, " and %s have the same port %d", other.key, a.port)
		}
		others = append(others, a)
	}
}

// address is one to listen on.
type address struct {
	key  string
	host string
	ip   netip.Addr // invalid where the host is a name
	port int
}

var hostname = regexp.MustCompile(`^[\w.-]+$`)

// parseAddress reads an address as net.Listen does, which takes names of ports, too.
func parseAddress(text string) (address, error) {
	host, service, err := net.SplitHostPort(text)
	if err != nil {
		return address{}, errors.New("is not an address")
	}
	a := address{host: host}
	switch host {
	case "":
		a.ip = netip.IPv6Unspecified()
	case "localhost":
		a.ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	default:
		if a.ip, err = netip.ParseAddr(host); err != nil && !hostname.MatchString(host) {
			return address{}, errors.New("has a host that is neither a name nor an IP address")
		}
	}
	if a.port, err = net.LookupPort("tcp", service); err != nil {
		if n, err := strconv.Atoi(service); err == nil {
			return address{}, fmt.Errorf("has the port %d, which is not from 0 to 65535", n)
		}
		return address{}, errors.New("has a port that is neither a number nor a known name")
	}
	return a, nil
}

// excludes reports whether only one of the addresses can be listened on. Port 0 is
// another one each time.
func (a address) excludes(b address) bool {
	return a.port == b.port && a.port != 0 && (a.host == b.host || a.ip.IsValid() && a.ip == b.ip || a.covers(b) || b.covers(a))
}

// covers reports whether a stands for all addresses, that of b among them. The
// unspecified address of IPv6 stands for those of IPv4, too.
func (a address) covers(b address) bool {
	return a.ip.IsValid() && a.ip.IsUnspecified() && (a.ip.Is6() || !b.ip.Is6() || b.ip.IsUnspecified())
}

// checkURL reads the URL as the start does. The context has ended, so that nothing is
// connected to and no file made.
func (d *Database) checkURL() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := database.Open(ctx, database.Options{URL: d.URL}); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// checkCallees makes the clients of the callees, which connect to nothing.
func (s Service) checkCallees(settings *Settings) error {
	var faults []error
	for _, c := range s.Callees {
		if err := checkCallee(c, settings.Callees[c.Key]); err != nil {
			key := "callees." + c.Key
			faults = append(faults, config.Wrong(key, fmt.Errorf("%s: %w", key, err)))
		}
	}
	for _, c := range s.HTTPCallees {
		conn, err := httpclient.New(httpclient.Options{Name: c.Name, URL: settings.HTTPCallees[c.Name].URL})
		if err != nil {
			key := "http_callees." + c.Name
			faults = append(faults, config.Wrong(key, fmt.Errorf("%s: %w", key, err)))
			continue
		}
		_ = conn.Close()
	}
	return errors.Join(faults...)
}

func checkCallee(c *Callee, set calleeSettings) error {
	target := cmp.Or(set.Target, c.Spec.Target)
	scheme, err := checkTarget(target)
	if err != nil && target != "" { // none is told below
		return fmt.Errorf("client of %s: its target is not an address of gRPC: %w (want for example %q)", c.Spec.Service, err, "dns:///host:9090")
	}
	conn, err := client.Dial(c.Spec, client.Options{Target: set.Target, Balance: set.Balance, Resolver: silent{scheme}})
	if err != nil {
		return err
	}
	return conn.Close()
}

// checkTarget returns the scheme by which grpc-go will resolve a target, and refuses
// what only calls would fail for: one of the scheme dns, or of none that grpc-go
// knows, that is not HOST[:PORT].
func checkTarget(target string) (scheme string, err error) {
	const fallback = "dns"
	u, err := url.Parse(target)
	if err == nil && u.Scheme != fallback && resolver.Get(u.Scheme) != nil {
		return u.Scheme, nil
	}
	if err != nil || u.Scheme != fallback {
		u, err = url.Parse(fallback + ":///" + target)
	}
	if err != nil {
		return fallback, errors.New("it is no URL")
	}
	return fallback, dns.Check(*u)
}

// silent is a resolver that finds nothing and asks nobody.
type silent struct{ scheme string }

func (s silent) Scheme() string { return s.scheme }

func (s silent) Build(resolver.Target, resolver.ClientConn, resolver.BuildOptions) (resolver.Resolver, error) {
	return s, nil
}

func (silent) ResolveNow(resolver.ResolveNowOptions) {}
func (silent) Close()                                {}
