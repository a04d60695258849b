package model

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/timefmt"
)

// What follows is said in the files that deploy and document a service.

// Pair is a key with its value.
type Pair struct{ Key, Value string }

// String is the pair as a label is written, "key=value"; empty without a key.
func (p Pair) String() string {
	if p.Key == "" {
		return ""
	}
	return p.Key + "=" + p.Value
}

// The components of a service, as in the label app.kubernetes.io/component.
// They tell the Service that is scraped from the one that clients resolve.
const (
	ComponentServer    = "server"
	ComponentDiscovery = "discovery"
	ComponentMigration = "migration"
)

// Labels are what the Kubernetes objects of the service carry. Instance and version
// are those of the base: an overlay sets its own.
func (s *Service) Labels() []Pair { return s.labels(ComponentServer) }

// DiscoveryLabels are what its headless Service carries instead.
func (s *Service) DiscoveryLabels() []Pair { return s.labels(ComponentDiscovery) }

func (s *Service) labels(component string) []Pair {
	labels := []Pair{
		{"app.kubernetes.io/name", s.Name},
		{"app.kubernetes.io/instance", s.System},
		{"app.kubernetes.io/version", s.ImageTag},
		{"app.kubernetes.io/component", component},
		{"app.kubernetes.io/part-of", s.System},
		{"app.kubernetes.io/managed-by", "protoc-gen-svc"},
	}
	if s.Team != "" {
		labels = append(labels, Pair{"team", s.Team})
	}
	return labels
}

// Variable is an environment variable whose value is in a Secret.
type Variable struct {
	Name, Secret, Key string
	// Option is the annotation that names the Secret, or the key.
	Option string
	// Optional says that the pod starts without it.
	Optional bool
	// By is who uses it, for people.
	By string
}

// Secrets are all values that come from Secrets.
func (s *Service) Secrets() []Variable {
	const replicas, job = "the replicas", "the Job that migrates"
	out := s.SecretVariables()
	for i := range out {
		out[i].By = replicas
	}
	if !s.MigratesByJob() {
		return out
	}
	for _, v := range s.MigrationVariables() {
		if i := slices.IndexFunc(out, v.sameValue); i >= 0 {
			out[i].By += ", " + job
		} else {
			v.By = job
			out = append(out, v)
		}
	}
	return out
}

// sameValue reports whether two variables have one value.
func (v Variable) sameValue(w Variable) bool {
	return v.Name == w.Name && v.Secret == w.Secret && v.Key == w.Key
}

// SecretVariables are the settings that a pod of the service takes from Secrets.
func (s *Service) SecretVariables() []Variable {
	if s.Database == nil {
		return s.ownSecrets()
	}
	return append([]Variable{s.databaseVariable(s.Database.Secret, "secret")}, s.ownSecrets()...)
}

// MigrationVariables are those of the Job that migrates. It reads the whole
// configuration, as the service does.
func (s *Service) MigrationVariables() []Variable {
	return append([]Variable{s.databaseVariable(s.Database.MigrationsSecret, "migrations_secret")}, s.ownSecrets()...)
}

func (s *Service) databaseVariable(secret, field string) Variable {
	return Variable{Name: s.EnvPrefix + "_DATABASE_URL", Secret: secret, Key: "url", Option: "(svc.v1.service).database." + field}
}

func (s *Service) ownSecrets() []Variable {
	var out []Variable
	var walk func([]*ConfigField)
	walk = func(fields []*ConfigField) {
		for _, f := range fields {
			walk(f.Fields)
			if f.SecretKey != "" {
				out = append(out, Variable{Name: f.Env, Secret: s.Secret, Key: f.SecretKey, Option: "(svc.v1.service).secret", Optional: !f.Needed})
			}
		}
	}
	if s.Config != nil {
		walk(s.Config.Fields)
	}
	return out
}

// MigratesByJob reports whether a Job applies the migrations.
func (s *Service) MigratesByJob() bool { return s.Database != nil && s.Database.MigratesByJob }

// MigrationJob is the name of that Job.
func (s *Service) MigrationJob() string { return s.Name + migrateSuffix }

// MigrationLabels are what the Job carries, and its pods. They have another name than
// the service's, by which Services, monitors and budgets would take them for replicas;
// no service can have one with a dot.
func (s *Service) MigrationLabels() []Pair {
	labels := s.labels(ComponentMigration)
	labels[0].Value += ".migrate"
	return labels
}

// PrivilegedPort reports whether a port is one that only root may open where
// nothing else is said.
func (s *Service) PrivilegedPort() bool {
	return slices.ContainsFunc(s.OpenPorts(), func(p NamedPort) bool { return p.Port < 1024 })
}

// Bytes is Memory as a number.
func (s Scale) Bytes() int64 { return int64(Quantity(s.Memory)) }

const (
	// startupPeriod is the time between two startup probes.
	startupPeriod = 2 * time.Second

	// readinessPeriod is how many seconds are between two readiness probes.
	readinessPeriod = 5
)

// StartupFailures is how many startup probes may fail.
func (p Probes) StartupFailures() int64 {
	return int64(math.Ceil(p.Startup.Seconds() / startupPeriod.Seconds()))
}

