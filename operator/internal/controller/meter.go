package controller

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/protosvc/protosvc/operator/internal/rollout"
)

// Meter counts what becomes of configurations.
type Meter struct {
	podsWith, rejectedNow *prometheus.GaugeVec
	rollouts              *prometheus.CounterVec
}

// NewMeter registers the metrics.
func NewMeter(r prometheus.Registerer) *Meter {
	m := &Meter{
		podsWith: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "svc_operator_config_pods",
			Help: "Pods that answer, by whether they have the files of their ConfigMap in force.",
		}, []string{"namespace", "config", "files"}),
		rejectedNow: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "svc_operator_config_rejected",
			Help: "Whether the files of a ConfigMap were rejected, 1, and new pods cannot start with them.",
		}, []string{"namespace", "config"}),
		rollouts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "svc_operator_config_rollouts_total",
			Help: "Files of ConfigMaps that were brought to all pods, applied, or to none, rejected.",
		}, []string{"namespace", "config", "result"}),
	}
	r.MustRegister(m.podsWith, m.rejectedNow, m.rollouts)
	return m
}

func (m *Meter) pods(config client.Object, v rollout.View) {
	counts := map[string]int{"wanted": 0, "other": 0}
	for _, p := range v.Pods {
		if p.State.Files == v.Wanted {
			counts["wanted"]++
		} else {
			counts["other"]++
		}
	}
	for files, n := range counts {
		m.podsWith.WithLabelValues(config.GetNamespace(), config.GetName(), files).Set(float64(n))
	}
	rejected := 0.0
	if v.Rejected == v.Wanted {
		rejected = 1
	}
	m.rejectedNow.WithLabelValues(config.GetNamespace(), config.GetName()).Set(rejected)
}

func (m *Meter) applied(config client.Object) {
	m.rollouts.WithLabelValues(config.GetNamespace(), config.GetName(), "applied").Inc()
}

func (m *Meter) rejected(config client.Object) {
	m.rollouts.WithLabelValues(config.GetNamespace(), config.GetName(), "rejected").Inc()
}

func (m *Meter) forget(name types.NamespacedName) {
	labels := prometheus.Labels{"namespace": name.Namespace, "config": name.Name}
	m.podsWith.DeletePartialMatch(labels)
	m.rejectedNow.DeletePartialMatch(labels)
	m.rollouts.DeletePartialMatch(labels)
}
