package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/emit"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/timefmt"
)

// page is about all services and says most of what a service's README does.
const page = "docs/index.html.tmpl"

// api is the OpenAPI of a proto file.
const api = "openapi/openapi.json.tmpl"

// record lists the services, with ports and callees.
const record = "upgrade/protosvc.yaml.tmpl"

// What settings reach, by template.
var (
	readme     = []string{"docs/README.md.tmpl"}
	policy     = []string{"k8s/networkpolicy.yaml.tmpl"}
	egress     = and(policy, "k8s/migration-networkpolicy.yaml.tmpl") // to the database
	goService  = []string{"go/service.go.tmpl"}
	service    = and(readme, "go/service.go.tmpl")
	config     = and(service, "config/config.yaml.tmpl", "config/config.schema.json.tmpl", "k8s/configmap.yaml.tmpl")
	manifest   = []string{"k8s/deployment.yaml.tmpl"}
	deployment = and(readme, "k8s/deployment.yaml.tmpl")
	opened     = and(config, "docker/Dockerfile.tmpl", "k8s/deployment.yaml.tmpl", "k8s/service.yaml.tmpl")
	ports      = and(opened, "k8s/networkpolicy.yaml.tmpl")
	labels     = and(deployment, "k8s/networkpolicy.yaml.tmpl", "k8s/configmap.yaml.tmpl", "k8s/horizontalpodautoscaler.yaml.tmpl", "k8s/poddisruptionbudget.yaml.tmpl", "k8s/service-headless.yaml.tmpl",
		"k8s/service.yaml.tmpl", "k8s/serviceaccount.yaml.tmpl", "k8s/servicemonitor.yaml.tmpl", "k8s/podmonitor.yaml.tmpl", "k8s/migration-job.yaml.tmpl", "k8s/migration-networkpolicy.yaml.tmpl")
	everything = and(labels, "config/config.yaml.tmpl", "config/config.schema.json.tmpl", "docker/Dockerfile.tmpl", "docs/catalogue.md.tmpl", page, "go/client.go.tmpl", "go/main.go.tmpl",
		"go/service.go.tmpl", "k8s/kustomization.yaml.tmpl", "k8s/monitor-kustomization.yaml.tmpl", "k8s/system-kustomization.yaml.tmpl",
		"k8s/system-monitor-kustomization.yaml.tmpl",
		"k8s/network-policy-kustomization.yaml.tmpl", "k8s/system-network-policy-kustomization.yaml.tmpl",
		"k8s/overlay-dev.yaml.tmpl", "k8s/overlay-staging.yaml.tmpl", "k8s/overlay-prod.yaml.tmpl",
		"k8s/system-overlay-dev.yaml.tmpl", "k8s/system-overlay-staging.yaml.tmpl", "k8s/system-overlay-prod.yaml.tmpl", "systemd/service.tmpl", "systemd/start.sh.tmpl")
	migrated   = and(service, "k8s/kustomization.yaml.tmpl", "k8s/migration-job.yaml.tmpl", "k8s/network-policy-kustomization.yaml.tmpl", "k8s/migration-networkpolicy.yaml.tmpl")
	errorFiles = and(readme, "go/errors.go.tmpl")
	listed     = and(service, page)
)

func and(outputs []string, more ...string) []string {
	return append(outputs[:len(outputs):len(outputs)], more...)
}

