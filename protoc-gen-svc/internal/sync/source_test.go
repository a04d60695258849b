package sync

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// The test program also stands for the programs that a Buf source runs.
const (
	beBuf     = "be-buf"
	bePlugin  = "be-plugin"
	beBroken  = "be-broken"
	inputFile = "input.binpb" // what the stand-in for buf has compiled
)

func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	var err error
	switch os.Args[1] {
	case beBuf:
		err = generate(os.Args[2:])
	case bePlugin:
		err = Capture(os.Stdin, os.Stdout)
	case beBroken:
		os.Stderr.WriteString("shop.proto:1:1: syntax error\n")
		os.Exit(100)
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}

// generate does what "buf generate --template FILE" does with one input and
// plugins that are lists of words.
func generate(args []string) error {
	text, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	var template struct {
		Plugins []struct {
			Local, Opt []string
			Out        string
		}
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		return err
	}
	for _, p := range template.Plugins {
		request, err := os.ReadFile(inputFile)
		if err != nil {
			return err
		}
		request = protowire.AppendTag(request, 2, protowire.BytesType) // parameter
		request = protowire.AppendString(request, strings.Join(p.Opt, ","))
		cmd := exec.Command(p.Local[0], p.Local[1:]...)
		cmd.Stdin, cmd.Stderr = bytes.NewReader(request), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return err
		}
		var response pluginpb.CodeGeneratorResponse
		if err := proto.Unmarshal(out, &response); err != nil {
			return err
		}
		if err := os.MkdirAll(p.Out, 0o755); err != nil {
			return err
		}
		for _, f := range response.GetFile() {
			if err := os.WriteFile(filepath.Join(p.Out, f.GetName()), []byte(f.GetContent()), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

const bufTemplate = `version: v2
clean: true # must not be obeyed
managed: {enabled: true}
plugins:
  - {local: protoc-gen-go, out: generated, opt: paths=source_relative}
  - local: [go, run, ./cmd/protoc-gen-svc]
    out: generated
    opt:
      - root=example.com/shop/generated
      - handlers=example.com/shop/services
`

// bufSource is a source in a module with a template and an input.
func bufSource(t *testing.T, role string) Buf {
	t.Helper()
	c := readContract("rpc ShipOrder unary\n")
	newModule(t, c, nil)
	input, err := proto.Marshal(c.request())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"buf.gen.yaml": []byte(bufTemplate), inputFile: input} {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Buf{Command: []string{self, role}, Template: "buf.gen.yaml", Plugin: []string{self, bePlugin}}
}

func TestBuf(t *testing.T) {
	source := bufSource(t, beBuf)
	var out bytes.Buffer
	if err := Run(context.Background(), Options{Source: source}, &out, os.Stderr); err != nil {
		t.Fatal(err)
	}
	want := "services/shop/shop.go: handler of shop.v1.ShopService\nservices/shop/ship_order.go: stub of ShipOrder\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	if _, err := os.Stat("generated/shop/v1/shop.go"); err != nil {
		t.Errorf("what was generated is gone: %v", err)
	}
}

func TestBufFaults(t *testing.T) {
	source := bufSource(t, beBroken)
	cases := map[string]struct {
		change func(*Buf)
		want   string
	}{
		"fault of the contract": {func(*Buf) {}, "generate: exit status 100\nshop.proto:1:1: syntax error"},
		"no buf":                {func(b *Buf) { b.Command = []string{"no-such-buf"} }, "no-such-buf is not in PATH: say how to run buf with --buf"},
		"no template":           {func(b *Buf) { b.Template = "other.yaml" }, "open other.yaml: "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := source
			c.change(&b)
			if _, err := b.requests(context.Background()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q", err, c.want)
			}
		})
	}
}

func TestTemplate(t *testing.T) {
	cases := map[string]struct{ text, parameter, fault string }{
		"by name":        {"version: v2\nplugins: [{local: protoc-gen-svc, opt: 'root=a,handlers=b'}]", "root=a,handlers=b", ""},
		"by path":        {"version: v2\nplugins: [{local: bin/protoc-gen-svc.exe, opt: [x=y]}]", "x=y", ""},
		"by option":      {"version: v2\nplugins: [{local: gen, opt: x=y}, {local: make, opt: [system=true, root=a]}]", "system=true,root=a", ""},
		"remote":         {"version: v2\nplugins: [{remote: example.com/svc, revision: 1, opt: root=a}]", "root=a", ""},
		"a command of":   {"version: v2\nplugins: [{local: [protoc-gen-svc, openapi, x], opt: y}, {local: [protoc-gen-svc], opt: z}]", "z", ""},
		"not there":      {"version: v2\nplugins: [{local: protoc-gen-go}]", "", "none of the plugins is protoc-gen-svc (want one whose local names it, or whose opt has root=)"},
		"old version":    {"version: v1\nplugins: [{plugin: svc}]", "", `version is "v1" (want "v2": "buf config migrate" brings it up to date)`},
		"no version":     {"plugins: []", "", `version is "" (want "v2": "buf config migrate" brings it up to date)`},
		"not a template": {"version: v2\nplugins: 1", "", "yaml: unmarshal errors:\n  line 2: cannot unmarshal !!int `1` into []sync.mapping"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := readTemplate([]byte(c.text))
			if c.fault != "" {
				if err == nil || err.Error() != c.fault {
					t.Errorf("error is %v, want %s", err, c.fault)
				}
				return
			}
			if err != nil || got.parameter() != c.parameter {
				t.Errorf("parameter is %q (%v), want %q", got.parameter(), err, c.parameter)
			}
		})
	}
}

