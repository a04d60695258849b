package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// operatorName is the program that makes a Prometheus of an object.
const operatorName = "prometheus-operator"

//go:embed monitoring.yaml
var monitoring []byte

// monitor starts prometheus-operator, and by it a Prometheus, and what has the metrics that
// autoscaling wants. It returns when Prometheus answers.
func (f *flagship) monitor(ctx context.Context) (*prometheus, error) {
	if err := f.server.define(ctx, f.root, everyPlural); err != nil {
		return nil, err
	}
	kubeconfig, err := f.authority.kubeconfig(f.server.client.url, "monitoring", "admin", "system:masters")
	if err != nil {
		return nil, err
	}
	var operator *process
	for _, p := range []struct {
		name string
		args []string
	}{
		{operatorName, []string{
			"--apiserver=" + f.server.client.url, "--ca-file=" + f.authority.path("ca.crt"),
			"--cert-file=" + f.authority.path("monitoring.crt"), "--key-file=" + f.authority.path("monitoring.key"),
			"--prometheus-config-reloader=" + imageOf("prometheus-config-reloader"),
			"--config-reloader-cpu-limit=0", "--config-reloader-memory-limit=0", "--web.listen-address=127.0.0.1:8081",
		}},
		{"metrics-server", []string{
			"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
			"--bind-address=" + controlAddress, "--secure-port=4443", "--cert-dir=" + filepath.Join(f.data, "metrics-server"),
			"--kubelet-preferred-address-types=InternalIP", "--kubelet-certificate-authority=" + f.authority.path("ca.crt"),
			"--metric-resolution=15s",
		}},
	} {
		started, err := start(f.logs, p.name, filepath.Join(f.programs, p.name), p.args...)
		if err != nil {
			return nil, err
		}
		f.others = append(f.others, started)
		if p.name == operatorName {
			operator = started
		}
	}
	if err := f.applyFile(ctx, monitoring); err != nil {
		return nil, err
	}
	p := &prometheus{}
	return p, operator.within(ctx, 2*time.Minute, func(ctx context.Context) error {
		var pods corev1.PodList
		if err := f.server.client.get(ctx, "/api/v1/namespaces/monitoring/pods", &pods); err != nil {
			return err
		}
		if len(pods.Items) != 1 || !ready(pods.Items[0]) {
			return errors.New("the pod of Prometheus is not ready")
		}
		p.url = "http://" + pods.Items[0].Status.PodIP + ":9090"
		return nil
	})
}

// finding is something that was wanted beside the scenarios, and what came of it.
type finding struct {
	what string
	err  error
}

// judgeMonitoring starts a monitoring and looks at what it sees of the flagship under
// load.
func (f *flagship) judgeMonitoring(ctx context.Context) []finding {
	l, err := f.startLoad()
	if err != nil {
		return []finding{{"load begins", err}}
	}
	defer l.stop()
	p, err := f.monitor(ctx)
	if err != nil {
		return []finding{{"prometheus-operator starts a Prometheus", err}}
	}
	return []finding{
		{"Every pod is a target that is up, with the governed labels and no others.", f.targets(ctx, p)},
		{"Prometheus has the series that the README of each service names.", f.collected(ctx, p)},
		{"User gets more pods while it is busy, by its HorizontalPodAutoscaler.", f.autoscaled(ctx, "user")},
	}
}

// autoscaled keeps a service busy until its HorizontalPodAutoscaler wants more pods than
// at first, and sets the number of pods to that again. The caller lists users, over
// several connections, as fast as it can.
func (f *flagship) autoscaled(ctx context.Context, service string) error {
	before, err := f.replicas(ctx, service)
	if err != nil {
		return err
	}
	busy, rest := context.WithCancel(ctx)
	defer rest()
	for range 4 {
		go func() {
			c := newHTTPClient(true)
			defer c.CloseIdleConnections()
			for busy.Err() == nil {
				_, _, _ = ask(busy, c, http.MethodGet, address(service)+"/v1/users") // whatever comes of it
			}
		}()
	}
	grown := f.server.apiserver.within(ctx, 2*time.Minute, func(ctx context.Context) error {
		now, err := f.replicas(ctx, service)
		if err == nil && now <= before {
			err = fmt.Errorf("%s has %d pods as before", service, now)
		}
		return err
	})
	rest()
	return errors.Join(grown, f.scale(ctx, service, int(before)))
}

