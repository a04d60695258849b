package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/protosvc/protosvc/test/manifests/objects"
)

// policyNumber is the scenario of NetworkPolicies, and policyProgram what enforces them.
const (
	policyNumber  = 9
	policyProgram = "kube-router"
)

//go:embed policy.yaml
var policyCallers []byte

// passage is whether somebody may connect to something. The names are those of services,
// of the callers in policy.yaml, and of what is beside the cluster.
type passage struct {
	from, to string
	port     int
	allowed  bool
}

// passages are what the contracts of the flagship say: order calls user and payment, and
// nobody calls order but for HTTP/JSON.
var passages = []passage{
	{"order", "user", 9090, true},
	{"order", "payment", 9090, true},
	{"order", "user", 8080, false},
	{"order", "user", 9091, false},
	{"order", dns, 53, true},
	{"order", beside, 5432, true},  // the database
	{"order", beside, 6443, false}, // the API server
	{"user", "order", 9090, false},
	{"user", "payment", 9090, false},
	{"payment", "user", 9090, false},
	{"payment", beside, 5432, true},
	{"monitoring/scraper", "order", 9091, true},
	{"monitoring/scraper", "order", 9090, false},
	{"monitoring/scraper", "user", 8080, false},
	{"ingress-nginx/gate", "order", 8080, true},
	{"ingress-nginx/gate", "order", 9091, false},
	{"elsewhere/stranger", "order", 8080, false},
	{"elsewhere/stranger", "payment", 9090, false},
	{"elsewhere/stranger", "user", 9091, false},
}

const (
	dns    = "the cluster's DNS"
	beside = "the node"
)

func (p passage) String() string { return fmt.Sprintf("from %s to %s, port %d", p.from, p.to, p.port) }

// enforcePolicies wants connections to be possible that the contracts declare, and no
// others, while NetworkPolicies are enforced; and all of them before and after, so that it
// is the policies that deny them. They are enforced on the first node, which has all pods
// meanwhile: two of what enforces them would undo each other's rules in the one network
// that all nodes of this cluster share.
func enforcePolicies(ctx context.Context, f *flagship) (err error) {
	enforced, other := f.nodes[0].name, f.nodes[1].name
	if err := f.kubectl(ctx, "drain", other, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.kubectl(ctx, "uncordon", other)) }()
	if err := errors.Join(f.allSettled(ctx), f.applyFile(ctx, policyCallers)); err != nil {
		return err
	}
	policies, err := f.policies()
	if err != nil {
		return err
	}
	ways, err := f.ways(ctx, enforced)
	if err != nil {
		return err
	}
	if err := f.become(ctx, ways, func(passage) bool { return true }); err != nil {
		return fmt.Errorf("without policies: %w", err)
	}
	kubeconfig, err := f.authority.kubeconfig(f.server.client.url, policyProgram, "admin", "system:masters")
	if err != nil {
		return err
	}
	enforcer, err := start(f.logs, policyProgram, filepath.Join(f.programs, policyProgram), "--kubeconfig="+kubeconfig, "--hostname-override="+enforced,
		"--run-firewall=true", "--run-router=false", "--run-service-proxy=false", "--run-loadbalancer=false", "--enable-cni=false",
		"--service-cluster-ip-range="+serviceNetwork, "--health-port=0")
	if err != nil {
		return err
	}
	defer enforcer.stop()
	for _, o := range policies {
		if _, err := f.server.client.apply(ctx, namespace, o, false); err != nil {
			return err
		}
	}
	if err := f.become(ctx, ways, func(p passage) bool { return p.allowed }); err != nil {
		return fmt.Errorf("with policies: %w\n%s", err, enforcer.tail())
	}
	for _, o := range policies {
		if err := f.server.client.delete(ctx, "/apis/networking.k8s.io/v1/namespaces/"+namespace+"/networkpolicies/"+o.Name(), 0); err != nil {
			return err
		}
	}
	if err := f.become(ctx, ways, func(passage) bool { return true }); err != nil {
		return fmt.Errorf("without policies again: %w\n%s", err, enforcer.tail())
	}
	return nil
}

// policies are the generated ones.
func (f *flagship) policies() (all []objects.Object, err error) {
	for _, service := range services {
		text, err := os.ReadFile(filepath.Join(f.root, "generated/deploy", service, "k8s/components/network-policy/networkpolicy.yaml"))
		if err != nil {
			return nil, err
		}
		var o objects.Object
		if err := yaml.Unmarshal(text, &o); err != nil {
			return nil, fmt.Errorf("%s: %w", service, err)
		}
		all = append(all, o)
	}
	return all, nil
}

// way is a passage with the process in whose network it begins, and the address where it
// ends.
type way struct {
	passage
	pid     int
	address string
}

// ways finds the processes and addresses of the passages on a node.
func (f *flagship) ways(ctx context.Context, node string) (all []way, err error) {
	pids, addresses := map[string]int{}, map[string]string{dns: dnsAddress, beside: controlAddress}
	for _, service := range services {
		pod, err := f.onePod(ctx, service)
		if err != nil {
			return nil, err
		}
		if pod.Spec.NodeName != node {
			return nil, fmt.Errorf("pod %s is on %s, want %s", pod.Name, pod.Spec.NodeName, node)
		}
		if pids[service], err = processOf(pod); err != nil {
			return nil, err
		}
		addresses[service] = pod.Status.PodIP
	}
	for _, p := range passages {
		if _, known := pids[p.from]; !known {
			if pids[p.from], err = f.caller(ctx, p.from); err != nil {
				return nil, err
			}
		}
		all = append(all, way{p, pids[p.from], net.JoinHostPort(addresses[p.to], fmt.Sprint(p.port))})
	}
	return all, nil
}

// caller waits for a pod of policy.yaml and returns a process in its network.
func (f *flagship) caller(ctx context.Context, name string) (pid int, err error) {
	namespace, pod, _ := strings.Cut(name, "/")
	err = f.server.apiserver.within(ctx, time.Minute, func(ctx context.Context) error {
		var now corev1.Pod
		if err := f.server.client.get(ctx, "/api/v1/namespaces/"+namespace+"/pods/"+pod, &now); err != nil {
			return err
		}
		pids, err := processesOf(now)
		if err != nil {
			return err
		}
		if !ready(now) || len(pids) == 0 {
			return fmt.Errorf("pod %s is not ready", name)
		}
		pid = pids[0]
		return nil
	})
	return pid, err
}

// become waits until it is possible to go the ways that are wanted, and no others.
func (f *flagship) become(ctx context.Context, ways []way, wanted func(passage) bool) error {
	return f.server.apiserver.within(ctx, 30*time.Second, func(context.Context) error {
		errs := make([]error, len(ways))
		done := make(chan int)
		for i, w := range ways {
			go func() {
				err := dialFrom(w.pid, w.address)
				if (err == nil) != wanted(w.passage) {
					errs[i] = fmt.Errorf("%v: %v, and it should be possible: %t", w.passage, err, wanted(w.passage))
				}
				done <- i
			}()
		}
		for range ways {
			<-done
		}
		return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...)
	})
}

// dialFrom connects to an address from the network of a process.
func dialFrom(pid int, address string) error {
	// The thread goes there and back. It must not end: programs that it started would end
	// with it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		return err
	}
	defer own.Close()
	there, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	defer func() {
		if err := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(err) // it would be in the wrong network for whatever comes next
		}
	}()
	c, err := (&net.Dialer{Timeout: 2 * time.Second}).Dial("tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}