// ReadinessProbe is how many seconds the readiness probe waits: longer than each of
// the checks, so that those that time out can still say what is wrong.
func (s *Service) ReadinessProbe() int64 {
	slowest := defaults.CheckTimeout
	if s.Database != nil {
		slowest = max(slowest, s.Database.ReadinessTimeout)
	}
	return int64(math.Floor(slowest.Seconds())) + 1
}

// ReadinessPeriod is how many seconds are between two readiness probes: a probe that
// waits longer would put off the next one.
func (s *Service) ReadinessPeriod() int64 { return max(readinessPeriod, s.ReadinessProbe()) }

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

// Environment is where the services run: "dev", "staging", "prod".
type Environment struct {
	Name     string
	Services []*Service
}

// Environment is the system in an environment.
func (s *System) Environment(name string) Environment { return Environment{name, s.Services} }

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
	// Topic is what the templates word it by, empty for a setting that the contract
	// itself comments on: the path, with KEY for the key of a callee.
	Topic string
	// Comment is what the contract says.
	Comment Comment
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
	// OfMethod says that the annotation is one of (svc.v1.method).
	OfMethod bool
	// Hot says that a reload changes it while the service runs.
	Hot bool

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
func (s *Service) Settings() []Setting { return s.settings() }

func (s *Service) allSettings() []Setting {
	var out []Setting
	out = append(out, s.listenSettings()...)
	out = append(out,
		Setting{Path: "admin"},
		Setting{Path: "admin.token_file", Type: "path", Value: `""`},
		Setting{Path: "stop"},
		Setting{Path: "stop.drain_delay", Type: "duration", Value: timefmt.Short(s.Stop.DrainDelay), Annotation: "stop.drain_delay"},
		Setting{Path: "stop.budget", Type: "duration", Value: timefmt.Short(s.Stop.Budget), Annotation: "stop.budget"},
	)
	out = append(out, s.limitSettings()...)
	out = append(out,
		Setting{Path: "log"},
		Setting{Path: "log.level", Type: "level", Value: "info", Hot: true},
		Setting{Path: "tracing"},
		Setting{Path: "tracing.sample_ratio", Type: "number", Value: strconv.FormatFloat(s.SampleRatio, 'f', -1, 64), Annotation: "trace_sample_ratio", Hot: true},
	)
	out = append(out, s.databaseSettings()...)
	out = append(out, s.calleeSettings()...)
	out = append(out, s.httpCalleeSettings()...)
	out = append(out, s.rateLimitSettings()...)
	for i := range out {
		out[i].Topic = topic(out[i].Path)
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

// topic is the path with KEY for what the contract calls a callee. About the callee
// itself there is nothing to word.
func topic(path string) string {
	parts := strings.Split(path, ".")
	if len(parts) == 1 || !slices.Contains([]string{"callees", "http_callees", "rate_limits"}, parts[0]) {
		return path
	}
	if len(parts) == 2 {
		return ""
	}
	parts[1] = "KEY"
	return strings.Join(parts, ".")
}

func (s *Service) listenSettings() []Setting {
	out := []Setting{{Path: "listen"}}
	for _, p := range s.OpenPorts() {
		out = append(out, Setting{Path: "listen." + p.Name, Type: "address",
			Value: strconv.Quote(fmt.Sprintf(":%d", p.Port)), Annotation: "ports." + p.Name})
	}
	return append(out, Setting{Path: "listen.reflection", Type: "boolean", Value: "true"})
}

func (s *Service) databaseSettings() []Setting {
	if s.Database == nil {
		return nil
	}
	out := []Setting{
		{Path: "database"},
		{Path: "database.url", Type: "URL", Value: strconv.Quote(s.EmbeddedURL()), Secret: true},
		{Path: "database.max_connections", Type: "integer", Value: strconv.FormatUint(uint64(s.Database.MaxConnections), 10), Annotation: "database.max_connections"},
		{Path: "database.readiness_timeout", Type: "duration", Value: timefmt.Short(s.Database.ReadinessTimeout), Annotation: "database.readiness_timeout"},
	}
	if len(s.Storing()) > 0 {
		out = append(out, Setting{Path: "database.idempotency_retention", Type: "duration", Value: timefmt.Short(s.Database.IdempotencyRetention),
			Annotation: "database.idempotency_retention"})
	}
	return out
}

func (s *Service) calleeSettings() []Setting {
	if len(s.Callees) == 0 {
		return nil
	}
	out := []Setting{{Path: "callees"}}
	for _, c := range s.Callees {
		out = append(out,
			Setting{Path: "callees." + c.Key, Comment: Comment(c.FullName + ": " + strings.Join(c.names(), ", ") + ".")},
			Setting{Path: "callees." + c.Key + ".target", Type: "address", Unset: true},
			Setting{Path: "callees." + c.Key + ".balance", Type: "policy", Value: c.BalanceName(), Annotation: "callees.balance"},
		)
		out = append(out, c.breakerSettings()...)
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
		Topic:   "service",
		Comment: Comment("They are the fields of " + s.Config.FullName + "."),
		Unset:   allUnset(fields),
	}}, fields...)
}

// fieldSettings are the settings of a message. A secret message has only secrets,
// and the default of a secret is not shown.
func fieldSettings(fields []*ConfigField, prefix string, secret bool) []Setting {
	var out []Setting
	for _, f := range fields {
		setting := Setting{Path: prefix + f.Name, Env: f.Env, Comment: f.Comment, Type: f.Type, Value: f.Default, Secret: f.Secret || secret, Hot: !f.Restart}
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
