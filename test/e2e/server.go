package main

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"time"
)

// The addresses of Services, the API server's own being the first.
const (
	serviceNetwork      = "10.96.0.0/16"
	serviceNetworkFirst = "10.96.0.1"
)

// aggregator is the name by which the API server calls others in the name of its callers.
const aggregator = "aggregator"

// server is an API server and its store.
type server struct {
	etcd, apiserver *process
	client          *client
}

// startAlone starts both on free ports of the loopback. Everything they write lies in
// the folder.
func startAlone(ctx context.Context, programs, folder string) (*server, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	authority, err := newAuthority(folder)
	if err != nil {
		return nil, err
	}
	return startServer(ctx, authority, serverAt{
		programs: programs, data: folder, logs: folder, address: "127.0.0.1", ports: [3]string(ports),
		args: []string{"--endpoint-reconciler-type=none"}, // a service on the loopback can have no endpoints
	})
}

// serverAt is where a server runs, and how.
type serverAt struct {
	programs, data, logs string // folders
	address              string
	ports                [3]string // of the store, its peers, and the API server
	args                 []string  // further ones of the API server
}

// startServer returns when the API server is ready.
func startServer(ctx context.Context, authority *authority, at serverAt) (s *server, err error) {
	s = &server{}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if err := authority.issue("server", "kube-apiserver", []string{at.address, serviceNetworkFirst}); err != nil {
		return s, err
	}
	if err := authority.issue("admin", "admin", nil, "system:masters"); err != nil {
		return s, err
	}
	if err := authority.issue(aggregator, aggregator, nil); err != nil {
		return s, err
	}
	store, peers := "http://127.0.0.1:"+at.ports[0], "http://127.0.0.1:"+at.ports[1]
	s.etcd, err = start(at.logs, "etcd", filepath.Join(at.programs, "etcd"),
		"--data-dir="+filepath.Join(at.data, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls="+store, "--advertise-client-urls="+store,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=default="+peers)
	if err != nil {
		return s, err
	}
	args := []string{
		"--etcd-servers=" + store, "--bind-address=" + at.address, "--advertise-address=" + at.address, "--secure-port=" + at.ports[2],
		"--service-cluster-ip-range=" + serviceNetwork, "--authorization-mode=Node,RBAC",
		"--client-ca-file=" + authority.path("ca.crt"),
		"--tls-cert-file=" + authority.path("server.crt"), "--tls-private-key-file=" + authority.path("server.key"),
		// Other API servers, that of metrics for one, believe this one who a caller is.
		"--requestheader-client-ca-file=" + authority.path("ca.crt"), "--requestheader-allowed-names=" + aggregator,
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + authority.path(aggregator+".crt"), "--proxy-client-key-file=" + authority.path(aggregator+".key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + authority.path("sa.pub"), "--service-account-signing-key-file=" + authority.path("sa.key"),
	}
	s.apiserver, err = start(at.logs, "kube-apiserver", filepath.Join(at.programs, "kube-apiserver"), append(args, at.args...)...)
	if err != nil {
		return s, err
	}
	config, err := authority.clientTLS("admin")
	if err != nil {
		return s, err
	}
	s.client = newClient("https://"+net.JoinHostPort(at.address, at.ports[2]), config)
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, errors.New("not ready after 2 minutes"))
	defer cancel()
	return s, s.apiserver.until(ctx, func(ctx context.Context) error { return s.client.get(ctx, "/readyz", nil) })
}

// stop ends the API server before its store.
func (s *server) stop() {
	for _, p := range []*process{s.apiserver, s.etcd} {
		if p != nil {
			p.stop()
		}
	}
}

// freePorts finds ports that nobody listens on.
func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }() // together, so that all are different
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
