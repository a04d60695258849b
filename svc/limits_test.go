package svc

import (
	"context"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc/internal/limit"
)

// The limit of open files is held against what the limits of connections may take.
func TestFiles(t *testing.T) {
	files, known := limit.Files()
	if !known {
		t.Skip("the limit is not known here")
	}
	for _, test := range []struct {
		name        string
		connections int
		warned      bool
	}{{"few", 1, false}, {"more than files", int(min(files, 1<<40)), true}} {
		s := greeter(t, hello)
		s.Settings.Limits.Connections = test.connections
		r := start(t, s, Options{})
		if err := r.stop(); err != nil { // all lines are written then
			t.Error(err)
		}
		if got := strings.Contains(r.log.String(), "the limit of open files is reached before limits.connections"); got != test.warned {
			t.Errorf("%s: warned: %v\n%s", test.name, got, r.log)
		}
	}
}

func TestFilesWanted(t *testing.T) {
	a := &App{settings: &Settings{Limits: Limits{Connections: 1000}}}
	for _, test := range []struct {
		name string
		with func()
		want uint64
	}{
		{"gRPC alone", func() {}, 1000 + 64 + 64},
		{"a database", func() { a.settings.Database = &Database{MaxConnections: 16} }, 1000 + 64 + 64 + 16},
		{"HTTP", func() { a.service.HTTP, a.settings.Listen.HTTP = noRoutes, ":8080" }, 2000 + 64 + 64 + 16},
	} {
		test.with()
		if got := a.filesWanted(); got != test.want {
			t.Errorf("%s: %d files, want %d", test.name, got, test.want)
		}
	}
}

func noRoutes(context.Context, *runtime.ServeMux, grpc.ClientConnInterface) error { return nil }
