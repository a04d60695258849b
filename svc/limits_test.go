package svc

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

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
		{"HTTP", func() { a.service.HTTP, a.settings.Listen.HTTP = []Route{}, ":8080" }, 2000 + 64 + 64 + 16},
	} {
		test.with()
		if got := a.filesWanted(a.settings); got != test.want {
			t.Errorf("%s: %d files, want %d", test.name, got, test.want)
		}
	}
}

// Connections on which nothing happens make room for those of callers, on both ports; a
// request that is being answered, and a call, are not disturbed.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	entered, release := make(chan struct{}, 1), make(chan struct{})
	s := greeter(t, func(*App) (greet, error) {
		return func(_ context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			if in.GetValue() == "wait" {
				entered <- struct{}{}
				<-release
			}
			return in, nil
		}, nil
	})
	s.Settings.Limits.Connections = 3 // one is answered, and one may have been a moment ago
	s.Settings.Listen.HTTP = "127.0.0.1:0"
	s.HTTP = []Route{{Method: http.MethodGet, Path: "/{value}", RPC: greetName}}
	r := start(t, s, Options{})
	for name, call := range map[string]struct {
		address string
		do      func(what string) error
	}{
		"gRPC": {r.GRPC, func(what string) error {
			_, err := r.call(t, what)
			return err
		}},
		"HTTP": {r.HTTP, func(what string) error {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			response, err := client.Get("http://" + r.HTTP + "/" + what)
			if err != nil {
				return err
			}
			return response.Body.Close()
		}},
	} {
		waited := make(chan error)
		go func() { waited <- call.do("wait") }()
		<-entered
		for range 5 {
			c, err := net.Dial("tcp", call.address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte("G")); err != nil { // of a request that never ends
				t.Fatal(err)
			}
			if err := call.do("hello"); err != nil {
				t.Errorf("%s: beside silent connections: %v", name, err)
			}
		}
		release <- struct{}{}
		if err := <-waited; err != nil {
			t.Errorf("%s: what was answered meanwhile: %v", name, err)
		}
	}
	_, page := r.admin(t, http.MethodGet, "/metrics")
	if !strings.Contains(page, "\ngrpc_server_connections_refused_total 0\n") || strings.Contains(page, `grpc_server_connections_ended_total{reason="idle"} 0`) {
		t.Error("the metrics do not say that connections were closed because they were idle, and none was refused")
	}
}

// Reflection is there where the settings say so, and nowhere else.
func TestReflection(t *testing.T) {
	for _, on := range []bool{true, false} {
		s := greeter(t, hello)
		s.Settings.Listen.Reflection = on
		r := start(t, s, Options{})
		conn := dialHonest(t, r.GRPC)
		stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}); err != nil && err != io.EOF { // refused already
			t.Fatal(err)
		}
		answer, err := stream.Recv()
		if listed := len(answer.GetListServicesResponse().GetService()) > 0; listed != on || (status.Code(err) == codes.Unimplemented) == on {
			t.Errorf("with %v: services are listed: %v, %v", on, listed, err)
		}
	}
}

// A configuration that lets in more than fits in memory is warned of.
func TestLimitsBeyondMemory(t *testing.T) {
	before := debug.SetMemoryLimit(128 << 20) // for the start alone
	defer debug.SetMemoryLimit(before)
	for connections, warned := range map[int]bool{500: false, 5000: true} {
		s := greeter(t, hello)
		s.Settings.Limits.Connections = connections
		r := start(t, s, Options{})
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		if said := strings.Contains(r.log.String(), "the limits let in more than fits in memory"); said != warned {
			t.Errorf("with %d connections it is said: %v\n%s", connections, said, r.log.String())
		}
	}
}
