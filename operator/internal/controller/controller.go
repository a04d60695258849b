// Package controller carries an edited ConfigMap to the pods of a generated service: one
// pod, then the rest in steps, or none. All that it has to know is in the cluster and in
// the pods, so it can be stopped anywhere and goes on from there.
package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/protosvc/protosvc/internal/reload"
	"github.com/protosvc/protosvc/operator/internal/pods"
	"github.com/protosvc/protosvc/operator/internal/rollout"
	"github.com/protosvc/protosvc/operator/internal/schema"
)

// What the operator writes on a ConfigMap. Each hash is of its files, and a label so that
// kubectl get configmaps -L svc.protosvc.dev/config shows it.
const (
	statusLabel = "svc.protosvc.dev/config"          // a [status]
	applied     = "svc.protosvc.dev/config-applied"  // hash that all pods had in force last
	rejected    = "svc.protosvc.dev/config-rejected" // hash that was given up
	checked     = "svc.protosvc.dev/config-checked"  // hash that a pod has found good
	message     = "svc.protosvc.dev/config-message"  // what there is to say of the status

	// On pods: the hash that their kubelet was asked to deliver. The change is what makes
	// it look.
	nudged = "svc.protosvc.dev/config-wanted"
	// On the template of a Deployment: the hash that its pods were restarted for.
	restarted = "svc.protosvc.dev/config-restarted"
	// On both: a hash of the values of Secrets that pods were started for.
	secrets = "svc.protosvc.dev/secrets"
)

// status is what a ConfigMap is to its pods.
type status string

const (
	isApplied    status = "applied"
	isApplying   status = "applying"
	isRestarting status = "restarting"
	isRejected   status = "rejected"
)

const (
	// How long a pod leaves its files alone after it was last asked to. If there is no
	// operator any more, pods reload by themselves after that.
	holdFor = time.Minute
	// How often a service is looked at where nothing happens, so that holds go on and
	// pods that differ are found.
	atRest = 20 * time.Second
	// Who writes.
	owner = "svc-operator"
)

// Reconciler carries the ConfigMaps of generated services to their pods.
type Reconciler struct {
	Client client.Client
	Pods   *pods.Client
	Events events.EventRecorder
	Meter  *Meter

	known hashes
}

// SetUp has it called for every ConfigMap that the generator wrote, when that, its
// Deployment or one of its pods changes.
func (r *Reconciler) SetUp(m ctrl.Manager) error {
	ours := predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetLabels()[managedBy] == generator })
	return ctrl.NewControllerManagedBy(m).
		Named("config").
		For(&corev1.ConfigMap{}, builder.WithPredicates(ours)).
		Watches(&appsv1.Deployment{}, handler.EnqueueRequestsFromMapFunc(requests(func(o client.Object) corev1.PodSpec {
			return o.(*appsv1.Deployment).Spec.Template.Spec
		})), builder.WithPredicates(ours)).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(requests(func(o client.Object) corev1.PodSpec {
			return o.(*corev1.Pod).Spec
		})), builder.WithPredicates(ours)).
		Complete(r)
}

// requests are for the ConfigMaps that pods of an object mount.
func requests(spec func(client.Object) corev1.PodSpec) handler.MapFunc {
	return func(_ context.Context, o client.Object) (all []reconcile.Request) {
		for _, name := range mounted(spec(o)) {
			all = append(all, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: name}})
		}
		return all
	}
}

func (r *Reconciler) log(ctx context.Context) logr.Logger { return logf.FromContext(ctx) }

// Reconcile does one step, and says when it wants to look again.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	config := &corev1.ConfigMap{}
	if err := r.Client.Get(ctx, req.NamespacedName, config); err != nil {
		if apierrors.IsNotFound(err) {
			r.Meter.forget(req.NamespacedName)
			err = nil
		}
		return ctrl.Result{}, err
	}
	if config.Labels[managedBy] != generator || config.Data[mainFile] == "" || config.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	s, err := r.find(ctx, config)
	if err != nil || s.deployment == nil {
		return ctrl.Result{}, err
	}
	after, err := r.step(ctx, s)
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: time.Second}, nil // what was read is old
	}
	return ctrl.Result{RequeueAfter: after}, err
}