// table has a row for every annotation.
var table = map[string]row{
	"(svc.v1.service).name":               value(and(everything, emit.Neighbors, record), func(s *model.Service) string { return s.Name }),
	"(svc.v1.service).team":               value(and(labels, "docker/Dockerfile.tmpl", "docs/catalogue.md.tmpl", "go/service.go.tmpl", page), func(s *model.Service) string { return s.Team }),
	"(svc.v1.service).system":             value(and(labels, emit.Neighbors, "k8s/overlay-dev.yaml.tmpl", "k8s/overlay-staging.yaml.tmpl", "k8s/overlay-prod.yaml.tmpl", "docs/catalogue.md.tmpl", "go/service.go.tmpl", page), func(s *model.Service) string { return s.System }).by("(svc.v1.service).name"),
	"(svc.v1.service).config":             value(and(config, "go/validate.go.tmpl", "k8s/deployment.yaml.tmpl", "k8s/migration-job.yaml.tmpl"), configName),
	"(svc.v1.service).secret":             value(deployment, ownSecret).by("(svc.v1.service).name"),
	"(svc.v1.service).trace_sample_ratio": value(config, func(s *model.Service) string { return fmt.Sprint(s.SampleRatio) }),

	"(svc.v1.service).database": part(and(config, "go/main.go.tmpl", "k8s/deployment.yaml.tmpl", "systemd/service.tmpl", "docs/catalogue.md.tmpl", record, "k8s/networkpolicy.yaml.tmpl", page),
		func(s *model.Service) (*model.Database, bool) { return s.Database, s.Database != nil }),
	"(svc.v1.service).database.readiness_timeout":     value(and(config, "k8s/deployment.yaml.tmpl"), func(d *model.Database) string { return timefmt.Short(d.ReadinessTimeout) }),
	"(svc.v1.service).database.max_connections":       value(config, func(d *model.Database) string { return number(d.MaxConnections) }),
	"(svc.v1.service).database.idempotency_retention": value(config, func(d *model.Database) string { return timefmt.Short(d.IdempotencyRetention) }),
	"(svc.v1.service).database.migrations":            value(migrated, migrations),
	"(svc.v1.service).database.migrations_secret":     value(and(readme, "k8s/migration-job.yaml.tmpl"), migrationsSecret).by("(svc.v1.service).database.secret"),
	"(svc.v1.service).database.secret":                value(deployment, func(d *model.Database) string { return d.Secret }).by("(svc.v1.service).name"),

	"(svc.v1.service).database.network": part(egress,
		func(d *model.Database) (*model.DatabaseNetwork, bool) { return d.Network, d.Network != nil }),
	"(svc.v1.service).database.network.cidr":      value(egress, func(d *model.DatabaseNetwork) string { return d.CIDR }),
	"(svc.v1.service).database.network.pods":      value(egress, func(d *model.DatabaseNetwork) string { return d.Pods.Label.String() }),
	"(svc.v1.service).database.network.namespace": value(egress, func(d *model.DatabaseNetwork) string { return d.Pods.Namespace }),
	"(svc.v1.service).database.network.port":      value(egress, func(d *model.DatabaseNetwork) string { return number(d.Port) }),

	"(svc.v1.service).network": same[*model.Service](nil),
	"(svc.v1.service).network.clients": list(policy, func(s *model.Service) []model.NetworkPods { return s.Network.Clients },
		func(p model.NetworkPods) string { return p.Label.String() }, func(set protoreflect.Message) func(model.NetworkPods) bool {
			return func(p model.NetworkPods) bool {
				return p.Label.String() == text(set, "pods") && p.Namespace == text(set, "namespace")
			}
		}),
	"(svc.v1.service).network.clients.pods":         value(policy, func(p model.NetworkPods) string { return p.Label.String() }),
	"(svc.v1.service).network.clients.namespace":    value(policy, func(p model.NetworkPods) string { return p.Namespace }),
	"(svc.v1.service).network.http_namespaces":      value(policy, func(s *model.Service) string { return s.Network.HTTPNamespaces.String() }),
	"(svc.v1.service).network.monitoring_namespace": value(policy, func(s *model.Service) string { return s.Network.MonitoringNamespace }),

	"(svc.v1.service).callees": list(config, func(s *model.Service) []*model.Callee { return s.Callees },
		func(c *model.Callee) string { return c.FullName }, calleeOf),
	"(svc.v1.service).callees.service":         value(config, func(c *model.Callee) string { return c.FullName }).by("(svc.v1.method).calls"),
	"(svc.v1.service).callees.balance":         value(config, func(c *model.Callee) string { return "BALANCE_" + strings.ToUpper(c.BalanceName()) }),
	"(svc.v1.service).callees.gates_readiness": value(service, func(c *model.Callee) string { return strconv.FormatBool(c.GatesReadiness) }),

	"(svc.v1.service).callees.connections":             value(goService, func(c *model.Callee) string { return number(c.Connections) }),
	"(svc.v1.service).callees.breaker":                 same[*model.Callee](nil),
	"(svc.v1.service).callees.breaker.off":             value(and(service, "config/config.schema.json.tmpl", "k8s/configmap.yaml.tmpl"), func(c *model.Callee) string { return strconv.FormatBool(c.Breaker == nil) }),
	"(svc.v1.service).callees.breaker.failure_percent": value(config, ofBreaker(func(b *model.Breaker) string { return number(b.FailurePercent) })),
	"(svc.v1.service).callees.breaker.min_calls":       value(config, ofBreaker(func(b *model.Breaker) string { return number(b.MinCalls) })),
	"(svc.v1.service).callees.breaker.window":          value(config, ofBreaker(func(b *model.Breaker) string { return timefmt.Short(b.Window) })),
	"(svc.v1.service).callees.breaker.open":            value(config, ofBreaker(func(b *model.Breaker) string { return timefmt.Short(b.Open) })),

	"(svc.v1.service).propagate": list(service, func(s *model.Service) []model.Propagated { return s.Propagate },
		func(p model.Propagated) string { return p.Key }, func(set protoreflect.Message) func(model.Propagated) bool {
			return func(p model.Propagated) bool { return p.Key == text(set, "key") }
		}),
	"(svc.v1.service).propagate.key":       value(service, func(p model.Propagated) string { return p.Key }),
	"(svc.v1.service).propagate.max_bytes": value(service, func(p model.Propagated) string { return number(p.MaxBytes) }),

	"(svc.v1.service).error_contract": value(service, errorContract),

	"(svc.v1.service).http_callees": list(and(config, "k8s/networkpolicy.yaml.tmpl", page), func(s *model.Service) []*model.HTTPCallee { return s.HTTPCallees },
		func(c *model.HTTPCallee) string { return c.Name }, func(set protoreflect.Message) func(*model.HTTPCallee) bool {
			return func(c *model.HTTPCallee) bool { return c.Name == text(set, "name") }
		}),
	"(svc.v1.service).http_callees.name":             value(and(config, "k8s/networkpolicy.yaml.tmpl", page), func(c *model.HTTPCallee) string { return c.Name }),
	"(svc.v1.service).http_callees.url":              value(and(config, "k8s/networkpolicy.yaml.tmpl", page), func(c *model.HTTPCallee) string { return c.URL }),
	"(svc.v1.service).http_callees.cidr":             value(policy, func(c *model.HTTPCallee) string { return c.CIDR }),
	"(svc.v1.service).http_callees.timeout":          value(config, func(c *model.HTTPCallee) string { return timefmt.Short(c.Timeout) }),
	"(svc.v1.service).http_callees.attempts":         value(service, func(c *model.HTTPCallee) string { return number(c.Attempts) }),
	"(svc.v1.service).http_callees.idle_connections": value(goService, func(c *model.HTTPCallee) string { return number(c.IdleConnections) }),

	"(svc.v1.service).http":                  same[*model.Service](nil),
	"(svc.v1.service).http.cors":             part(service, func(s *model.Service) (*model.CORS, bool) { return s.CORS, s.CORS != nil }),
	"(svc.v1.service).http.cors.origins":     value(service, func(c *model.CORS) string { return strings.Join(c.Origins, ", ") }),
	"(svc.v1.service).http.cors.credentials": value(service, func(c *model.CORS) string { return strconv.FormatBool(c.Credentials) }),
	"(svc.v1.service).http.cors.max_age":     value(service, func(c *model.CORS) string { return timefmt.Short(c.MaxAge) }),

	"(svc.v1.service).metrics": list(listed, func(s *model.Service) []*model.Metric { return s.Metrics },
		func(m *model.Metric) string { return m.Name }, func(set protoreflect.Message) func(*model.Metric) bool {
			return func(m *model.Metric) bool { return m.Name == text(set, "name") }
		}),
	"(svc.v1.service).metrics.name":    value(listed, func(m *model.Metric) string { return m.Name }),
	"(svc.v1.service).metrics.type":    value(listed, func(m *model.Metric) string { return "METRIC_TYPE_" + strings.ToUpper(string(m.Type)) }),
	"(svc.v1.service).metrics.help":    value(listed, func(m *model.Metric) string { return m.Help }),
	"(svc.v1.service).metrics.buckets": value(goService, buckets),
	"(svc.v1.service).metrics.labels": list(listed, func(m *model.Metric) []model.Label { return m.Labels },
		func(l model.Label) string { return l.Name }, func(set protoreflect.Message) func(model.Label) bool {
			return func(l model.Label) bool { return l.Name == text(set, "name") }
		}),
	"(svc.v1.service).metrics.labels.name":   value(listed, func(l model.Label) string { return l.Name }),
	"(svc.v1.service).metrics.labels.values": value(listed, func(l model.Label) string { return strings.Join(l.Values, ", ") }),

	"(svc.v1.service).scale":        same[*model.Service](nil),
	"(svc.v1.service).scale.min":    value(and(deployment, "k8s/overlay-dev.yaml.tmpl", "k8s/overlay-staging.yaml.tmpl", "k8s/horizontalpodautoscaler.yaml.tmpl", "k8s/kustomization.yaml.tmpl"), func(s *model.Service) string { return number(s.Scale.Min) }),
	"(svc.v1.service).scale.max":    value(and(readme, "k8s/overlay-dev.yaml.tmpl", "k8s/overlay-staging.yaml.tmpl", "k8s/horizontalpodautoscaler.yaml.tmpl", "k8s/kustomization.yaml.tmpl", "k8s/deployment.yaml.tmpl", "k8s/poddisruptionbudget.yaml.tmpl"), func(s *model.Service) string { return number(s.Scale.Max) }).by("(svc.v1.service).scale.min"),
	"(svc.v1.service).scale.cpu":    value(deployment, func(s *model.Service) string { return s.Scale.CPU }),
	"(svc.v1.service).scale.memory": value(and(config, "k8s/deployment.yaml.tmpl", "systemd/service.tmpl"), func(s *model.Service) string { return s.Scale.Memory }),

	"(svc.v1.service).scale.in_flight":         value(and(readme, "k8s/horizontalpodautoscaler.yaml.tmpl"), func(s *model.Service) string { return count(uint64(s.Scale.InFlight)) }),
	"(svc.v1.service).scale.ephemeral_storage": value(manifest, func(s *model.Service) string { return s.Scale.EphemeralStorage }),
	"(svc.v1.service).scale.priority_class":    value(manifest, func(s *model.Service) string { return s.Scale.PriorityClass }),

	"(svc.v1.service).probes":                    same[*model.Service](nil),
	"(svc.v1.service).probes.startup":            value(deployment, func(s *model.Service) string { return timefmt.Short(s.Probes.Startup) }),
	"(svc.v1.service).probes.readiness_failures": value(deployment, func(s *model.Service) string { return number(s.Probes.ReadinessFailures) }),

	"(svc.v1.service).go_runtime":                      same[*model.Service](nil),
	"(svc.v1.service).go_runtime.memory_limit_percent": value(and(config, "k8s/deployment.yaml.tmpl", "systemd/service.tmpl"), func(s *model.Service) string { return number(s.GoRuntime.MemoryLimitPercent) }),
	"(svc.v1.service).go_runtime.gogc":                 value(and(manifest, "systemd/service.tmpl"), func(s *model.Service) string { return number(s.GoRuntime.GOGC) }),
	"(svc.v1.service).go_runtime.profiles":             value(service, func(s *model.Service) string { return strconv.FormatBool(s.GoRuntime.Profiles) }),
	"(svc.v1.service).monitoring":                      same[*model.Service](nil),
	"(svc.v1.service).monitoring.monitor": value(and(readme, "k8s/servicemonitor.yaml.tmpl", "k8s/podmonitor.yaml.tmpl", "k8s/monitor-kustomization.yaml.tmpl",
		"k8s/kustomization.yaml.tmpl", "k8s/system-monitor-kustomization.yaml.tmpl", "k8s/overlay-staging.yaml.tmpl", "k8s/overlay-prod.yaml.tmpl"), monitorName),
	"(svc.v1.service).monitoring.interval": value(and(readme, "k8s/servicemonitor.yaml.tmpl", "k8s/podmonitor.yaml.tmpl"), scrapeInterval),

	"(svc.v1.service).ports": same[*model.Service](nil),
	"(svc.v1.service).ports.grpc": value(and(ports, emit.Neighbors, "docs/catalogue.md.tmpl", record, "go/client.go.tmpl", "k8s/service-headless.yaml.tmpl", "systemd/service.tmpl", page),
		func(s *model.Service) string { return number(s.Ports.GRPC) }),
	"(svc.v1.service).ports.http":  value(and(ports, "docs/catalogue.md.tmpl", record, page), httpPort),
	"(svc.v1.service).ports.admin": value(and(ports, "docs/catalogue.md.tmpl", record, page), func(s *model.Service) string { return number(s.Ports.Admin) }),

	"(svc.v1.service).stop":             same[*model.Service](nil),
	"(svc.v1.service).stop.drain_delay": value(and(config, "k8s/deployment.yaml.tmpl", "systemd/service.tmpl"), func(s *model.Service) string { return timefmt.Short(s.Stop.DrainDelay) }),
	"(svc.v1.service).stop.budget":      value(and(config, "k8s/deployment.yaml.tmpl", "systemd/service.tmpl"), func(s *model.Service) string { return timefmt.Short(s.Stop.Budget) }),

	"(svc.v1.method).timeout":               value(listed, func(m *model.Method) string { return timefmt.Short(m.Timeout) }),
	"(svc.v1.method).calls":                 value(and(config, emit.Neighbors, "docs/catalogue.md.tmpl", record, "k8s/networkpolicy.yaml.tmpl", page), calls),
	"(svc.v1.method).errors":                value(and(service, "go/cases.go.tmpl", "go/client.go.tmpl", page, api), reasons),
	"(svc.v1.method).idempotency_key":       value(and(listed, api), func(m *model.Method) string { return m.IdempotencyKey }),
	"(svc.v1.method).retry":                 retry,
	"(svc.v1.method).retry.attempts":        value(listed, func(r *model.Retry) string { return number(r.Attempts) }),
	"(svc.v1.method).retry.initial_backoff": value(goService, func(r *model.Retry) string { return timefmt.Short(r.InitialBackoff) }),
	"(svc.v1.method).retry.max_backoff":     value(goService, func(r *model.Retry) string { return timefmt.Short(r.MaxBackoff) }),
	"(svc.v1.method).retry.codes":           value(listed, func(r *model.Retry) string { return strings.Join(r.Codes, ", ") }),

	"(svc.v1.method).hedge": part(listed,
		func(m *model.Method) (*model.Hedge, bool) { return m.Hedge, m.Hedge != nil }),
	"(svc.v1.method).hedge.attempts":        value(listed, func(h *model.Hedge) string { return number(h.Attempts) }),
	"(svc.v1.method).hedge.delay":           value(listed, func(h *model.Hedge) string { return timefmt.Short(h.Delay) }),
	"(svc.v1.method).handler_is_idempotent": value(and(service, "go/server.go.tmpl", page), func(m *model.Method) string { return strconv.FormatBool(m.IdempotencyKey != "" && !m.StoresResponse) }),
	"(svc.v1.method).idempotency_scope":     value(listed, func(m *model.Method) string { return m.IdempotencyScope }),
	"(svc.v1.method).defers":                value(and(config, emit.Neighbors, "docs/catalogue.md.tmpl", record, "k8s/networkpolicy.yaml.tmpl", page), func(m *model.Method) string { return callNames(m.Defers) }),
	"(svc.v1.method).map_errors": list(service, func(m *model.Method) []model.ErrorMapping { return m.MapErrors },
		func(e model.ErrorMapping) string { return e.From.Reason }, func(set protoreflect.Message) func(model.ErrorMapping) bool {
			return func(e model.ErrorMapping) bool { return strings.HasSuffix("."+text(set, "from"), "."+e.From.Reason) }
		}),
	"(svc.v1.method).map_errors.from":    value(service, func(e model.ErrorMapping) string { return e.From.Reason }),
	"(svc.v1.method).map_errors.to":      value(service, mappedTo),
	"(svc.v1.method).map_errors.handled": value(service, func(e model.ErrorMapping) string { return strconv.FormatBool(e.Handled()) }),

	"(svc.v1.method).concurrency": value(listed, func(m *model.Method) string { return count(uint64(m.Concurrency)) }),
	"(svc.v1.method).rate_limit": part(and(config, page),
		func(m *model.Method) (*model.RateLimit, bool) { return m.RateLimit, m.RateLimit != nil }),
	"(svc.v1.method).rate_limit.per_second": value(and(config, page), func(r *model.RateLimit) string { return fmt.Sprint(r.PerSecond) }),
	"(svc.v1.method).rate_limit.burst":      value(and(config, page), func(r *model.RateLimit) string { return number(r.Burst) }).by("(svc.v1.method).rate_limit.per_second"),
	"(svc.v1.method).rate_limit.key":        value(listed, func(r *model.RateLimit) string { return r.Key }),
	"(svc.v1.method).stream": part(listed,
		func(m *model.Method) (*model.Stream, bool) { return m.Stream, m.Stream != nil }),
	"(svc.v1.method).stream.max_age":      value(listed, func(s *model.Stream) string { return timefmt.Short(s.MaxAge) }),
	"(svc.v1.method).stream.idle_timeout": value(listed, func(s *model.Stream) string { return timefmt.Short(s.IdleTimeout) }),
	"(svc.v1.method).stream.max_messages": value(listed, func(s *model.Stream) string { return count(s.MaxMessages) }),
	"(svc.v1.method).stream.send_timeout": value(listed, func(s *model.Stream) string { return timefmt.Short(s.SendTimeout) }),

	"(svc.v1.service).limits":                        same[*model.Service](nil),
	"(svc.v1.service).limits.concurrency":            value(config, func(s *model.Service) string { return number(s.Limits.Concurrency) }),
	"(svc.v1.service).limits.adaptive":               value(config, func(s *model.Service) string { return strconv.FormatBool(s.Limits.Adaptive) }),
	"(svc.v1.service).limits.message_size":           value(service, func(s *model.Service) string { return s.Limits.MessageSize.Text }),
	"(svc.v1.service).limits.header_size":            value(service, func(s *model.Service) string { return s.Limits.HeaderSize.Text }),
	"(svc.v1.service).limits.connections":            value(config, func(s *model.Service) string { return number(s.Limits.Connections) }),
	"(svc.v1.service).limits.streams_per_connection": value(service, func(s *model.Service) string { return number(s.Limits.StreamsPerConnection) }),

	"(svc.v1.field).default":    value(config, func(f *model.ConfigField) string { return f.Default }),
	"(svc.v1.field).reload":     value(config, func(f *model.ConfigField) string { return strconv.FormatBool(f.Restart) }),
	"(svc.v1.field).secret_key": value(deployment, func(f *model.ConfigField) string { return f.SecretKey }),

	"(svc.v1.errors).domain":       value(and(errorFiles, page), func(e *model.Error) string { return e.Enum.Domain }),
	"(svc.v1.error).code":          value(and(errorFiles, "go/service.go.tmpl", page, api), func(e *model.Error) string { return e.Code }),
	"(svc.v1.error).http_status":   value(and(errorFiles, page, api), func(e *model.Error) string { return number(e.HTTP) }).by("(svc.v1.error).code"),
	"(svc.v1.error).message":       value(and(errorFiles, page, api), func(e *model.Error) string { return e.Written }),
	"(svc.v1.error).trips_breaker": value([]string{"go/errors.go.tmpl"}, tripsBreaker),
	"(svc.v1.error).retry_delay":   value(and(errorFiles, page), func(e *model.Error) string { return delay(e.RetryDelay) }),
	"(svc.v1.error).translations": list(errorFiles, func(e *model.Error) []model.Translation { return e.Translations },
		func(t model.Translation) string { return t.Locale }, func(set protoreflect.Message) func(model.Translation) bool {
			return func(t model.Translation) bool { return t.Locale == text(set, "locale") }
		}),
	"(svc.v1.error).translations.locale":  value(errorFiles, func(t model.Translation) string { return t.Locale }),
	"(svc.v1.error).translations.message": value(errorFiles, func(t model.Translation) string { return t.Message }),
	"(svc.v1.error).retryable":            value(and(errorFiles, "go/service.go.tmpl", page), func(e *model.Error) string { return strconv.FormatBool(e.Retryable) }),
}

