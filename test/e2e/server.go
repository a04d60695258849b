package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"time"
)

// server is an API server and its store, without a node.
type server struct {
	etcd, apiserver *process
	client          *client
}

// startServer starts both on free ports of the loopback, and returns when the API server
// is ready. Everything they write lies in the folder.
func startServer(ctx context.Context, programs, folder string) (s *server, err error) {
	s = &server{}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	authority, err := newAuthority(folder)
	if err != nil {
		return s, err
	}
	if err := authority.issue("server", "kube-apiserver", []net.IP{net.IPv4(127, 0, 0, 1)}); err != nil {
		return s, err
	}
	if err := authority.issue("admin", "admin", nil, "system:masters"); err != nil {
		return s, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return s, err
	}
	store, peers := "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1]
	s.etcd, err = start(folder, filepath.Join(programs, "etcd"),
		"--data-dir="+filepath.Join(folder, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls="+store, "--advertise-client-urls="+store,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=default="+peers)
	if err != nil {
		return s, err
	}
	s.apiserver, err = start(folder, filepath.Join(programs, "kube-apiserver"),
		"--etcd-servers="+store, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port="+ports[2],
		"--endpoint-reconciler-type=none", // a service on the loopback can have no endpoints
		"--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=Node,RBAC",
		"--client-ca-file="+authority.path("ca.crt"),
		"--tls-cert-file="+authority.path("server.crt"), "--tls-private-key-file="+authority.path("server.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+authority.path("sa.pub"), "--service-account-signing-key-file="+authority.path("sa.key"))
	if err != nil {
		return s, err
	}
	config, err := authority.clientTLS("admin")
	if err != nil {
		return s, err
	}
	s.client = newClient("https://127.0.0.1:"+ports[2], config)
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, fmt.Errorf("not ready after 2 minutes"))
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