// step decides by what the pods say, and does it.
func (r *Reconciler) step(ctx context.Context, s *service) (time.Duration, error) {
	v, names := r.view(ctx, s)
	notes := s.config.Annotations
	var files map[string]string
	files, v.Wanted = s.files(names)
	v.Applied, v.Rejected, v.Checked = notes[applied], notes[rejected], notes[checked]
	v.Restarting = s.deployment.Spec.Template.Annotations[restarted]
	r.Meter.pods(s.config, v)
	if v.Rejected != v.Wanted && v.Checked != v.Wanted && notes[applied] != v.Wanted {
		if faults := r.faults(s, files); len(faults) > 0 {
			return atRest, r.reject(ctx, s, v, faults)
		}
	}
	next := v.Next()
	r.log(ctx).V(1).Info("step", "step", next.String(), "files", v.Wanted)
	after := next.After
	if after == 0 {
		after = atRest
	}
	switch next.Action {
	case rollout.Check:
		return after, r.check(ctx, s, v, next.Pods[0], files)
	case rollout.Nudge:
		return after, r.nudge(ctx, s, v, next.Pods)
	case rollout.Load:
		return after, r.load(ctx, s, v, next.Pods)
	case rollout.Undo:
		return after, r.undo(ctx, s, v, next.Pods)
	case rollout.Reject:
		return after, r.reject(ctx, s, v, []string{next.Reason})
	case rollout.Revert:
		return after, r.revert(ctx, s, v)
	case rollout.Settle:
		return after, r.settle(ctx, s, v)
	case rollout.Wait:
		return after, r.wait(ctx, s, v, next.Reason)
	case rollout.Done:
		now, err := r.values(ctx, s)
		if err == nil {
			err = r.done(ctx, s, v, files, now)
		}
		if err == nil {
			err = r.secrets(ctx, s, v, now)
		}
		return after, err
	}
	return after, nil
}

// faults are what the schema has against the files.
func (r *Reconciler) faults(s *service, files map[string]string) (all []string) {
	text := s.config.Data[schemaFile]
	if text == "" {
		return nil
	}
	compiled, err := schema.Parse(text)
	if err != nil {
		return []string{schemaFile + ": " + err.Error()}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, f := range compiled.Faults(name, files[name]) {
			all = append(all, f.String())
		}
	}
	return all
}

// check asks a pod what it would say, and restarts all of them if that is what it wants.
func (r *Reconciler) check(ctx context.Context, s *service, v rollout.View, pod string, files map[string]string) error {
	answer, err := r.Pods.Check(ctx, s.address(pod), files)
	if err != nil {
		return err
	}
	restart := answer.Outcome == reload.Refused
	var faults []string
	for _, f := range answer.Faults {
		f.File = path.Base(f.File) // of the pod's file system
		restart = restart && f.Restart
		faults = append(faults, f.String())
	}
	switch {
	case restart:
		return r.restart(ctx, s, v, faults)
	case answer.Outcome == reload.Refused:
		return r.reject(ctx, s, v, faults)
	}
	return r.note(ctx, s, isApplying, map[string]string{checked: v.Wanted, message: ""})
}

// restart has the Deployment replace its pods, once. The template comes before the note:
// whoever goes on from there knows by it that nothing is to be reloaded.
func (r *Reconciler) restart(ctx context.Context, s *service, v rollout.View, why []string) error {
	if err := r.template(ctx, s, restarted, v.Wanted); err != nil {
		return err
	}
	if err := r.note(ctx, s, isRestarting, map[string]string{message: strings.Join(why, "\n")}); err != nil {
		return err
	}
	r.event(s, corev1.EventTypeNormal, "ConfigRestarts", "Restart", "pods are restarted one after the other for files %s: %s", v.Wanted, strings.Join(why, "; "))
	return nil
}

