// Command operator carries edited config to the pods of generated services. See
// docs/operator.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/protosvc/protosvc/operator/internal/controller"
	"github.com/protosvc/protosvc/operator/internal/pods"
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("operator", flag.ContinueOnError)
	namespaces := flags.String("namespaces", os.Getenv("POD_NAMESPACE"), "namespaces of the services, with commas between them; by default its own")
	metricsAddress := flags.String("metrics", ":8080", "address of /metrics")
	probes := flags.String("probes", ":8081", "address of /livez and /readyz")
	elect := flags.Bool("leader-election", true, "whether several may run, of which one works")
	verbose := flags.Bool("verbose", false, "whether the log has every step")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *namespaces == "" {
		return errors.New("-namespaces is empty: say where the services are")
	}
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})))

	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, eventsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	watched := map[string]cache.Config{}
	for name := range strings.SplitSeq(*namespaces, ",") {
		watched[strings.TrimSpace(name)] = cache.Config{}
	}
	m, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme,
		Cache:  cache.Options{DefaultNamespaces: watched},
		// A Secret is read when it is needed: a watch would keep all of them in memory.
		Client:  client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
		Metrics: server.Options{BindAddress: *metricsAddress},

		HealthProbeBindAddress: *probes,
		LivenessEndpointName:   "/livez",
		ReadinessEndpointName:  "/readyz",

		LeaderElection:                *elect,
		LeaderElectionID:              "svc-operator",
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return err
	}
	if err := errors.Join(m.AddHealthzCheck("ping", healthz.Ping), m.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return err
	}
	r := &controller.Reconciler{
		Client: m.GetClient(),
		Pods:   &pods.Client{HTTP: &http.Client{Transport: &http.Transport{IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 1}}},
		Events: m.GetEventRecorder("svc-operator"),
		Meter:  controller.NewMeter(metrics.Registry),
	}
	if err := r.SetUp(m); err != nil {
		return err
	}
	return m.Start(ctrl.SetupSignalHandler())
}
