package manifests

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/internal/testservice"
	"github.com/protosvc/protosvc/svc"
)

// identity is what an object, a series, a trace or a line says of its service.
type identity struct{ service, system, team, version string }

// TestLabelsAgree compares what the manifests of a service say of it with what the
// running service says, in each of the places of docs/labels.md. The version of the
// manifests is the image's tag, that of the program was linked into it: whoever builds
// the image makes them one, and within each of the two all places agree.
func TestLabelsAgree(t *testing.T) {
	services, err := Services(generated(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		t.Run(s.Name, func(t *testing.T) {
			pod := s.Deployment.Spec.Template.Labels
			want := identity{pod["app.kubernetes.io/name"], pod["app.kubernetes.io/part-of"], pod["team"], pod["app.kubernetes.io/version"]}
			targets, err := s.Monitor.targets(s)
			if err != nil || len(targets) != 1 {
				t.Fatalf("targets %v: %v", targets, err)
			}
			if of := targets[0]; want != (identity{of["job"], of["system"], of["team"], of["version"]}) {
				t.Errorf("target: %v, the manifests say %+v", of, want)
			}
			said := told(t, s.Name)
			want.version = said["build_info"].version
			if want.version == "" {
				t.Error("build_info has no version")
			}
			for _, place := range slices.Sorted(maps.Keys(said)) {
				if said[place] != want {
					t.Errorf("%s: %+v, the manifests say %+v", place, said[place], want)
				}
			}
		})
	}
}

// TestMonitorsAgree: the labels of series do not depend on the kind of monitor.
func TestMonitorsAgree(t *testing.T) {
	services, err := Services(generated(t))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{}
	for _, s := range services {
		targets, err := s.Monitor.targets(s)
		if err != nil || len(targets) != 1 {
			t.Fatalf("%s: targets %v: %v", s.Name, targets, err)
		}
		names[s.Monitor.kind] = slices.Sorted(maps.Keys(targets[0]))
	}
	if diff := cmp.Diff(names["ServiceMonitor"], names["PodMonitor"]); diff != "" || len(names) != 2 {
		t.Errorf("labels by kind of monitor %v:\n%s", names, diff)
	}
}

// told runs a service and returns what it says of itself, by place.
func told(t *testing.T, name string) map[string]identity {
	t.Helper()
	received := startCollector(t)
	var log bytes.Buffer
	said := map[string]identity{"log line ready": {}}
	t.Run("running", func(t *testing.T) { // ends before what it wrote is read
		at := testservice.Start(t, flagship[name], svc.Options{Log: &log, Environ: []string{strings.ToUpper(name) + "_TRACING_SAMPLE_RATIO=1"}})
		if res, err := http.Get("http://" + at.HTTP + firstRoute(t, name)); err != nil {
			t.Error(err)
		} else {
			res.Body.Close()
		}
		text, err := read("http://" + at.Admin + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		said["build_info"] = ofSeries(text)
	})
	for lines := bufio.NewScanner(&log); lines.Scan(); {
		var line struct{ Msg, Service, System, Team, Version string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Errorf("%v: %s", err, lines.Text())
		}
		said["log line "+line.Msg] = identity{line.Service, line.System, line.Team, line.Version}
	}
	said["trace"] = received.last()
	return said
}

// firstRoute is a path of the service that a GET reaches.
func firstRoute(t *testing.T, name string) string {
	t.Helper()
	paths := map[string]string{"order": "/v1/orders/none", "payment": "/v1/payments/none", "user": "/v1/users/none"}
	if paths[name] == "" {
		t.Fatalf("no path of %s is known", name)
	}
	return paths[name]
}

func ofSeries(text string) identity {
	line := regexp.MustCompile(`(?m)^build_info\{.*$`).FindString(text)
	label := func(name string) string {
		if m := regexp.MustCompile(`[{,]` + name + `="([^"]*)"`).FindStringSubmatch(line); m != nil {
			return m[1]
		}
		return ""
	}
	return identity{label("service"), label("system"), label("team"), label("version")}
}

// spans is a collector that keeps who sent the last spans.
type spans struct {
	collector.UnimplementedTraceServiceServer
	sync.Mutex
	from map[string]string
}

func startCollector(t *testing.T) *spans {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	received, server := &spans{}, grpc.NewServer()
	collector.RegisterTraceServiceServer(server, received)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	return received
}

func (s *spans) Export(_ context.Context, in *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	s.Lock()
	defer s.Unlock()
	for _, one := range in.GetResourceSpans() {
		s.from = map[string]string{}
		for _, a := range one.GetResource().GetAttributes() {
			s.from[a.GetKey()] = a.GetValue().GetStringValue()
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func (s *spans) last() identity {
	s.Lock()
	defer s.Unlock()
	return identity{s.from["service.name"], s.from["service.namespace"], s.from["team"], s.from["service.version"]}
}
