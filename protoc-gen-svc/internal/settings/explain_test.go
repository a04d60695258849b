package settings_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/settings"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// TestFlagship explains the order service as buf compiles it.
func TestFlagship(t *testing.T) {
	groups, err := settings.Find(flagship(t), "order")
	if err != nil {
		t.Fatal(err)
	}
	var short, verbose bytes.Buffer
	if err := errors.Join(settings.Text(&short, groups), settings.Verbose(&verbose, groups)); err != nil {
		t.Fatal(err)
	}
	hold(t, "order.txt", &short)
	hold(t, "order-verbose.txt", &verbose)
	for line := range strings.Lines(short.String() + verbose.String()) {
		if len(line) > 110+len("\n") {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}

// hold compares with a file in testdata.
func hold(t *testing.T, name string, got *bytes.Buffer) {
	t.Helper()
	golden := "protoc-gen-svc/internal/settings/testdata/" + name
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs (-update rewrites it):\n%s", name, diff.Diff("want", want, "got", got.Bytes()))
	}
}

func TestJSON(t *testing.T) {
	groups, err := settings.Find(flagship(t), "order.v1.OrderService/GetOrder")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := settings.JSON(&out, groups); err != nil {
		t.Fatal(err)
	}
	var read []settings.Group
	if err := json.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if len(read) != 1 || read[0].Settings[0].Option != "(svc.v1.method).timeout" || read[0].Settings[0].Value != "300ms" || len(read[0].Settings[0].Outputs) == 0 {
		t.Errorf("JSON is %s", out.Bytes())
	}
}

// flagship reads the contract of this repository, and leaves the test at its root.
func flagship(t *testing.T) []settings.Group {
	t.Helper()
	t.Chdir("../../..")
	if _, err := os.Stat("third_party"); err != nil {
		t.Fatal("third_party is missing: run make third_party")
	}
	set := filepath.Join(t.TempDir(), "set.binpb")
	if out, err := exec.Command("go", "tool", "-modfile=tools/buf/go.mod", "buf", "build", "proto", "--exclude-path", "proto/svc", "-o", set).CombinedOutput(); err != nil {
		t.Fatalf("buf: %v\n%s", err, out)
	}
	groups, err := settings.Read(context.Background(), sync.DescriptorSet{File: set, Template: "buf.gen.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	return groups
}