// TestCapturing checks that everything but the plugin stays as it is written.
func TestCapturing(t *testing.T) {
	parsed, err := readTemplate([]byte(`version: v2
clean: true
inputs:
  - git_repo: https://example.com/r
    branch: 2024-01-01
plugins:
  - local: other
  - remote: example.com/svc
    revision: 010
    out: generated
    opt: root=a
    exclude_types: [a.B]
`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := parsed.capturing([]string{"self", "capture"}, "/tmp/x")
	if err != nil {
		t.Fatal(err)
	}
	want := `version: v2
plugins:
    - exclude_types: [a.B]
      local:
        - self
        - capture
      opt: root=a
      out: ` + filepath.Join("/tmp/x", "0") + `
      strategy: all
inputs:
    - git_repo: https://example.com/r
      branch: 2024-01-01
`
	if string(text) != want {
		t.Errorf("template is\n%s\nwant\n%s", text, want)
	}
}

func TestCaptureIsText(t *testing.T) {
	var out bytes.Buffer
	in := []byte{0xff, 0, 1}
	if err := Capture(bytes.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out.Bytes(), &response); err != nil {
		t.Fatal(err)
	}
	got, err := base64.StdEncoding.DecodeString(response.GetFile()[0].GetContent())
	if err != nil || !bytes.Equal(got, in) {
		t.Errorf("captured %x (%v), want %x", got, err, in)
	}
}

// bufMark is what buf adds to a file of an image.
func bufMark(f *descriptorpb.FileDescriptorProto, isImport bool) {
	mark := protowire.AppendTag(nil, 3, protowire.VarintType) // is_syntax_unspecified
	mark = protowire.AppendVarint(mark, 0)
	if isImport {
		mark = protowire.AppendTag(mark, bufIsImport, protowire.VarintType)
		mark = protowire.AppendVarint(mark, 1)
	}
	raw := protowire.AppendTag(nil, bufExtension, protowire.BytesType)
	f.ProtoReflect().SetUnknown(protowire.AppendBytes(raw, mark))
}

func TestDescriptorSet(t *testing.T) {
	foreign := func(goPackage string) *descriptorpb.FileDescriptorProto {
		return &descriptorpb.FileDescriptorProto{
			Name: proto.String("foreign.proto"), Syntax: proto.String("proto3"),
			Options: &descriptorpb.FileOptions{GoPackage: proto.String(goPackage)},
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Foreign")}},
		}
	}
	cases := map[string]struct {
		other *descriptorpb.FileDescriptorProto
		marks bool
	}{
		"of protoc, import of another module": {foreign("example.com/other;other"), false},
		"of buf, import of this module":       {foreign("example.com/shop/common"), true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			contract := readContract("rpc ShipOrder unary\n")
			newModule(t, contract, nil)
			file := contract.request().GetProtoFile()[0]
			if c.marks {
				bufMark(c.other, true)
				bufMark(file, false)
			}
			raw, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{c.other, file}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile("buf.gen.yaml", []byte(bufTemplate), 0o644); err != nil {
				t.Fatal(err)
			}
			requests, err := DescriptorSet{File: "-", In: bytes.NewReader(raw), Template: "buf.gen.yaml"}.requests(context.Background())
			if err != nil || len(requests) != 1 {
				t.Fatalf("got %d requests (%v), want 1", len(requests), err)
			}
			if got := strings.Join(requests[0].GetFileToGenerate(), " "); got != file.GetName() {
				t.Errorf("files to generate are %q, want %q", got, file.GetName())
			}
			if got, want := requests[0].GetParameter(), "root=example.com/shop/generated,handlers=example.com/shop/services"; got != want {
				t.Errorf("parameter is %q, want %q", got, want)
			}
		})
	}
}

func TestDescriptorSetFaults(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"not a set": {"\xff\xff", "- is not a FileDescriptorSet: "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := DescriptorSet{File: "-", In: strings.NewReader(c.text)}.requests(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q", err, c.want)
			}
		})
	}
	if _, err := (DescriptorSet{File: filepath.Join(t.TempDir(), "x")}).requests(context.Background()); !os.IsNotExist(err) {
		t.Errorf("error is %v, want that the file does not exist", err)
	}
}

func TestNoModule(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GOWORK", "off")
	want := "there is no go.mod here or above: run \"go mod init\" first"
	if _, err := listModules(context.Background()); err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}