// retry is there for what is idempotent, said one way or the other.
var retry = row{
	outputs:  listed,
	elements: part(listed, func(m *model.Method) (*model.Retry, bool) { return m.Retry, m.Retry != nil }).elements,
	derived: func(method any) string {
		switch m := method.(*model.Method); {
		case m.Retry == nil:
			return ""
		case m.IdempotencyKey != "":
			return "(svc.v1.method).idempotency_key"
		}
		return "idempotency_level"
	},
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func configName(s *model.Service) string {
	if s.Config == nil {
		return ""
	}
	return s.Config.FullName
}

// httpPort is empty where nothing listens.
func httpPort(s *model.Service) string {
	if !s.HTTP() {
		return ""
	}
	return number(s.Ports.HTTP)
}

var monitorNames = map[model.Monitor]string{
	model.ServiceMonitor: "MONITOR_SERVICE",
	model.PodMonitor:     "MONITOR_POD",
	model.NoMonitor:      "MONITOR_NONE",
}

func monitorName(s *model.Service) string { return monitorNames[s.Monitoring.Monitor] }

// scrapeInterval is empty where nothing makes Prometheus scrape.
func scrapeInterval(s *model.Service) string {
	if !s.Monitored() {
		return ""
	}
	return timefmt.Short(s.Monitoring.Interval)
}

func buckets(m *model.Metric) string {
	var out []string
	for _, b := range m.Buckets {
		out = append(out, strconv.FormatFloat(b, 'g', -1, 64))
	}
	return strings.Join(out, ", ")
}

func calls(m *model.Method) string { return callNames(m.Calls) }

func callNames(calls []model.Call) string {
	var out []string
	for _, c := range calls {
		out = append(out, c.Service+"/"+c.Method)
	}
	return strings.Join(out, ", ")
}

func reasons(m *model.Method) string {
	var out []string
	for _, e := range m.Errors {
		out = append(out, e.Reason)
	}
	return strings.Join(out, ", ")
}

// calleeOf compares names as far as the annotation has them: it may leave out
// packages.
func calleeOf(set protoreflect.Message) func(*model.Callee) bool {
	name := strings.TrimPrefix(text(set, "service"), ".")
	return func(c *model.Callee) bool { return c.FullName == name || strings.HasSuffix(c.FullName, "."+name) }
}

// ofBreaker is a value of a callee's breaker, which may be off.
func ofBreaker(f func(*model.Breaker) string) func(*model.Callee) string {
	return func(c *model.Callee) string {
		if c.Breaker == nil {
			return ""
		}
		return f(c.Breaker)
	}
}

func errorContract(s *model.Service) string {
	if s.StrictErrors() {
		return "ERROR_CONTRACT_STRICT"
	}
	return "ERROR_CONTRACT_LENIENT"
}

// tripsBreaker is empty where the code decides.
func tripsBreaker(e *model.Error) string {
	if e.TripsBreaker == nil {
		return ""
	}
	return strconv.FormatBool(*e.TripsBreaker)
}

// count is a number of which 0 means no limit.
func count(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func delay(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return timefmt.Short(d)
}

// mappedTo is empty where the handler deals with the error.
func mappedTo(e model.ErrorMapping) string {
	if e.To == nil {
		return ""
	}
	return e.To.Reason
}

func migrations(d *model.Database) string {
	if d.MigratesByJob {
		return "MIGRATIONS_JOB"
	}
	return "MIGRATIONS_AT_START"
}

// migrationsSecret is empty where each replica migrates.
func migrationsSecret(d *model.Database) string {
	if !d.MigratesByJob {
		return ""
	}
	return d.MigrationsSecret
}

// ownSecret is empty where no setting of the service's own is a secret.
func ownSecret(s *model.Service) string {
	for _, v := range s.SecretVariables() {
		if v.Secret == s.Secret {
			return s.Secret
		}
	}
	return ""
}
