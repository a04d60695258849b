// Package testservice runs services inside of tests as processes run them: with the
// settings, files and variables that they get. Package svctest, which is for tests of what
// services do, replaces these by its own.
package testservice

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc"
)

// timeout is how long a service may take to be ready.
const timeout = 20 * time.Second

// Start runs a service until the test ends, on free ports and with a database in memory
// if it has one, and returns where it listens. The environment of the options has the last
// word. Their log is that of the test unless they have another.
func Start(t *testing.T, s svc.Service, o svc.Options) svc.Addresses {
	t.Helper()
	prefix := strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
	environ := []string{prefix + "_LISTEN_GRPC=127.0.0.1:0", prefix + "_LISTEN_ADMIN=127.0.0.1:0", prefix + "_STOP_DRAIN_DELAY=0s"}
	if s.HTTP != nil {
		environ = append(environ, prefix+"_LISTEN_HTTP=127.0.0.1:0")
	}
	if s.Settings.Database != nil {
		environ = append(environ, prefix+"_DATABASE_URL=sqlite::memory:")
	}
	o.Environ = append(environ, o.Environ...)
	if o.Log == nil {
		o.Log = t.Output()
	}
	ready, ended := make(chan svc.Addresses, 1), make(chan error, 1)
	o.Ready = func(at svc.Addresses) { ready <- at }
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- svc.Run(ctx, s, o) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("%s ended with: %v", s.Name, err)
		}
	})
	select {
	case at := <-ready:
		return at
	case err := <-ended:
		ended <- nil
		t.Fatalf("%s does not start: %v", s.Name, err)
	case <-time.After(timeout):
		t.Fatalf("%s is not ready after %v", s.Name, timeout)
	}
	return svc.Addresses{}
}
