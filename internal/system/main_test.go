package system_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/protosvc/protosvc/internal/system"
	"github.com/protosvc/protosvc/svc/client"
)

// bin holds the binaries that TestMain builds.
var bin string

// root is the repository as the tests see it.
const root = "../.."

// TestMain builds the binaries once. The test binary is also the parent that
// dies in TestProcessesDieWithTheirParent.
func TestMain(m *testing.M) {
	if dir := os.Getenv(parentVariable); dir != "" {
		os.Exit(parent(dir))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "system-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	build := exec.Command("go", "build", "-o", dir, "./generated/deploy/user/cmd/user",
		"./generated/deploy/order/cmd/order", "./generated/deploy/payment/cmd/payment")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// options are those of a system whose files lie in the folder.
func options(dir string) system.Options {
	return system.Options{Bin: bin, Configs: filepath.Join(root, "generated", "deploy"), Dir: dir}
}

// start starts a system that is stopped when the test ends, on the engine that
// the environment says. The logs are shown if the test has failed.
func start(t *testing.T, change func(*system.Options)) *system.System {
	t.Helper()
	o := options(t.TempDir())
	o.Databases = databases(t)
	if change != nil {
		change(&o)
	}
	sys, err := system.Start(limited(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, service := range sys.Services() {
				log, _ := os.ReadFile(service.Log)
				t.Logf("log of %s:\n%s", service.Name, log)
			}
		}
	})
	return sys
}

// limited returns a context that no step of a test should outlive.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// reconnecting is how soon a test's client tries again.
var reconnecting = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 20 * time.Millisecond, MaxDelay: 20 * time.Millisecond, Multiplier: 1},
	MinConnectTimeout: 10 * time.Second,
}

// dial returns a generated client; make is the generated function that makes it.
// It has none of the contract's deadlines and retries: what a test asserts must
// not depend on how busy the machine is. Between the services they are on. It
// waits for a service that is not there yet.
func dial[C any](t *testing.T, service *system.Service, make func(*client.Dialer) (C, error)) C {
	t.Helper()
	dialer := &client.Dialer{Options: client.Options{
		Target: service.Target(),
		Dial: []grpc.DialOption{
			grpc.WithDefaultServiceConfig("{}"),
			grpc.WithDefaultCallOptions(grpc.WaitForReady(true)),
			grpc.WithConnectParams(reconnecting),
		},
	}}
	t.Cleanup(func() {
		if err := dialer.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := make(dialer)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// eventually fails the test unless the condition holds within some seconds. It
// is for what another process does, which has no channel to wait on.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("%s: not within 20 s", what)
}
