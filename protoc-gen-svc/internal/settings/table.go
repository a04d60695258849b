package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// What settings reach, by template.
var (
	readme     = []string{"docs/README.md.tmpl"}
	service    = and(readme, "go/service.go.tmpl")
	config     = and(service, "config/config.yaml.tmpl", "k8s/configmap.yaml.tmpl")
	deployment = and(readme, "k8s/deployment.yaml.tmpl")
	ports      = and(config, "docker/Dockerfile.tmpl", "k8s/deployment.yaml.tmpl", "k8s/service.yaml.tmpl")
	labels     = and(deployment, "k8s/configmap.yaml.tmpl", "k8s/horizontalpodautoscaler.yaml.tmpl", "k8s/service-headless.yaml.tmpl",
		"k8s/service.yaml.tmpl", "k8s/serviceaccount.yaml.tmpl", "k8s/servicemonitor.yaml.tmpl")
	everything = and(labels, "config/config.yaml.tmpl", "docker/Dockerfile.tmpl", "docs/catalogue.md.tmpl", "go/client.go.tmpl", "go/main.go.tmpl",
		"go/service.go.tmpl", "k8s/kustomization.yaml.tmpl", "k8s/system-kustomization.yaml.tmpl", "systemd/service.tmpl", "systemd/start.sh.tmpl")
	errorFiles = and(readme, "go/errors.go.tmpl")
)

func and(outputs []string, more ...string) []string {
	return append(outputs[:len(outputs):len(outputs)], more...)
}

