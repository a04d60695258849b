package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// notice is how long callers may fail after a pod has gone without a word.
const notice = 2 * time.Second

// brief wants calls to succeed that begin later than that.
func brief(t *trial) error {
	late := slices.DeleteFunc(t.failed(), func(c call) bool { return c.start.After(t.began) && c.start.Before(t.began.Add(notice)) })
	if len(late) == 0 {
		return nil
	}
	return fmt.Errorf("%d calls failed before, or later than %v after it (%s), the last %v after it: %s %s", len(late), notice, outcomes(late),
		late[len(late)-1].start.Sub(t.began).Round(time.Millisecond), late[len(late)-1].outcome, late[len(late)-1].detail)
}

// killProcess kills what runs in a pod, and waits until the kubelet has started it again.
func killProcess(service string) func(context.Context, *flagship) error {
	return func(ctx context.Context, f *flagship) error {
		pod, err := f.onePod(ctx, service)
		if err != nil {
			return err
		}
		pid, err := processOf(pod)
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return err
		}
		return f.server.apiserver.within(ctx, time.Minute, func(ctx context.Context) error {
			var now corev1.Pod
			if err := f.server.client.get(ctx, podPath(pod.Name), &now); err != nil {
				return err
			}
			if now.Status.ContainerStatuses[0].RestartCount == pod.Status.ContainerStatuses[0].RestartCount || !ready(now) {
				return fmt.Errorf("pod %s was not started again, or is not ready", pod.Name)
			}
			return nil
		})
	}
}

func podPath(name string) string { return "/api/v1/namespaces/" + namespace + "/pods/" + name }

// onePod is the first of a service.
func (f *flagship) onePod(ctx context.Context, service string) (corev1.Pod, error) {
	pods, err := f.pods(ctx, service)
	if err != nil {
		return corev1.Pod{}, err
	}
	if len(pods) == 0 {
		return corev1.Pod{}, fmt.Errorf("%s has no pod", service)
	}
	return pods[0], nil
}

// processOf finds the process of a pod: the one whose program is not that of the pause
// image.
func processOf(pod corev1.Pod) (int, error) {
	all, err := processesOf(pod)
	if err != nil {
		return 0, err
	}
	for _, pid := range all {
		if program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && filepath.Base(program) != "pause" {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("pod %s has no process", pod.Name)
}

// processesOf are those of a pod and of its pause image.
func processesOf(pod corev1.Pod) (pids []int, err error) {
	all, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return nil, err
	}
	for _, path := range all {
		groups, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(groups), "pod"+string(pod.UID)) {
			continue // it has ended, or is of another pod
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// deleteAtOnce deletes a pod as one does whose node does not answer any more.
func deleteAtOnce(service string) func(context.Context, *flagship) error {
	return func(ctx context.Context, f *flagship) error {
		pod, err := f.onePod(ctx, service)
		if err != nil {
			return err
		}
		if err := f.server.client.delete(ctx, podPath(pod.Name), 0); err != nil {
			return err
		}
		return f.settled(ctx, service)
	}
}

// evictTwo wants the first eviction to go and the second to be refused, as the
// PodDisruptionBudget says.
func evictTwo(service string) func(context.Context, *flagship) error {
	return func(ctx context.Context, f *flagship) error {
		pods, err := f.pods(ctx, service)
		if err != nil {
			return err
		}
		if len(pods) < 2 {
			return fmt.Errorf("%s has %d pods, and two are to be evicted", service, len(pods))
		}
		if err := f.evict(ctx, pods[0].Name); err != nil {
			return err
		}
		var refused *refusal
		if err := f.evict(ctx, pods[1].Name); !errors.As(err, &refused) || refused.status != http.StatusTooManyRequests {
			return fmt.Errorf("the second eviction: %v, want 429", err)
		}
		return f.settled(ctx, service)
	}
}

func (f *flagship) evict(ctx context.Context, pod string) error {
	return f.server.client.create(ctx, podPath(pod)+"/eviction", map[string]any{
		"apiVersion": "policy/v1", "kind": "Eviction", "metadata": map[string]any{"name": pod, "namespace": namespace},
	})
}

// drain is kubectl drain of a node, and the end of the work on it.
func drain(ctx context.Context, f *flagship) error {
	name, err := f.busiest(ctx)
	if err != nil {
		return err
	}
	if err := f.kubectl(ctx, "drain", name, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s"); err != nil {
		return err
	}
	var left corev1.PodList
	if err := f.server.client.get(ctx, "/api/v1/pods?fieldSelector=spec.nodeName%3D"+name, &left); err != nil {
		return err
	}
	if len(left.Items) > 0 {
		return fmt.Errorf("%d pods are left on %s", len(left.Items), name)
	}
	if err := f.kubectl(ctx, "uncordon", name); err != nil {
		return err
	}
	return f.allSettled(ctx)
}

// busiest is the node with the most pods of the flagship: after a drain, they are all on
// the other one.
func (f *flagship) busiest(ctx context.Context) (string, error) {
	on := map[string]int{}
	for _, service := range services {
		pods, err := f.pods(ctx, service)
		if err != nil {
			return "", err
		}
		for _, p := range pods {
			on[p.Spec.NodeName]++
		}
	}
	busiest := ""
	for name, n := range on {
		if n > on[busiest] {
			busiest = name
		}
	}
	if busiest == "" {
		return "", errors.New("no node has a pod of the flagship")
	}
	return busiest, nil
}

func (f *flagship) kubectl(ctx context.Context, args ...string) error {
	kubeconfig, err := f.authority.kubeconfig(f.server.client.url, "kubectl", "admin", "system:masters")
	if err != nil {
		return err
	}
	return command(ctx, "", filepath.Join(f.programs, "kubectl"), append([]string{"--kubeconfig", kubeconfig}, args...)...)
}
