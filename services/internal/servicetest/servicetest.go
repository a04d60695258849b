// Package servicetest runs whole services inside tests: the real process but for
// the process, on free ports of the loopback, with a database of its own. Only
// tests import it.
package servicetest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc"
	"github.com/protosvc/protosvc/svc/client"
)

// startTimeout is how long a service may take to be ready.
const startTimeout = 20 * time.Second

// base is what every configuration starts with.
const base = `
listen: {grpc: "127.0.0.1:0", http: "127.0.0.1:0", admin: "127.0.0.1:0"}
stop: {drain_delay: 0s, budget: 5s}
`

// Service is a running service.
type Service struct {
	svc.Addresses
	stop func()
}

// Start runs the service with these lines of configuration added to its ports,
// and stops it when the test ends. The log is shown if the test has failed.
func Start(t testing.TB, s svc.Service, config string) *Service {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log, ready, ended := &buffer{}, make(chan svc.Addresses, 1), make(chan error, 1)
	path := writeConfig(t, config)
	go func() {
		ended <- svc.Run(ctx, s, svc.Options{Config: path, Log: log, Ready: func(at svc.Addresses) { ready <- at }})
	}()
	running := &Service{stop: sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s ended with: %v", s.Name, err)
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", s.Name, log)
		}
	})}
	t.Cleanup(running.Stop)
	select {
	case running.Addresses = <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatalf("%s does not start: %v", s.Name, err)
	case <-time.After(startTimeout):
		t.Fatalf("%s is not ready after %v", s.Name, startTimeout)
	}
	return running
}

// Stop stops the service gracefully and waits until nothing of it is left.
// Stopping it again does nothing.
func (s *Service) Stop() { s.stop() }

// Target is the address of the gRPC port as configuration and clients want it.
func (s *Service) Target() string { return Target(s.GRPC) }

// Target makes a target of an address that needs no name service.
func Target(address string) string { return "passthrough:///" + address }

// Dial returns a generated client of the service at the target; dial is the
// generated function that makes it. The client has none of the contract's
// deadlines and retries: what a test asserts must not depend on how busy the
// machine is, and a call that a test makes is made once.
func Dial[C any](t testing.TB, target string, dial func(*client.Dialer) (C, error)) C {
	t.Helper()
	dialer := &client.Dialer{Options: client.Options{
		Target: target,
		Dial:   []grpc.DialOption{grpc.WithDefaultServiceConfig("{}")},
	}}
	t.Cleanup(func() {
		if err := dialer.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := dial(dialer)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func writeConfig(t testing.TB, config string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(base+config), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