// table has a row for every annotation.
var table = map[string]row{
	"(svc.v1.service).name":               value(everything, func(s *model.Service) string { return s.Name }),
	"(svc.v1.service).team":               value(and(labels, "docker/Dockerfile.tmpl", "docs/catalogue.md.tmpl"), func(s *model.Service) string { return s.Team }),
	"(svc.v1.service).system":             value(and(labels, "docs/catalogue.md.tmpl"), func(s *model.Service) string { return s.System }).by("(svc.v1.service).name"),
	"(svc.v1.service).config":             value(and(config, "go/validate.go.tmpl"), configName),
	"(svc.v1.service).trace_sample_ratio": value(config, func(s *model.Service) string { return fmt.Sprint(s.SampleRatio) }),

	"(svc.v1.service).database": part(and(config, "go/main.go.tmpl", "k8s/deployment.yaml.tmpl", "systemd/service.tmpl", "docs/catalogue.md.tmpl"),
		func(s *model.Service) (*model.Database, bool) { return s.Database, s.Database != nil }),
	"(svc.v1.service).database.readiness_timeout": value(and(config, "k8s/deployment.yaml.tmpl"), func(d *model.Database) string { return short(d.ReadinessTimeout) }),
	"(svc.v1.service).database.max_connections":   value(config, func(d *model.Database) string { return number(d.MaxConnections) }),
	"(svc.v1.service).database.secret":            value(deployment, func(d *model.Database) string { return d.Secret }).by("(svc.v1.service).name"),

	"(svc.v1.service).callees": list(config, func(s *model.Service) []*model.Callee { return s.Callees },
		func(c *model.Callee) string { return c.FullName }, calleeOf),
	"(svc.v1.service).callees.service":         value(config, func(c *model.Callee) string { return c.FullName }).by("(svc.v1.method).calls"),
	"(svc.v1.service).callees.balance":         value(config, func(c *model.Callee) string { return "BALANCE_" + strings.ToUpper(c.BalanceName()) }),
	"(svc.v1.service).callees.gates_readiness": value(service, func(c *model.Callee) string { return strconv.FormatBool(c.GatesReadiness) }),

	"(svc.v1.service).metrics": list(service, func(s *model.Service) []*model.Metric { return s.Metrics },
		func(m *model.Metric) string { return m.Name }, func(set protoreflect.Message) func(*model.Metric) bool {
			return func(m *model.Metric) bool { return m.Name == text(set, "name") }
		}),
	"(svc.v1.service).metrics.name":    value(service, func(m *model.Metric) string { return m.Name }),
	"(svc.v1.service).metrics.type":    value(service, func(m *model.Metric) string { return "METRIC_TYPE_" + strings.ToUpper(string(m.Type)) }),
	"(svc.v1.service).metrics.help":    value(service, func(m *model.Metric) string { return m.Help }),
	"(svc.v1.service).metrics.buckets": value([]string{"go/service.go.tmpl"}, buckets),
	"(svc.v1.service).metrics.labels": list(service, func(m *model.Metric) []model.Label { return m.Labels },
		func(l model.Label) string { return l.Name }, func(set protoreflect.Message) func(model.Label) bool {
			return func(l model.Label) bool { return l.Name == text(set, "name") }
		}),
	"(svc.v1.service).metrics.labels.name":   value(service, func(l model.Label) string { return l.Name }),
	"(svc.v1.service).metrics.labels.values": value(service, func(l model.Label) string { return strings.Join(l.Values, ", ") }),

	"(svc.v1.service).scale":        same[*model.Service](nil),
	"(svc.v1.service).scale.min":    value(and(deployment, "k8s/horizontalpodautoscaler.yaml.tmpl", "k8s/kustomization.yaml.tmpl"), func(s *model.Service) string { return number(s.Scale.Min) }),
	"(svc.v1.service).scale.max":    value(and(readme, "k8s/horizontalpodautoscaler.yaml.tmpl", "k8s/kustomization.yaml.tmpl", "k8s/deployment.yaml.tmpl"), func(s *model.Service) string { return number(s.Scale.Max) }).by("(svc.v1.service).scale.min"),
	"(svc.v1.service).scale.cpu":    value(deployment, func(s *model.Service) string { return s.Scale.CPU }),
	"(svc.v1.service).scale.memory": value(and(deployment, "systemd/service.tmpl"), func(s *model.Service) string { return s.Scale.Memory }),

	"(svc.v1.service).ports": same[*model.Service](nil),
	"(svc.v1.service).ports.grpc": value(and(ports, "docs/catalogue.md.tmpl", "go/client.go.tmpl", "k8s/service-headless.yaml.tmpl", "systemd/service.tmpl"),
		func(s *model.Service) string { return number(s.Ports.GRPC) }),
	"(svc.v1.service).ports.http":  value(and(ports, "docs/catalogue.md.tmpl"), httpPort),
	"(svc.v1.service).ports.admin": value(and(ports, "docs/catalogue.md.tmpl"), func(s *model.Service) string { return number(s.Ports.Admin) }),

	"(svc.v1.service).stop":             same[*model.Service](nil),
	"(svc.v1.service).stop.drain_delay": value(and(config, "k8s/deployment.yaml.tmpl", "systemd/service.tmpl"), func(s *model.Service) string { return short(s.Stop.DrainDelay) }),
	"(svc.v1.service).stop.budget":      value(and(config, "k8s/deployment.yaml.tmpl", "systemd/service.tmpl"), func(s *model.Service) string { return short(s.Stop.Budget) }),

	"(svc.v1.method).timeout":               value(service, func(m *model.Method) string { return short(m.Timeout) }),
	"(svc.v1.method).calls":                 value(and(config, "docs/catalogue.md.tmpl"), calls),
	"(svc.v1.method).errors":                value(and(service, "go/client.go.tmpl"), reasons),
	"(svc.v1.method).idempotency_key":       value(service, func(m *model.Method) string { return m.IdempotencyKey }),
	"(svc.v1.method).retry":                 retry,
	"(svc.v1.method).retry.attempts":        value(service, func(r *model.Retry) string { return number(r.Attempts) }),
	"(svc.v1.method).retry.initial_backoff": value([]string{"go/service.go.tmpl"}, func(r *model.Retry) string { return short(r.InitialBackoff) }),
	"(svc.v1.method).retry.max_backoff":     value([]string{"go/service.go.tmpl"}, func(r *model.Retry) string { return short(r.MaxBackoff) }),
	"(svc.v1.method).retry.codes":           value(service, func(r *model.Retry) string { return strings.Join(r.Codes, ", ") }),

	"(svc.v1.field).default": value(config, func(f *model.ConfigField) string { return f.Default }),

	"(svc.v1.errors).domain":     value(errorFiles, func(e *model.Error) string { return e.Enum.Domain }),
	"(svc.v1.error).code":        value(and(errorFiles, "go/service.go.tmpl"), func(e *model.Error) string { return e.Code }),
	"(svc.v1.error).http_status": value(errorFiles, func(e *model.Error) string { return number(e.HTTP) }).by("(svc.v1.error).code"),
	"(svc.v1.error).message":     value(errorFiles, func(e *model.Error) string { return e.Message }),
	"(svc.v1.error).retryable":   value(and(errorFiles, "go/service.go.tmpl"), func(e *model.Error) string { return strconv.FormatBool(e.Retryable) }),
}

// retry is there for what is idempotent, said one way or the other.
var retry = row{
	outputs:  service,
	elements: part(service, func(m *model.Method) (*model.Retry, bool) { return m.Retry, m.Retry != nil }).elements,
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

// short is a duration as people write it: "5m", "0s".
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

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

func buckets(m *model.Metric) string {
	var out []string
	for _, b := range m.Buckets {
		out = append(out, strconv.FormatFloat(b, 'g', -1, 64))
	}
	return strings.Join(out, ", ")
}

func calls(m *model.Method) string {
	var out []string
	for _, c := range m.Calls {
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
