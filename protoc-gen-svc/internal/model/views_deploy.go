package model

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/timefmt"
)

// What follows is said in the files that deploy and document a service.

// Pair is a key with its value.
type Pair struct{ Key, Value string }

// The components of a service, as in the label app.kubernetes.io/component.
// They tell the Service that is scraped from the one that clients resolve.
const (
	ComponentServer    = "server"
	ComponentDiscovery = "discovery"
)

// Labels are what the Kubernetes objects of the service carry.
func (s *Service) Labels() []Pair { return s.labels(ComponentServer) }

// DiscoveryLabels are what its headless Service carries instead.
func (s *Service) DiscoveryLabels() []Pair { return s.labels(ComponentDiscovery) }

func (s *Service) labels(component string) []Pair {
	labels := []Pair{
		{"app.kubernetes.io/name", s.Name},
		{"app.kubernetes.io/component", component},
		{"app.kubernetes.io/part-of", s.System},
		{"app.kubernetes.io/managed-by", "protoc-gen-svc"},
	}
	if s.Team != "" {
		labels = append(labels, Pair{"team", s.Team})
	}
	return labels
}

// PrivilegedPort reports whether a port is one that only root may open where
// nothing else is said.
func (s *Service) PrivilegedPort() bool {
	return slices.ContainsFunc(s.OpenPorts(), func(p NamedPort) bool { return p.Port < 1024 })
}

// Bytes is Memory as a number.
func (s Scale) Bytes() int64 {
	memory, _ := quantity(s.Memory, "") // Build refused what is none
	return int64(memory)
}

// readinessProbe is how long a readiness probe waits where nothing needs longer.
const readinessProbe = 2 * time.Second

// ReadinessProbe is how many seconds the readiness probe waits: long enough for
// the check of the database to say what is wrong.
func (s *Service) ReadinessProbe() int64 {
	wait := readinessProbe
	if s.Database != nil {
		wait = max(wait, s.Database.ReadinessTimeout)
	}
	return int64(math.Ceil(wait.Seconds()))
}

// BalanceName is the policy as config.yaml spells it: "round_robin".
func (c *Callee) BalanceName() string { return snake(c.Balance) }