// template sets a hash on the Deployment's template, "" being none, which replaces the pods
// that have another.
func (r *Reconciler) template(ctx context.Context, s *service, key, hash string) error {
	if s.deployment.Spec.Template.Annotations[key] == hash {
		return nil
	}
	d := s.deployment.DeepCopy()
	if d.Spec.Template.Annotations == nil {
		d.Spec.Template.Annotations = map[string]string{}
	}
	if d.Spec.Template.Annotations[key] = hash; hash == "" {
		delete(d.Spec.Template.Annotations, key)
	}
	return r.Client.Patch(ctx, d, client.MergeFromWithOptions(s.deployment, client.MergeFromWithOptimisticLock{}), client.FieldOwner(owner))
}

// nudge changes pods, so that their kubelets look at what they mount now and not within a
// minute or two.
func (r *Reconciler) nudge(ctx context.Context, s *service, v rollout.View, names []string) error {
	var errs []error
	for _, name := range names {
		pod := s.pod(name)
		changed := pod.DeepCopy()
		if changed.Annotations == nil {
			changed.Annotations = map[string]string{}
		}
		changed.Annotations[nudged] = v.Wanted
		errs = append(errs, client.IgnoreNotFound(r.Client.Patch(ctx, changed, client.MergeFrom(&pod), client.FieldOwner(owner))))
	}
	return errors.Join(errs...)
}

// load has pods put the files in force. What one refuses is in what it says of itself.
func (r *Reconciler) load(ctx context.Context, s *service, v rollout.View, names []string) error {
	if err := r.note(ctx, s, isApplying, map[string]string{message: ""}); err != nil {
		return err
	}
	r.drift(s, v, names)
	var errs []error
	for _, name := range names {
		answer, err := r.Pods.Load(ctx, s.address(name))
		errs = append(errs, err)
		if err == nil {
			r.log(ctx).Info("pod reloaded", "pod", name, "outcome", answer.Outcome, "files", answer.Files)
		}
	}
	return errors.Join(errs...)
}

// driftAfter is longer than a kubelet takes to deliver an edit by itself.
const driftAfter = 2 * time.Minute

// drift says so if pods come back to files that all had in force before.
func (r *Reconciler) drift(s *service, v rollout.View, names []string) {
	if s.config.Annotations[applied] != v.Wanted {
		return
	}
	var drifted []string
	for _, p := range v.Pods {
		if p.InForce > driftAfter && slices.Contains(names, p.Name) {
			drifted = append(drifted, fmt.Sprintf("%s (%s)", p.Name, p.State.Files))
		}
	}
	if drifted != nil {
		r.event(s, corev1.EventTypeWarning, "ConfigDrift", "Load", "pods had other files than %s in force, and get them again: %s", v.Wanted, strings.Join(drifted, ", "))
	}
}

// undo has pods go back.
func (r *Reconciler) undo(ctx context.Context, s *service, v rollout.View, names []string) error {
	var errs []error
	for _, name := range names {
		answer, err := r.Pods.Undo(ctx, s.address(name), v.Wanted)
		errs = append(errs, err)
		if err == nil {
			r.log(ctx).Info("pod went back", "pod", name, "outcome", answer.Outcome, "files", answer.Files)
		}
	}
	return errors.Join(errs...)
}

// reject gives the files up, and says why.
func (r *Reconciler) reject(ctx context.Context, s *service, v rollout.View, why []string) error {
	text := strings.Join(why, "\n")
	if err := r.note(ctx, s, isRejected, map[string]string{rejected: v.Wanted, message: text}); err != nil {
		return err
	}
	r.Meter.rejected(s.config)
	r.event(s, corev1.EventTypeWarning, "ConfigRejected", "Reject", "files %s are not brought to any pod: %s", v.Wanted, text)
	return nil
}

// revert gives the Deployment the template again that pods run which were there before, so
// that they stay and the others go. Where none is left there is nothing to go back to.
func (r *Reconciler) revert(ctx context.Context, s *service, v rollout.View) error {
	for _, p := range s.pods {
		if before := p.Annotations[restarted]; before != v.Wanted {
			return r.template(ctx, s, restarted, before)
		}
	}
	return r.settle(ctx, s, v)
}

