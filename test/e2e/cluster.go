package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/protosvc/protosvc/test/manifests/objects"
)

// cluster is a Kubernetes with nodes, in the namespaces of this process.
type cluster struct {
	programs, version string // folder of what is started, and what it is built from
	data, pki, cni    string // folders of what is written, in memory
	logs              string // one that stays

	images    []string // archives that every node imports
	authority *authority
	server    *server
	nodes     []*node
	others    []*process // controllers, scheduler, proxy
}

// controlPorts are those of the store, its peers, and the API server.
var controlPorts = [3]string{"2379", "2380", "6443"}

// dnsAddress is that of the Service of CoreDNS.
const dnsAddress = "10.96.0.10"

//go:embed coredns.yaml
var coredns []byte

// startCluster starts everything and returns when pods can be started and find each
// other by name.
func startCluster(ctx context.Context, programs, version string, images []string, logs string, nodes []*node, r *report) (_ *cluster, err error) {
	c := &cluster{programs: programs, version: version, images: images, data: "/run/e2e", logs: logs, nodes: nodes}
	c.pki, c.cni = filepath.Join(c.data, "pki"), filepath.Join(c.data, "cni")
	for _, folder := range []string{c.pki, c.cni} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(c.cni, "e2e.conflist"), fmt.Appendf(nil, cniConfig, filepath.Join(c.data, "addresses")), 0o644); err != nil {
		return nil, err
	}
	if c.authority, err = newAuthority(c.pki); err != nil {
		return nil, err
	}
	if err := c.startServer(ctx); err != nil {
		return nil, err
	}
	r.note("the API server is ready")
	if err := c.startControllers(); err != nil {
		return nil, err
	}
	if err := makeCgroups(nodes); err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if err := n.start(ctx, c); err != nil {
			return nil, fmt.Errorf("%s: %w", n.name, err)
		}
	}
	if err := c.startProxy(); err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if err := n.kubelet.within(ctx, time.Minute, func(ctx context.Context) error { return n.ready(ctx, c) }); err != nil {
			return nil, fmt.Errorf("%s: %w", n.name, err)
		}
	}
	r.note("%d nodes are ready", len(nodes))
	if err := c.startDNS(ctx); err != nil {
		return nil, fmt.Errorf("CoreDNS: %w", err)
	}
	r.note("CoreDNS is ready")
	return c, nil
}

func (c *cluster) startServer(ctx context.Context) (err error) {
	if err := c.authority.issue("kubelet-client", "kube-apiserver", nil, "system:masters"); err != nil {
		return err
	}
	c.server, err = startServer(ctx, c.authority, serverAt{
		programs: c.programs, data: c.data, logs: c.logs, address: controlAddress, ports: controlPorts,
		args: []string{
			"--enable-admission-plugins=NodeRestriction",
			"--kubelet-preferred-address-types=InternalIP", // nothing knows the names of the nodes
			"--kubelet-client-certificate=" + c.authority.path("kubelet-client.crt"),
			"--kubelet-client-key=" + c.authority.path("kubelet-client.key"),
			"--kubelet-certificate-authority=" + c.authority.path("ca.crt"),
		},
	})
	return err
}

// startControllers starts what makes pods of Deployments and finds nodes for them.
func (c *cluster) startControllers() error {
	for _, p := range []struct {
		name, user string
		args       []string
	}{
		{"kube-controller-manager", "system:kube-controller-manager", []string{
			"--use-service-account-credentials", "--root-ca-file=" + c.authority.path("ca.crt"),
			"--service-account-private-key-file=" + c.authority.path("sa.key"),
			"--service-cluster-ip-range=" + serviceNetwork, "--allocate-node-cidrs=false",
		}},
		{"kube-scheduler", "system:kube-scheduler", nil},
	} {
		kubeconfig, err := c.authority.kubeconfig(c.server.client.url, p.name, p.user)
		if err != nil {
			return err
		}
		args := append([]string{
			"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
			"--leader-elect=false", "--bind-address=127.0.0.1",
		}, p.args...)
		started, err := start(c.logs, p.name, filepath.Join(c.programs, p.name), args...)
		if err != nil {
			return err
		}
		c.others = append(c.others, started)
	}
	return nil
}

// startProxy starts what leads from Services to pods: once, since the nodes share a
// network.
func (c *cluster) startProxy() error {
	kubeconfig, err := c.authority.kubeconfig(c.server.client.url, "kube-proxy", "system:kube-proxy")
	if err != nil {
		return err
	}
	config := filepath.Join(c.data, "kube-proxy.yaml")
	text := fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: %s
clientConnection: {kubeconfig: %s}
hostnameOverride: %s
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
`, podNetwork, kubeconfig, c.nodes[0].name)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	started, err := start(c.logs, "kube-proxy", filepath.Join(c.programs, "kube-proxy"), "--config="+config)
	if err != nil {
		return err
	}
	c.others = append(c.others, started)
	return nil
}

// startDNS applies CoreDNS and waits until it answers.
func (c *cluster) startDNS(ctx context.Context) error {
	// Without its ServiceAccount, which a controller makes, no namespace takes pods.
	wait := func(ready func(context.Context) error) error {
		return c.server.apiserver.within(ctx, time.Minute, ready)
	}
	if err := wait(func(ctx context.Context) error {
		return c.server.client.get(ctx, "/api/v1/namespaces/kube-system/serviceaccounts/default", nil)
	}); err != nil {
		return err
	}
	if err := c.applyFile(ctx, coredns); err != nil {
		return err
	}
	return wait(func(ctx context.Context) error {
		_, err := c.server.client.available(ctx, "kube-system", "coredns")
		return err
	})
}

// applyFile applies the objects of a file, each in the namespace that it names.
func (c *cluster) applyFile(ctx context.Context, text []byte) error { return c.applyTo(ctx, "", text) }

// applyTo applies the objects of a file, those that name no namespace in this one.
func (c *cluster) applyTo(ctx context.Context, into string, text []byte) error {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var o objects.Object
		if err := decoder.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		meta, _ := o["metadata"].(map[string]any)
		namespace, named := meta["namespace"].(string)
		if !named {
			namespace = into
		}
		if _, err := c.server.client.apply(ctx, namespace, o, false); err != nil {
			return fmt.Errorf("%s %s: %w", o.Kind(), o.Name(), err)
		}
	}
}

// available reports whether a Deployment has all the pods that it wants, of the newest
// template, and no others. It returns how many those are.
func (c *client) available(ctx context.Context, namespace, name string) (want int32, err error) {
	var d appsv1.Deployment
	if err := c.get(ctx, "/apis/apps/v1/namespaces/"+namespace+"/deployments/"+name, &d); err != nil {
		return 0, err
	}
	s := d.Status
	want = *d.Spec.Replicas
	if s.ObservedGeneration != d.Generation || s.UpdatedReplicas != want || s.AvailableReplicas != want || s.Replicas != want {
		err = fmt.Errorf("%d of %d pods of %s are new and %d available, with %d in all", s.UpdatedReplicas, want, name, s.AvailableReplicas, s.Replicas)
	}
	return want, err
}
