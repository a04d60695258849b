package svcgen

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/templates"
)

const root = "example.com/shop/generated"

// request is two services; only that of orders has a database.
func request() *pluginpb.CodeGeneratorRequest {
	return &pluginpb.CodeGeneratorRequest{
		Parameter:      proto.String("root=" + root),
		FileToGenerate: []string{"order/v1/order.proto", "user/v1/user.proto"},
		ProtoFile: []*descriptorpb.FileDescriptorProto{
			file("order", "OrderService", &svcv1.Service{Database: &svcv1.Database{}}),
			file("user", "UserService", &svcv1.Service{}),
		},
	}
}

func file(name, service string, annotation *svcv1.Service) *descriptorpb.FileDescriptorProto {
	options := &descriptorpb.ServiceOptions{}
	proto.SetExtension(options, svcv1.E_Service, annotation)
	return &descriptorpb.FileDescriptorProto{
		Name:    proto.String(name + "/v1/" + name + ".proto"),
		Package: proto.String(name + ".v1"),
		Syntax:  proto.String("proto3"),
		Options: &descriptorpb.FileOptions{GoPackage: proto.String(root + "/" + name + "/v1;" + name + "v1")},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: &service, Options: options}},
	}
}

// generate runs the plugin that Main would run.
func generate(t *testing.T, options ...Option) (map[string]string, error) {
	t.Helper()
	files, err := plugin.Files(request(), templates.FS, overlays(options)...)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, f := range files {
		out[f.Path] = f.Text
	}
	return out, nil
}

func contents(t *testing.T, response *pluginpb.CodeGeneratorResponse) map[string]string {
	t.Helper()
	if response.Error != nil {
		t.Fatal(response.GetError())
	}
	out := map[string]string{}
	for _, f := range response.GetFile() {
		out[f.GetName()] = f.GetContent()
	}
	return out
}

