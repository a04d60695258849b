package svcgen

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

// bePlugin makes the program of these tests a plugin.
const bePlugin = "SVCGEN_TEST_BE_PLUGIN"

func TestMain(m *testing.M) {
	if os.Getenv(bePlugin) != "" {
		Main()
		return
	}
	os.Exit(m.Run())
}

// TestMainWithoutArguments: on a terminal it is help, else a plugin.
func TestMainWithoutArguments(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(in *os.File) string {
		var out, errors bytes.Buffer
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), bePlugin+"=1")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &errors
		if err := cmd.Run(); err != nil || errors.Len() > 0 {
			t.Fatalf("%v: %s", err, &errors)
		}
		return out.String()
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	r := request()
	raw, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = write.Write(raw)
		_ = write.Close()
	}()
	if got := run(read); !strings.Contains(got, "deploy/order/k8s/deployment.yaml") {
		t.Errorf("asked by a pipe it says %.200q", got)
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer terminal.Close()
	if got := run(terminal); !strings.HasPrefix(got, "protoc-gen-svc turns annotated proto files into services.\n") {
		t.Errorf("on a terminal it says %.200q", got)
	}
}
