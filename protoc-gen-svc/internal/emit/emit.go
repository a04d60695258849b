// Package emit writes the model through the templates.
//
// The tables below are the whole of what is written: one row for each file,
// in the order of the output. Nothing can fail here on the user's account;
// an error is a fault of a template.
package emit

import (
	"io/fs"
	"iter"
	"slices"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// output is one file for each T: a template, where it goes, and when.
type output[T any] struct {
	template string
	path     func(T) string
	// when is nil for always.
	when func(T) bool
	// pkg is the package of a Go file; nil for any other.
	pkg func(T) model.Package
	// after writes what follows the template's text, where a template would
	// not do: code that is a tree, not a form.
	after func(T, rules.File)
}

var services = []output[*model.Service]{
	{template: "go/service.go.tmpl", path: library("service"), pkg: libraryPackage},
	{template: "go/server.go.tmpl", path: library("server"), pkg: libraryPackage},
	{template: "go/client.go.tmpl", path: library("client"), pkg: libraryPackage},
	{template: "go/cases.go.tmpl", path: library("cases"), pkg: libraryPackage, when: (*model.Service).Fails},
	{template: "go/validate.go.tmpl", path: library("validate"), pkg: libraryPackage, when: hasRules, after: (*model.Service).EmitRules},
	{template: "go/fake.go.tmpl", path: fakeFile, pkg: fakesPackage, when: hasMethods},
	{template: "go/main.go.tmpl", path: mainFile, pkg: mainPackage},
	{template: "config/config.yaml.tmpl", path: deploy("config.yaml")},
	{template: "config/config.schema.json.tmpl", path: deploy("config.schema.json")},
	{template: "docker/Dockerfile.tmpl", path: deploy("Dockerfile")},
	{template: "systemd/service.tmpl", path: unitFile},
	{template: "systemd/start.sh.tmpl", path: deploy("systemd/start.sh")},
	{template: "k8s/serviceaccount.yaml.tmpl", path: deploy("k8s/serviceaccount.yaml")},
	{template: "k8s/configmap.yaml.tmpl", path: deploy("k8s/configmap.yaml")},
	{template: "k8s/deployment.yaml.tmpl", path: deploy("k8s/deployment.yaml")},
	{template: "k8s/migration-job.yaml.tmpl", path: deploy("k8s/migration-job.yaml"), when: (*model.Service).MigratesByJob},
	{template: "k8s/service.yaml.tmpl", path: deploy("k8s/service.yaml")},
	{template: "k8s/service-headless.yaml.tmpl", path: deploy("k8s/service-headless.yaml")},
	{template: "k8s/horizontalpodautoscaler.yaml.tmpl", path: deploy("k8s/horizontalpodautoscaler.yaml"), when: (*model.Service).Autoscaled},
	{template: "k8s/poddisruptionbudget.yaml.tmpl", path: deploy("k8s/poddisruptionbudget.yaml"), when: (*model.Service).Replicated},
	{template: "k8s/servicemonitor.yaml.tmpl", path: deploy("k8s/components/monitor/servicemonitor.yaml"), when: hasMonitor(model.ServiceMonitor)},
	{template: "k8s/podmonitor.yaml.tmpl", path: deploy("k8s/components/monitor/podmonitor.yaml"), when: hasMonitor(model.PodMonitor)},
	{template: "k8s/monitor-kustomization.yaml.tmpl", path: deploy("k8s/components/monitor/kustomization.yaml"), when: (*model.Service).Monitored},
	{template: "k8s/network-policy-kustomization.yaml.tmpl", path: deploy("k8s/components/network-policy/kustomization.yaml"), when: allCallersSeen},
	{template: "k8s/networkpolicy.yaml.tmpl", path: networkPolicy, when: allCallersSeen},
	{template: "k8s/migration-networkpolicy.yaml.tmpl", path: deploy("k8s/components/network-policy/migration-networkpolicy.yaml"), when: isolatesMigrations},
	{template: "k8s/kustomization.yaml.tmpl", path: deploy("k8s/kustomization.yaml")},
	{template: "k8s/overlay-dev.yaml.tmpl", path: deploy("overlays/dev/kustomization.yaml")},
	{template: "k8s/overlay-staging.yaml.tmpl", path: deploy("overlays/staging/kustomization.yaml")},
	{template: "k8s/overlay-prod.yaml.tmpl", path: deploy("overlays/prod/kustomization.yaml")},
	{template: "docs/README.md.tmpl", path: deploy("README.md")},
}

// Neighbors stands among templates for the NetworkPolicies at the other ends of a
// service's calls, which name it and its port too.
const Neighbors = "k8s/networkpolicy.yaml.tmpl of callers and callees"

var networkPolicy = deploy("k8s/components/network-policy/networkpolicy.yaml")

var errorEnums = []output[*model.ErrorEnum]{
	{template: "go/errors.go.tmpl", path: errorsFile, pkg: func(e *model.ErrorEnum) model.Package { return e.Package }},
}

// documents are about the HTTP/JSON of one proto file each.
var documents = []output[*model.Document]{
	{template: "openapi/openapi.json.tmpl", path: func(d *model.Document) string { return d.Path }},
}

// systems are the files about all services together.
var systems = []output[*model.System]{
	{template: "k8s/system-kustomization.yaml.tmpl", path: constant("deploy/kustomization.yaml")},
	{template: "k8s/system-monitor-kustomization.yaml.tmpl", path: constant("deploy/components/monitor/kustomization.yaml"), when: anyMonitored},
	{template: "k8s/system-network-policy-kustomization.yaml.tmpl", path: constant("deploy/components/network-policy/kustomization.yaml"), when: anyService},
	{template: "k8s/system-overlay-dev.yaml.tmpl", path: constant("deploy/overlays/dev/kustomization.yaml"), when: anyService},
	{template: "k8s/system-overlay-staging.yaml.tmpl", path: constant("deploy/overlays/staging/kustomization.yaml"), when: anyService},
	{template: "k8s/system-overlay-prod.yaml.tmpl", path: constant("deploy/overlays/prod/kustomization.yaml"), when: anyService},
	{template: "docs/catalogue.md.tmpl", path: constant("deploy/README.md")},
	{template: "docs/index.html.tmpl", path: constant("deploy/index.html")},
	{template: "upgrade/protosvc.yaml.tmpl", path: constant(Record)},
}

// Record is where a system's files say which plugin wrote them, and with what
// options.
const Record = "deploy/protosvc.yaml"

// Output is one file: its path below the output folder, the template that it is made
// of, and its text.
type Output struct{ Path, Template, Text string }

// System yields every file of the system, in the order of the tables, or an error and
// no more. Of overlays, a later one is over those before it.
//
// Files are yielded while later ones are still being made, so that nobody has to hold
// all of a large system at once.
func System(s *model.System, templates fs.FS, overlays ...Overlay) iter.Seq2[Output, error] {
	return func(yield func(Output, error) bool) {
		w, err := planned(s, templates, overlays)
		if err != nil {
			yield(Output{}, err)
			return
		}
		w.write(yield)
	}
}

// planned is a writer that knows what to write.
func planned(s *model.System, templates fs.FS, overlays []Overlay) (*writer, error) {
	w, err := newWriter(templates, overlays)
	if err != nil {
		return nil, err
	}
	added, err := w.rows(s)
	if err != nil {
		return nil, err
	}
	rows := slices.Concat(services, added)
	for _, service := range s.Services {
		plan(w, rows, service)
	}
	for _, enum := range s.Errors {
		plan(w, errorEnums, enum)
	}
	for _, document := range s.Documents() {
		plan(w, documents, document)
	}
	if s.Options.System {
		plan(w, systems, s)
	}
	return w, nil
}

// Outputs are the files that are about a service, in part or altogether, by
// template.
func Outputs(system *model.System, s *model.Service) map[string][]string {
	out := map[string][]string{}
	outputs(out, services, s)
	for _, enum := range s.ErrorEnums {
		outputs(out, errorEnums, enum)
	}
	if path := system.DocumentPath(s); path != "" {
		outputs(out, documents, &model.Document{Source: s.Source, Path: path})
	}
	if system.Options.System {
		for _, other := range s.Neighbors() {
			out[Neighbors] = append(out[Neighbors], networkPolicy(other))
		}
		outputs(out, systems, system)
	}
	return out
}

// ErrorOutputs are the files about an enum of errors, by template.
func ErrorOutputs(enum *model.ErrorEnum) map[string][]string {
	out := map[string][]string{}
	outputs(out, errorEnums, enum)
	return out
}

func outputs[T any](into map[string][]string, table []output[T], data T) {
	for _, o := range table {
		if o.when == nil || o.when(data) {
			into[o.template] = append(into[o.template], o.path(data))
		}
	}
}

// plan has the writer write a table's files about data.
func plan[T any](w *writer, table []output[T], data T) {
	for _, o := range table {
		if o.when != nil && !o.when(data) {
			continue
		}
		f := file{path: o.path(data), template: o.template, data: data}
		if o.pkg != nil {
			f.pkg = o.pkg(data).Path
		}
		if o.after != nil {
			f.after = func(g rules.File) { o.after(data, g) }
		}
		w.planned = append(w.planned, f)
	}
}

func library(file string) func(*model.Service) string {
	return func(s *model.Service) string { return s.Package.Dir + "/" + s.Snake + "_" + file + ".go" }
}

func libraryPackage(s *model.Service) model.Package { return s.Package }

func fakeFile(s *model.Service) string { return s.Fakes.Dir + "/" + s.Snake + "_fake.go" }

func fakesPackage(s *model.Service) model.Package { return s.Fakes }

func hasMethods(s *model.Service) bool { return len(s.Methods) > 0 }

func mainFile(s *model.Service) string { return s.Main.Dir + "/main.go" }

func mainPackage(s *model.Service) model.Package { return s.Main }

// allCallersSeen: a policy that left out a caller would cut it off.
func allCallersSeen(s *model.Service) bool { return s.WholeSystem }

func isolatesMigrations(s *model.Service) bool { return s.WholeSystem && s.MigratesByJob() }

func hasRules(s *model.Service) bool { return !s.Rules.Empty() }

func hasMonitor(kind model.Monitor) func(*model.Service) bool {
	return func(s *model.Service) bool { return s.Monitoring.Monitor == kind }
}

func anyMonitored(s *model.System) bool { return len(s.Monitored()) > 0 }

func deploy(file string) func(*model.Service) string {
	return func(s *model.Service) string { return s.Deploy + "/" + file }
}

func unitFile(s *model.Service) string { return s.Deploy + "/systemd/" + s.Name + ".service" }

func errorsFile(e *model.ErrorEnum) string { return e.Package.Dir + "/" + e.Snake + "_errors.go" }

func constant(path string) func(*model.System) string {
	return func(*model.System) string { return path }
}

func anyService(s *model.System) bool { return len(s.Services) > 0 }