func mustGenerate(t *testing.T, options ...Option) map[string]string {
	t.Helper()
	out, err := generate(t, options...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tree(texts ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := 0; i < len(texts); i += 2 {
		out[texts[i]] = &fstest.MapFile{Data: []byte(texts[i+1])}
	}
	return out
}

// changed says what an overlay makes different: the whole new text of each file.
func changed(t *testing.T, options ...Option) map[string]string {
	t.Helper()
	before, after := mustGenerate(t), mustGenerate(t, options...)
	for name, text := range before {
		if after[name] == text {
			delete(after, name)
		}
	}
	return after
}

// TestOverlay: an overlay changes what it is about, and nothing else.
func TestOverlay(t *testing.T) {
	const deployment = "k8s/deployment.yaml.tmpl"
	tests := []struct {
		name    string
		options []Option
		want    map[string]string
	}{
		{"nothing", nil, map[string]string{}},
		{"an overlay without files", []Option{Overlay(tree())}, map[string]string{}},
		{"a template", []Option{Overlay(tree(deployment, "{{requires 1}}\nname: {{.Name}}\n"))}, map[string]string{
			"deploy/order/k8s/deployment.yaml": "name: order\n",
			"deploy/user/k8s/deployment.yaml":  "name: user\n",
		}},
		{"the later of two", []Option{Overlay(tree(deployment, "one")), Overlay(tree(deployment, "two"))}, map[string]string{
			"deploy/order/k8s/deployment.yaml": "two\n",
			"deploy/user/k8s/deployment.yaml":  "two\n",
		}},
		{
			"a partial of one overlay, used in another",
			[]Option{
				Overlay(tree(deployment, `{{template "labels" .Labels}}`, "docker/Dockerfile.tmpl", `FROM {{template "base"}}`)),
				Overlay(tree("docker/partials.tmpl", `{{define "base"}}acme{{end}}`, "k8s/serviceaccount.yaml.tmpl", "x")),
			},
			map[string]string{
				"deploy/order/Dockerfile":              "FROM acme\n",
				"deploy/user/Dockerfile":               "FROM acme\n",
				"deploy/order/k8s/serviceaccount.yaml": "x\n",
				"deploy/user/k8s/serviceaccount.yaml":  "x\n",
				"deploy/order/k8s/deployment.yaml":     labels("order"),
				"deploy/user/k8s/deployment.yaml":      labels("user"),
			},
		},
		{
			"a file more, for some",
			[]Option{
				Overlay(tree("k8s/backup.yaml.tmpl", "secret: {{quote .Database.Secret}}")),
				ServiceFile("k8s/backup.yaml.tmpl", "{{if .Database}}{{.Deploy}}/k8s/backup.yaml{{end}}"),
			},
			map[string]string{"deploy/order/k8s/backup.yaml": "secret: \"order-database\"\n"},
		},
		{
			"a Go file more, with imports",
			[]Option{
				ServiceFile("go/audit.go.tmpl", "{{.Package.Dir}}/{{.Snake}}_audit.go"),
				Overlay(tree("go/audit.go.tmpl", "package {{.Package.Name}}\n\nvar _ {{ident \"time\" \"Time\"}}\nvar _ {{goIdent (.Package.Ident \"Here\")}}")),
			},
			map[string]string{
				"order/v1/orderv1svc/order_service_audit.go": "package orderv1svc\n\nimport (\n\ttime \"time\"\n)\n\nvar _ time.Time\nvar _ Here\n",
				"user/v1/userv1svc/user_service_audit.go":    "package userv1svc\n\nimport (\n\ttime \"time\"\n)\n\nvar _ time.Time\nvar _ Here\n",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, changed(t, test.options...)); diff != "" {
				t.Errorf("changed files (-want +got):\n%s", diff)
			}
		})
	}
}

// labels is what our partial prints, without the white space around a file.
func labels(name string) string {
	return `app.kubernetes.io/name: "` + name + `"
    app.kubernetes.io/instance: "` + name + `"
    app.kubernetes.io/version: "dev"
    app.kubernetes.io/component: "server"
    app.kubernetes.io/part-of: "` + name + `"
    app.kubernetes.io/managed-by: "protoc-gen-svc"
`
}

// TestEmptyPartial: a definition without text replaces ours, too.
func TestEmptyPartial(t *testing.T) {
	out := mustGenerate(t, Overlay(tree("k8s/partials.tmpl", `{{define "labels"}}{{end}}`)))
	if text := out["deploy/user/k8s/serviceaccount.yaml"]; strings.Contains(text, "app.kubernetes.io") {
		t.Errorf("there are still labels:\n%s", text)
	}
}

// TestMistakes: the exact text that buf and protoc show.
func TestMistakes(t *testing.T) {
	const deployment = "k8s/deployment.yaml.tmpl"
	tests := []struct {
		name    string
		options []Option
		want    string
	}{
		{
			"misspelt fields, one where no service of the run gets to",
			[]Option{Overlay(tree(deployment, "metadata:\n  name: {{quote .Nmae}}\n{{if .Deprecated}}{{.Scale.Mim}}{{end}}"))},
			`2 faults in the templates:
k8s/deployment.yaml.tmpl:2:17: .Nmae: Service has no field or method "Nmae" (did you mean "Name"?)
k8s/deployment.yaml.tmpl:3:27: .Scale.Mim: Scale has no field or method "Mim" (did you mean "Min"?)`,
		},
		{
			"a misspelt field of a value whose type is known late",
			[]Option{Overlay(tree(deployment, `{{(first .Labels).Kee}}`))},
			`k8s/deployment.yaml.tmpl:1:10: .Kee: Pair has no field or method "Kee" (did you mean "Key"?) (writing deploy/order/k8s/deployment.yaml)`,
		},
		{
			"a section that not every service has",
			[]Option{Overlay(tree(deployment, "a\n{{.Database.Secret}}"))},
			`k8s/deployment.yaml.tmpl:2:12: .Database.Secret: nil pointer evaluating *model.Database.Secret (writing deploy/user/k8s/deployment.yaml)`,
		},
		{
			"a key of a map",
			[]Option{Overlay(tree(deployment, `{{$x := dict "a" 1}}{{$x.b}}`))},
			`k8s/deployment.yaml.tmpl:1:25: $x.b: map has no entry for key "b" (writing deploy/order/k8s/deployment.yaml)`,
		},
		{
			"a path outside",
			[]Option{Overlay(tree("a.tmpl", "x")), ServiceFile("a.tmpl", "../{{.Name}}")},
			`path of a.tmpl: "../order", for order.v1.OrderService, is not a path below the output folder`,
		},
		{
			"a path for all",
			[]Option{Overlay(tree("a.tmpl", "x")), ServiceFile("a.tmpl", "deploy/a.yaml")},
			`a.tmpl: deploy/a.yaml is written already, by a.tmpl`,
		},
		{
			"a path of ours",
			[]Option{Overlay(tree("a.tmpl", "x")), ServiceFile("a.tmpl", "{{.Deploy}}/config.yaml")},
			`a.tmpl: deploy/order/config.yaml is written already, by config/config.yaml.tmpl`,
		},
		{
			"a file that no template of ours is called",
			[]Option{Overlay(tree("k8s/deploymnt.yaml.tmpl", "x"))},
			`1 fault in the templates:
k8s/deploymnt.yaml.tmpl: there is no template of this name (did you mean "k8s/deployment.yaml.tmpl"?)`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if _, err := generate(t, test.options...); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}
