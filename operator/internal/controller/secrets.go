package controller

import (
	"cmp"
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/protosvc/protosvc/operator/internal/rollout"
)

// secrets restarts the pods, once, where a Secret has other values than those that they have
// in their environment, which never changes while a process runs. The first values that are
// seen are those that pods have: nothing says when they started with which.
func (r *Reconciler) secrets(ctx context.Context, s *service, v rollout.View, now values) error {
	switch before := s.config.Annotations[secrets]; {
	case now.hash == "":
		return nil
	case before == "":
		return r.note(ctx, s, isApplied, map[string]string{secrets: now.hash})
	case before == now.hash:
		if v.Stuck != "" {
			r.event(s, corev1.EventTypeWarning, "PodsDoNotStart", "Start", "those that run go on with what they have: %s", v.Stuck)
		}
		return nil
	}
	// The template comes first: killed after it, the next one finds it done, and says so.
	if err := r.template(ctx, s, secrets, now.hash); err != nil {
		return err
	}
	if err := r.note(ctx, s, isApplied, map[string]string{secrets: now.hash}); err != nil {
		return err
	}
	r.event(s, corev1.EventTypeNormal, "SecretRestarts", "Restart", "pods are restarted one after the other for new values of %s", strings.Join(now.secrets, ", "))
	return nil
}

// values are what pods get from Secrets into their environment.
type values struct {
	hash    string   // "" where there are none, or not all
	secrets []string // where they are from
}

// reference is a value of the environment that a Secret has; with the key "", all of its
// values are.
type reference struct{ secret, key string }

// references are those of the containers of pods, each once, in order.
func references(spec corev1.PodSpec) (all []reference) {
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		for _, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
				all = append(all, reference{e.ValueFrom.SecretKeyRef.Name, e.ValueFrom.SecretKeyRef.Key})
			}
		}
		for _, e := range c.EnvFrom {
			if e.SecretRef != nil {
				all = append(all, reference{e.SecretRef.Name, ""})
			}
		}
	}
	slices.SortFunc(all, func(a, b reference) int {
		return cmp.Or(strings.Compare(a.secret, b.secret), strings.Compare(a.key, b.key))
	})
	return slices.Compact(all)
}

// values are those of a service now. Where one is missing there are none: a pod would not
// start with that, and whoever replaces a Secret may have removed it for a moment.
func (r *Reconciler) values(ctx context.Context, s *service) (v values, err error) {
	var all []byte
	for _, ref := range references(s.deployment.Spec.Template.Spec) {
		var secret corev1.Secret
		err := r.Client.Get(ctx, client.ObjectKey{Namespace: s.deployment.Namespace, Name: ref.secret}, &secret)
		if err != nil {
			return values{}, client.IgnoreNotFound(err)
		}
		if !slices.Contains(v.secrets, ref.secret) {
			v.secrets = append(v.secrets, ref.secret)
		}
		keys := []string{ref.key}
		if ref.key == "" {
			keys = slices.Sorted(maps.Keys(secret.Data))
		}
		for _, key := range keys {
			value, ok := secret.Data[key]
			if !ok {
				return values{}, nil
			}
			sum := sha256.Sum256(value) // of one length, so that values cannot run into each other
			all = append(append(all, key+"\x00"...), sum[:]...)
		}
	}
	if all != nil {
		v.hash, err = r.known.slow(client.ObjectKeyFromObject(s.deployment), all)
	}
	return v, err
}

// rounds make it slow to guess a value by its hash: whoever may read a ConfigMap may not be
// able to read Secrets, and a password can be short.
const rounds = 200_000

// hashes are the last ones, since they take their time.
type hashes struct {
	mu   sync.Mutex
	last map[types.NamespacedName]hashed
}

type hashed struct {
	values [sha256.Size]byte
	slow   string
}

func (h *hashes) slow(owner types.NamespacedName, values []byte) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum := sha256.Sum256(values)
	if last, ok := h.last[owner]; ok && last.values == sum {
		return last.slow, nil
	}
	key, err := pbkdf2.Key(sha256.New, string(values), []byte(owner.String()), rounds, 8)
	if err != nil {
		return "", err
	}
	if h.last == nil {
		h.last = map[types.NamespacedName]hashed{}
	}
	h.last[owner] = hashed{sum, hex.EncodeToString(key)}
	return h.last[owner].slow, nil
}