// wait says so if it is for pods that do not answer, which somebody has to mend: a token that
// is missing, a NetworkPolicy.
func (r *Reconciler) wait(ctx context.Context, s *service, v rollout.View, why string) error {
	if len(v.Silent) == 0 || s.config.Annotations[message] == why {
		return nil
	}
	if err := r.note(ctx, s, isApplying, map[string]string{message: why}); err != nil {
		return err
	}
	r.event(s, corev1.EventTypeWarning, "ConfigWaits", "Wait", "%s", why)
	return nil
}

// settle says so if pods start with what was given up, since they have no other.
func (r *Reconciler) settle(_ context.Context, s *service, v rollout.View) error {
	if v.Stuck != "" {
		r.event(s, corev1.EventTypeWarning, "ConfigStopsPods", "Start", "new pods start with files %s, which were rejected: %s", v.Wanted, v.Stuck)
	}
	return nil
}

// done keeps the files for whoever wants to go back, and says that all pods have them.
func (r *Reconciler) done(ctx context.Context, s *service, v rollout.View, files map[string]string, now values) error {
	if s.config.Annotations[applied] == v.Wanted && s.config.Annotations[message] == "" && s.config.Labels[statusLabel] == string(isApplied) {
		return nil
	}
	if err := r.keep(ctx, s, v.Wanted, files); err != nil {
		return err
	}
	if err := r.note(ctx, s, isApplied, map[string]string{
		applied: v.Wanted, rejected: "", checked: "", message: "",
		secrets: cmp.Or(s.config.Annotations[secrets], now.hash), // at once: values that change from here on are new ones
	}); err != nil {
		return err
	}
	r.Meter.applied(s.config)
	r.event(s, corev1.EventTypeNormal, "ConfigApplied", "Apply", "files %s are in force in %d pods", v.Wanted, len(v.Pods))
	return nil
}

// keep writes the files into the ConfigMap NAME-applied, which goes with the other.
func (r *Reconciler) keep(ctx context.Context, s *service, hash string, files map[string]string) error {
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: s.config.Name + "-applied", Namespace: s.config.Namespace}}
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(kept), kept)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return err
	}
	kept.Annotations = map[string]string{applied: hash}
	kept.Labels = map[string]string{managedBy: owner, "app.kubernetes.io/part-of": s.config.Labels["app.kubernetes.io/part-of"]}
	kept.Data = files
	gvk, err := apiutil.GVKForObject(s.config, r.Client.Scheme())
	if err != nil {
		return err
	}
	kept.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(s.config, gvk)}
	if missing {
		return r.Client.Create(ctx, kept, client.FieldOwner(owner))
	}
	return r.Client.Update(ctx, kept, client.FieldOwner(owner))
}

// note writes a status and annotations on the ConfigMap; "" removes one. It fails where
// the ConfigMap is not as it was read, so that nothing is said of what has changed since.
func (r *Reconciler) note(ctx context.Context, s *service, now status, notes map[string]string) error {
	changed := s.config.DeepCopy()
	if changed.Annotations == nil {
		changed.Annotations = map[string]string{}
	}
	changed.Labels[statusLabel] = string(now)
	for key, value := range notes {
		if changed.Annotations[key] = value; value == "" {
			delete(changed.Annotations, key)
		}
	}
	if changed.Labels[statusLabel] == s.config.Labels[statusLabel] && maps.Equal(changed.Annotations, s.config.Annotations) {
		return nil
	}
	err := r.Client.Patch(ctx, changed, client.MergeFromWithOptions(s.config, client.MergeFromWithOptimisticLock{}), client.FieldOwner(owner))
	if err == nil {
		s.config = changed
	}
	return err
}

func (s *service) pod(name string) corev1.Pod {
	for _, p := range s.pods {
		if p.Name == name {
			return p
		}
	}
	return corev1.Pod{}
}

func (s *service) address(name string) pods.Pod {
	address, _ := s.admin(s.pod(name))
	return address
}

// most is the most bytes of an event.
const most = 1000

func (r *Reconciler) event(s *service, kind, reason, action, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.Events.Eventf(s.config, nil, kind, reason, action, "%s", text[:min(len(text), most)])
}
