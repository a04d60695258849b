package controller

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/protosvc/protosvc/internal/reload"
	"github.com/protosvc/protosvc/operator/internal/pods"
	"github.com/protosvc/protosvc/operator/internal/rollout"
)

// What generated manifests call things.
const (
	managedBy  = "app.kubernetes.io/managed-by"
	generator  = "protoc-gen-svc"
	adminPort  = "admin"              // of a container, and the volume with its token
	tokenKey   = "token"              // of the Secret in that volume
	mainFile   = "config.yaml"        // key of the ConfigMap
	schemaFile = "config.schema.json" // key of the ConfigMap
)

// service is what a ConfigMap belongs to.
type service struct {
	config     *corev1.ConfigMap
	deployment *appsv1.Deployment // nil where nothing mounts the ConfigMap
	pods       []corev1.Pod       // of the deployment, without those that end
	token      string
}

// find reads what belongs to a ConfigMap.
func (r *Reconciler) find(ctx context.Context, config *corev1.ConfigMap) (*service, error) {
	s := &service{config: config}
	var deployments appsv1.DeploymentList
	if err := r.Client.List(ctx, &deployments, client.InNamespace(config.Namespace)); err != nil {
		return nil, err
	}
	for i := range deployments.Items {
		if slices.Contains(mounted(deployments.Items[i].Spec.Template.Spec), config.Name) {
			s.deployment = &deployments.Items[i]
			break
		}
	}
	if s.deployment == nil {
		return s, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(s.deployment.Spec.Selector)
	if err != nil {
		return nil, err
	}
	if s.pods, err = r.podsOf(ctx, config.Namespace, selector); err != nil {
		return nil, err
	}
	s.token, err = r.token(ctx, s.deployment)
	return s, err
}

// mounted are the ConfigMaps that are volumes of pods.
func mounted(spec corev1.PodSpec) (names []string) {
	for _, v := range spec.Volumes {
		if v.ConfigMap != nil {
			names = append(names, v.ConfigMap.Name)
		}
	}
	return names
}

// podsOf are those that do not end, by their names.
func (r *Reconciler) podsOf(ctx context.Context, namespace string, selector labels.Selector) ([]corev1.Pod, error) {
	var list corev1.PodList
	if err := r.Client.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(list.Items, func(p corev1.Pod) bool {
		return p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded
	})
	slices.SortFunc(all, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// token is what the admin ports of a service ask for; "" where there is no Secret with it.
func (r *Reconciler) token(ctx context.Context, d *appsv1.Deployment) (string, error) {
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.Name != adminPort || v.Secret == nil {
			continue
		}
		var secret corev1.Secret
		err := r.Client.Get(ctx, client.ObjectKey{Namespace: d.Namespace, Name: v.Secret.SecretName}, &secret)
		return strings.TrimSpace(string(secret.Data[tokenKey])), client.IgnoreNotFound(err)
	}
	return "", nil
}

// admin is the admin port of a pod; false where it has none yet.
func (s *service) admin(p corev1.Pod) (pods.Pod, bool) {
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			if port.Name == adminPort && p.Status.PodIP != "" {
				return pods.Pod{Address: net.JoinHostPort(p.Status.PodIP, strconv.Itoa(int(port.ContainerPort))), Token: s.token}, true
			}
		}
	}
	return pods.Pod{}, false
}

// files are those of the ConfigMap that pods read, by their names, and the hash that a pod
// has with them in force. Others, of another environment for instance, are nobody's here.
func (s *service) files(names []string) (files map[string]string, wanted string) {
	files = map[string]string{}
	var all [][]byte
	for _, name := range names {
		text, ok := s.config.Data[name]
		if !ok {
			all = append(all, nil)
			continue
		}
		files[name] = text
		all = append(all, []byte(text))
	}
	return files, reload.HashOf(all...).String()
}

// isReady is what the kubelet says.
func isReady(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// crashes is why a pod does not come up; "" where it does, or may.
func crashes(p corev1.Pod) string {
	for _, c := range p.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil && w.Reason == "CrashLoopBackOff" {
			return fmt.Sprintf("pod %s does not start: %s", p.Name, w.Reason)
		}
		if t := c.LastTerminationState.Terminated; t != nil && !c.Ready && c.RestartCount >= 2 {
			return fmt.Sprintf("pod %s does not start: exit code %d, %d times", p.Name, t.ExitCode, c.RestartCount)
		}
	}
	return ""
}

// view asks the pods what they have in force, all at once, and has them hold reloads. It
// returns the names of the files, too, in their order.
func (r *Reconciler) view(ctx context.Context, s *service) (v rollout.View, files []string) {
	files = []string{mainFile}
	seen, silent := make([]*rollout.Pod, len(s.pods)), make([]string, len(s.pods))
	var all sync.WaitGroup
	for i, p := range s.pods {
		if reason := crashes(p); reason != "" && s.newest(p) {
			v.Stuck = reason
			continue
		}
		if address, ok := s.admin(p); ok {
			all.Go(func() { seen[i], silent[i] = r.look(ctx, p, address) })
		}
	}
	all.Wait()
	for i, p := range seen {
		if silent[i] != "" {
			v.Silent = append(v.Silent, silent[i])
		}
		if p != nil {
			v.Pods = append(v.Pods, *p)
			if p.State.Names != nil {
				files = p.State.Names
			}
		}
	}
	return v, files
}

// newest reports whether a pod is not to be replaced for what the operator wrote.
func (s *service) newest(p corev1.Pod) bool {
	template := s.deployment.Spec.Template.Annotations
	return p.Annotations[restarted] == template[restarted] && p.Annotations[secrets] == template[secrets]
}

// look asks one pod, and says why it does not answer though it is ready. Nil is that, or one
// that is not there yet, or not any more.
func (r *Reconciler) look(ctx context.Context, p corev1.Pod, address pods.Pod) (pod *rollout.Pod, silent string) {
	answer, inForce, err := r.Pods.Hold(ctx, address, holdFor)
	if err != nil {
		if isReady(p) {
			silent = fmt.Sprintf("pod %s is ready, and does not answer the operator: %v", p.Name, err)
		}
		return nil, silent
	}
	ready := r.Pods.Ready(ctx, address)
	if !ready && !isReady(p) && answer.Generation == 1 {
		return nil, "" // it starts
	}
	return &rollout.Pod{Name: p.Name, State: answer.State, InForce: inForce, Ready: ready, Nudged: p.Annotations[nudged]}, ""
}
