package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// node is a kubelet with a containerd of its own. All of a cluster share one network.
type node struct {
	name, address       string
	containerd, kubelet *process
}

// newNodes are so many that do not run yet.
func newNodes(n int) []*node {
	var nodes []*node
	for i := 1; i <= n; i++ {
		nodes = append(nodes, &node{name: fmt.Sprintf("node-%d", i), address: fmt.Sprintf(nodeAddress, i)})
	}
	return nodes
}

// containerd 1.6 is what Debian has; later ones read this version of its settings, too.
// An adjustment of the out-of-memory score below that of the parent is not everywhere
// root's to make.
const containerdConfig = `version = 2
root = "%[1]s/root"
state = "%[1]s/state"
[grpc]
  address = "%[1]s/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:e2e"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "%[2]s"
`

// One bridge for the pods of all nodes.
const cniConfig = `{"cniVersion": "1.0.0", "name": "e2e", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "%s", "ranges": [[{"subnet": "` + podNetwork + `"}]], "routes": [{"dst": "0.0.0.0/0"}]}}
]}
`

// The images are imported, so no image may be collected that no pod uses yet. An edit of a
// ConfigMap reaches a pod when it is synchronised, which is every minute by default.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: %[1]s
healthzPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[2]s}}
authorization: {mode: Webhook}
tlsCertFile: %[3]s.crt
tlsPrivateKeyFile: %[3]s.key
cgroupDriver: cgroupfs
cgroupRoot: /` + cgroup + `/%[4]s
failCgroupV1: false
containerRuntimeEndpoint: unix://%[5]s/containerd.sock
clusterDomain: cluster.local
clusterDNS: [` + dnsAddress + `]
resolvConf: %[5]s/resolv.conf
podLogsDir: %[5]s/pods
volumePluginDir: %[5]s/plugins
failSwapOn: false
syncFrequency: 10s
enforceNodeAllocatable: []
evictionHard: {memory.available: 100Mi, nodefs.available: 1%%, imagefs.available: 1%%}
imageGCHighThresholdPercent: 100
`

// start starts both and imports the images. The node is there when this returns, and
// ready somewhat later.
func (n *node) start(ctx context.Context, c *cluster) (err error) {
	data := filepath.Join(c.data, n.name)
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	write := func(name, text string) string {
		path := filepath.Join(data, name)
		err = errors.Join(err, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	containerd := write("containerd.toml", fmt.Sprintf(containerdConfig, data, c.cni))
	certificate := "kubelet-" + n.name
	if err := c.authority.issue(certificate, n.name, []string{n.address}); err != nil {
		return err
	}
	kubelet := write("kubelet.yaml", fmt.Sprintf(kubeletConfig, n.address, c.authority.path("ca.crt"), c.authority.path(certificate), n.name, data))
	write("resolv.conf", "")
	kubeconfig, kubeconfigErr := c.authority.kubeconfig(c.server.client.url, n.name, "system:node:"+n.name, "system:nodes")
	if err := errors.Join(err, kubeconfigErr); err != nil {
		return err
	}
	if n.containerd, err = start(c.logs, "containerd-"+n.name, "containerd", "--config="+containerd); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("not ready after a minute"))
	defer cancel()
	if err := n.containerd.until(ctx, func(ctx context.Context) error { return n.ctr(ctx, c, "version") }); err != nil {
		return err
	}
	for _, image := range c.images {
		if err := n.ctr(ctx, c, "images", "import", image); err != nil {
			return err
		}
	}
	n.kubelet, err = start(c.logs, "kubelet-"+n.name, filepath.Join(c.programs, "kubelet"),
		"--config="+kubelet, "--kubeconfig="+kubeconfig, "--hostname-override="+n.name, "--node-ip="+n.address, "--root-dir="+filepath.Join(data, "kubelet"))
	return err
}

// ctr runs containerd's client where the kubelet's images and containers are.
func (n *node) ctr(ctx context.Context, c *cluster, args ...string) error {
	args = append([]string{"--address", filepath.Join(c.data, n.name, "containerd.sock"), "--namespace", "k8s.io"}, args...)
	return command(ctx, "", "ctr", args...)
}

// ready reports whether pods can be started on it.
func (n *node) ready(ctx context.Context, c *cluster) error {
	var got corev1.Node
	if err := c.server.client.get(ctx, "/api/v1/nodes/"+n.name, &got); err != nil {
		return err
	}
	for _, condition := range got.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			if condition.Status == corev1.ConditionTrue {
				return nil
			}
			return fmt.Errorf("%s: %s", condition.Reason, condition.Message)
		}
	}
	return errors.New("it says nothing of itself")
}