// prometheus answers queries.
type prometheus struct{ url string }

// series are those that a query selects now, each by its labels.
func (p *prometheus) series(ctx context.Context, query string) ([]map[string]string, error) {
	_, text, err := ask(ctx, http.DefaultClient, http.MethodGet, p.url+"/api/v1/query?query="+url.QueryEscape(query))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Metric map[string]string }
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", query, answer.Error)
	}
	var all []map[string]string
	for _, r := range answer.Data.Result {
		all = append(all, r.Metric)
	}
	return all, nil
}

// governed are the labels of every target, as docs/labels.md has them.
var governed = []string{"instance", "job", "namespace", "node", "pod", "system", "team", "version"}

// targets wants every pod of the flagship to be a target that is up and has those labels
// and no others.
func (f *flagship) targets(ctx context.Context, p *prometheus) error {
	return f.server.apiserver.within(ctx, 90*time.Second, func(ctx context.Context) error {
		up, err := p.series(ctx, fmt.Sprintf("up{namespace=%q} == 1", namespace))
		if err != nil {
			return err
		}
		seen := map[string]string{}
		for _, labels := range up {
			seen[labels["pod"]] = labels["job"]
			delete(labels, "__name__")
			if got := slices.Sorted(maps.Keys(labels)); !slices.Equal(got, governed) {
				return fmt.Errorf("target %s has the labels %v, want %v", labels["pod"], got, governed)
			}
		}
		var all []error
		for _, service := range services {
			pods, err := f.pods(ctx, service)
			if err != nil {
				return err
			}
			for _, pod := range pods {
				if seen[pod.Name] != service {
					all = append(all, fmt.Errorf("pod %s is no target of job %s that is up", pod.Name, service))
				}
				delete(seen, pod.Name)
			}
		}
		if len(seen) > 0 {
			all = append(all, fmt.Errorf("targets that are no pods: %v", seen))
		}
		return errors.Join(all...)
	})
}

// A row of the table of metrics in a README begins with the names of series.
var (
	metricsRow = regexp.MustCompile("(?m)^\\| (`[a-z_]+`[^|]*)\\|")
	metricName = regexp.MustCompile("`([a-z_]+)`")
)

// documented are the metrics that the README of a service names.
func documented(root, service string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root, "generated/deploy", service, "README.md"))
	if err != nil {
		return nil, err
	}
	_, section, found := strings.Cut(string(text), "\n## Metrics\n")
	if !found {
		return nil, fmt.Errorf("the README of %s has no section of metrics", service)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var names []string
	for _, row := range metricsRow.FindAllStringSubmatch(section, -1) {
		for _, name := range metricName.FindAllStringSubmatch(row[1], -1) {
			names = append(names, name[1])
		}
	}
	return names, nil
}

// collected wants Prometheus to have the series that the README of each service names.
func (f *flagship) collected(ctx context.Context, p *prometheus) error {
	return f.server.apiserver.within(ctx, time.Minute, func(ctx context.Context) error {
		var all []error
		for _, service := range services {
			names, err := documented(f.root, service)
			if err != nil {
				return err
			}
			if len(names) == 0 {
				return fmt.Errorf("the README of %s names no metric", service)
			}
			have, err := p.series(ctx, fmt.Sprintf("group by (__name__) ({job=%q})", service))
			if err != nil {
				return err
			}
			for _, name := range names {
				if !slices.ContainsFunc(have, func(labels map[string]string) bool {
					got := labels["__name__"]
					return got == name || got == name+"_count"
				}) {
					all = append(all, fmt.Errorf("%s has no series %s", service, name))
				}
			}
		}
		return errors.Join(all...)
	})
}