// Paragraphs are the paragraphs of the comment, each on one line.
func (c Comment) Paragraphs() []string {
	var out []string
	for _, p := range strings.Split(string(c), "\n\n") {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// Source is every proto file that the system comes from.
func (s *System) Source() string {
	var files []string
	for _, svc := range s.Services {
		files = append(files, svc.Source)
	}
	return strings.Join(sorted(files), ", ")
}

// Edge says that one service calls another. A method that is called through the
// outbox says so.
type Edge struct {
	From, To *Service
	Methods  []string
}

// Edges are the call graph.
func (s *System) Edges() []Edge {
	var out []Edge
	for _, from := range s.Services {
		for _, c := range from.Callees {
			if c.Service != nil {
				out = append(out, Edge{from, c.Service, c.described()})
			}
		}
	}
	return out
}

// Node is the service's name in a diagram.
func (s *Service) Node() string { return "svc_" + strings.ReplaceAll(s.Name, "-", "_") }

// Setting is one line of config.yaml: the key of a value or of a section.
type Setting struct {
	// Path is "stop.budget", Env the variable that sets it, empty where none does.
	Path, Env string
	Comment   Comment
	// Annotation is where the contract says the default, empty where it does not.
	Annotation string
	// Type is for people, and empty for a section.
	Type string
	// Value is the default, YAML on one line. Unset says that there is none, or
	// in a section none at all, so the key stands commented out.
	Value string
	Unset bool
	// Secret says that the value is not for everybody's eyes.
	Secret bool

	// What follows from the rest. These are fields since templates read them so often.

	// Key is the last part of the path, Indent the white space in front of it.
	Key, Indent string
	// Top says that the key stands at the left margin.
	Top bool
	// Section says that other keys stand below this one.
	Section bool
	// Withheld says that the value has no place in a file that is shown around.
	Withheld bool
}

// complete returns the setting with what follows from it.
func (s Setting) complete() Setting {
	s.Key = s.Path[strings.LastIndex(s.Path, ".")+1:]
	s.Indent = strings.Repeat("  ", strings.Count(s.Path, "."))
	s.Top = s.Indent == ""
	s.Section = s.Type == ""
	s.Withheld = s.Secret && !s.Section
	return s
}

// Settings are all that config.yaml can say, in its order: the settings that the
// runtime has for every service (svc.Settings), then the service's own.
func (s *Service) Settings() []Setting { return s.settings }

func (s *Service) allSettings() []Setting {
	var out []Setting
	out = append(out, s.listenSettings()...)
	out = append(out,
		Setting{Path: "stop", Comment: "How the process ends after SIGTERM. Together with 5 s of reserve these are the\npod's grace period: raise them in the contract, so that both stay in step."},
		Setting{Path: "stop.drain_delay", Type: "duration", Value: timefmt.Short(s.Stop.DrainDelay), Annotation: "stop.drain_delay",
			Comment: "How long calls are still accepted after readiness went off."},
		Setting{Path: "stop.budget", Type: "duration", Value: timefmt.Short(s.Stop.Budget), Annotation: "stop.budget",
			Comment: "How long calls in flight may take after that; then they are cut."},
	)
	out = append(out, s.limitSettings()...)
	out = append(out,
		Setting{Path: "log", Comment: "JSON lines on standard error."},
		Setting{Path: "log.level", Type: "level", Value: "info",
			Comment: "debug, info, warn or error. A reload changes it while the service runs."},
		Setting{Path: "tracing", Comment: "OpenTelemetry. Spans leave the process only when the standard variable\nOTEL_EXPORTER_OTLP_ENDPOINT says where to."},
		Setting{Path: "tracing.sample_ratio", Type: "number", Value: strconv.FormatFloat(s.SampleRatio, 'f', -1, 64), Annotation: "trace_sample_ratio",
			Comment: "Share of the traces started here that is recorded, from 0 to 1. A caller's\ndecision is kept; the standard variable OTEL_TRACES_SAMPLER overrules both."},
	)
	out = append(out, s.databaseSettings()...)
	out = append(out, s.calleeSettings()...)
	out = append(out, s.httpCalleeSettings()...)
	for i := range out {
		if out[i].Type != "" {
			out[i].Env = s.EnvPrefix + "_" + envName(out[i].Path)
		}
	}
	out = append(out, s.ownSettings()...)
	for i, one := range out {
		out[i] = one.complete()
	}
	return out
}

func (s *Service) listenSettings() []Setting {
	about := map[string]Comment{
		"grpc":  "gRPC. Clients learn the port from the contract: change it there.",
		"http":  "HTTP/JSON.",
		"admin": "Health, metrics, configuration and profiles. No authentication: make sure\nthat only operators, probes and the monitoring can reach it.",
	}
	out := []Setting{{Path: "listen", Comment: "Addresses to listen on, host:port. No host means every interface."}}
	for _, p := range s.OpenPorts() {
		out = append(out, Setting{Path: "listen." + p.Name, Type: "address", Comment: about[p.Name],
			Value: strconv.Quote(fmt.Sprintf(":%d", p.Port)), Annotation: "ports." + p.Name})
	}
	return out
}

func (s *Service) databaseSettings() []Setting {
	if s.Database == nil {
		return nil
	}
	out := []Setting{
		{Path: "database", Comment: "The service's own database. No other service reads it."},
		{Path: "database.url", Type: "URL", Value: strconv.Quote(s.EmbeddedURL()), Secret: true,
			Comment: "postgres://user:password@host/name; or, unless the binary was built with the\ntag nosqlite as the image is, sqlite:PATH or sqlite::memory:."},
		{Path: "database.max_connections", Type: "integer", Value: strconv.FormatUint(uint64(s.Database.MaxConnections), 10), Annotation: "database.max_connections",
			Comment: "Connections of one replica at the most."},
		{Path: "database.readiness_timeout", Type: "duration", Value: timefmt.Short(s.Database.ReadinessTimeout), Annotation: "database.readiness_timeout",
			Comment: "How long readiness waits for the database to answer."},
	}
	if len(s.Keeping()) > 0 {
		out = append(out, Setting{Path: "database.idempotency_retention", Type: "duration", Value: timefmt.Short(s.Database.IdempotencyRetention),
			Annotation: "database.idempotency_retention", Comment: "How long the answers of requests with an idempotency key are kept."})
	}
	return out
}

func (s *Service) calleeSettings() []Setting {
	if len(s.Callees) == 0 {
		return nil
	}
	out := []Setting{{Path: "callees", Comment: "Connections to the services that this one calls."}}
	for _, c := range s.Callees {
		out = append(out,
			Setting{Path: "callees." + c.Key, Comment: Comment(c.FullName + ": " + strings.Join(c.names(), ", ") + ".")},
			Setting{Path: "callees." + c.Key + ".target", Type: "address", Unset: true,
				Comment: "Where it is, an address of grpc-go. Unset: the headless Service that its contract names."},
			Setting{Path: "callees." + c.Key + ".balance", Type: "policy", Value: c.BalanceName(), Annotation: "callees.balance",
				Comment: "How calls are spread over its replicas: round_robin, least_request,\nweighted or pick_first."},
		)
	}
	return out
}

func (s *Service) ownSettings() []Setting {
	if s.Config == nil {
		return nil
	}
	fields := fieldSettings(s.Config.Fields, "service.", false)
	return append([]Setting{{
		Path:    "service",
		Comment: Comment("The service's own settings, " + s.Config.FullName + ". A reload changes them while it runs."),
		Unset:   allUnset(fields),
	}}, fields...)
}

// fieldSettings are the settings of a message. A secret message has only secrets,
// and the default of a secret is not shown.
func fieldSettings(fields []*ConfigField, prefix string, secret bool) []Setting {
	var out []Setting
	for _, f := range fields {
		setting := Setting{Path: prefix + f.Name, Env: f.Env, Comment: f.Comment, Type: f.Type, Value: f.Default, Secret: f.Secret || secret}
		if setting.Secret {
			setting.Value = ""
		}
		setting.Unset = setting.Value == ""
		nested := fieldSettings(f.Fields, setting.Path+".", setting.Secret)
		if nested != nil {
			setting.Type, setting.Unset = "", allUnset(nested)
		}
		out = append(append(out, setting), nested...)
	}
	return out
}

func allUnset(settings []Setting) bool {
	return !slices.ContainsFunc(settings, func(s Setting) bool { return s.Type != "" && !s.Unset })
}
