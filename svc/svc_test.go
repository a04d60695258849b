package svc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
	"github.com/protosvc/protosvc/svc/validate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// greeter is a service as generated code describes one, with a database, a
// config (a Duration stands for the message) and one method.
func greeter(t *testing.T, newHandler func(*App) (greet, error)) Service {
	t.Helper()
	config := NewConfig("seconds: 3\n", func(d *durationpb.Duration) error {
		at, v := validate.Path{}, new(validate.Violations)
		if d.GetSeconds() <= 0 {
			v.Add(at.Field("seconds"), "int64.gt", "must be greater than 0")
		}
		return v.Err()
	})
	return Service{
		Name:     "greeter",
		FullName: "test.v1.GreeterService",
		Settings: Settings{
			Listen:   Listen{GRPC: "127.0.0.1:0", Admin: "127.0.0.1:0"},
			Stop:     Stop{Budget: 5 * time.Second},
			Limits:   limits,
			Database: &Database{URL: "sqlite::memory:", MaxConnections: 4, ReadinessTimeout: time.Second},
		},
		Config:     config,
		Migrations: fstest.MapFS{"0001_init.sql": {Data: []byte("CREATE TABLE greeting (text TEXT NOT NULL);")}},
		Start:      Start(&greeterDesc, func(app *App) *App { return app }, newHandler, newGreetServer),
	}
}

// limits are those of a contract that says nothing about them.
var limits = Limits{Concurrency: 1000, Connections: 10_000, MessageBytes: 4 << 20, HeaderBytes: 16 << 10, StreamsPerConnection: 1000}

type greet = func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error)

type greetServer struct {
	greet *server.Unary[wrapperspb.StringValue, wrapperspb.StringValue]
}

func newGreetServer[D any](b *server.Binder, h greet, _ D) *greetServer {
	method := policy.Method{Name: "/test.v1.GreeterService/Greet", Timeout: time.Second}
	return &greetServer{server.BindUnary(b, method, nil, h)}
}

var greeterDesc = grpc.ServiceDesc{
	ServiceName: "test.v1.GreeterService",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Greet",
		Handler: func(srv any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.StringValue)
			if err := dec(in); err != nil {
				return nil, err
			}
			return srv.(*greetServer).greet.Call(ctx, in)
		},
	}},
}

// The contract, which protoc-gen-go would register.
func init() {
	const value = ".google.protobuf.StringValue"
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("test/v1/greeter.proto"), Package: proto.String("test.v1"), Syntax: proto.String("proto3"),
		Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("GreeterService"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("Greet"), InputType: proto.String(value), OutputType: proto.String(value)},
		}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	if err := protoregistry.GlobalFiles.RegisterFile(file); err != nil {
		panic(err)
	}
}

// hello stores and returns what it is given.
func hello(app *App) (greet, error) {
	return func(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
		if _, err := app.DB().ExecContext(ctx, "INSERT INTO greeting VALUES ($1)", in.GetValue()); err != nil {
			return nil, err
		}
		return wrapperspb.String("hello " + in.GetValue()), nil
	}, nil
}

// running is a service that a test started.
type running struct {
	Addresses
	log  *lockedBuffer
	stop func() error
}

// start runs a service until the test ends.
func start(t *testing.T, s Service, o Options) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{log: new(lockedBuffer)}
	ready, done := make(chan Addresses, 1), make(chan error, 1)
	o.Log = r.log
	o.Ready = func(a Addresses) { ready <- a }
	go func() { done <- Run(ctx, s, o) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	select {
	case r.Addresses = <-ready:
	case err := <-done:
		done <- err
		t.Fatalf("Run ended before it was ready: %v", err)
	}
	return r
}

func (r *running) call(t *testing.T, name string) (string, error) {
	t.Helper()
	conn, err := grpc.NewClient(r.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out := new(wrapperspb.StringValue)
	err = conn.Invoke(t.Context(), "/test.v1.GreeterService/Greet", wrapperspb.String(name), out)
	return out.GetValue(), err
}

// admin makes a request to the admin port.
func (r *running) admin(t *testing.T, method, path string, body ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.Admin+path, strings.NewReader(strings.Join(body, "")))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func TestRun(t *testing.T) {
	r := start(t, greeter(t, hello), Options{})
	if got, err := r.call(t, "world"); err != nil || got != "hello world" {
		t.Errorf("Greet = %q, %v", got, err)
	}
	for _, path := range []string{"/livez", "/readyz", "/healthz"} {
		if code, body := r.admin(t, "GET", path); code != http.StatusOK {
			t.Errorf("%s = %d %s", path, code, body)
		}
	}
	if _, body := r.admin(t, "GET", "/metrics"); !strings.Contains(body, `grpc_server_handled_total{grpc_code="OK",grpc_method="Greet",grpc_service="test.v1.GreeterService",grpc_type="unary"} 1`) {
		t.Errorf("/metrics lacks the call:\n%s", body)
	}
	if err := r.stop(); err != nil {
		t.Errorf("Run = %v after a graceful stop", err)
	}
	if !strings.Contains(r.log.String(), `"msg":"ready"`) {
		t.Errorf("log lacks the ready line:\n%s", r.log)
	}
}

// The health of a service must be known by name, or clients fail all calls.
func TestHealthByName(t *testing.T) {
	r := start(t, greeter(t, hello), Options{})
	conn, err := grpc.NewClient(r.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, name := range []string{"", "test.v1.GreeterService"} {
		watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{Service: name})
		if err != nil {
			t.Fatal(err)
		}
		for status := healthpb.HealthCheckResponse_UNKNOWN; status != healthpb.HealthCheckResponse_SERVING; {
			resp, err := watch.Recv()
			if err != nil {
				t.Fatalf("health of %q: %v", name, err)
			}
			status = resp.GetStatus()
		}
	}
}

// A check of a handler decides about readiness, and has the time that the
// documentation promises.
func TestReadinessCheck(t *testing.T) {
	left := make(chan time.Duration, 100)
	r := start(t, greeter(t, func(app *App) (greet, error) {
		app.Deps().AddReadinessCheck("stock", func(ctx context.Context) error {
			deadline, _ := ctx.Deadline()
			left <- time.Until(deadline)
			return nil
		})
		return hello(app)
	}), Options{})
	if code, body := r.admin(t, "GET", "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz = %d %s", code, body)
	}
	if got := <-left; got > 2*time.Second || got < time.Second {
		t.Errorf("the check has %v, want 2 s", got)
	}
}

// TestNoProfiles: what the contract says of profiles reaches the admin port.
func TestNoProfiles(t *testing.T) {
	for _, off := range []bool{false, true} {
		s := greeter(t, hello)
		s.NoProfiles = off
		want := http.StatusOK
		if off {
			want = http.StatusNotFound
		}
		if code, body := start(t, s, Options{}).admin(t, http.MethodGet, "/debug/pprof/heap"); code != want {
			t.Errorf("off %t: %d\n%.200s", off, code, body)
		}
	}
}

// A call in flight when the stop begins is answered, by a database that is
// still open.
func TestStopFinishesCalls(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	slow := func(app *App) (greet, error) {
		h, err := hello(app)
		return func(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			close(entered)
			<-release
			return h(ctx, in)
		}, err
	}
	s := greeter(t, slow)
	r := start(t, s, Options{})
	answered := make(chan error, 1)
	go func() {
		_, err := r.call(t, "late")
		answered <- err
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	for { // until the stop has begun
		if code, _ := r.admin(t, "GET", "/readyz"); code == http.StatusServiceUnavailable {
			break
		}
	}
	close(release)
	if err := <-answered; err != nil {
		t.Errorf("the call in flight failed: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "service: {seconds: 7}\n")
	s := greeter(t, hello)
	config := s.Config.(*Config[*durationpb.Duration])
	r := start(t, s, Options{Config: path})

	for _, step := range []struct {
		name, file  string
		code        int
		body        string
		wantSeconds int64
	}{
		{"unchanged", "service: {seconds: 7}\n", 200, "", 7},
		{"changed", "service: {seconds: 9}\nlog: {level: debug}\n", 200, "", 9},
		{"unknown key", "service: {secs: 9}\n", 422, `unknown key \"secs\"`, 9},
		{"broken rule", "service: {seconds: -1}\n", 422, "service.seconds: must be greater than 0", 9},
		{"needs a restart", "service: {seconds: 11}\nstop: {budget: 4s}\n", 422, "restart", 9},
		{"back to the default", "{}\n", 200, "", 3},
	} {
		write(t, path, step.file)
		code, body := r.admin(t, "POST", "/config/reload")
		if code != step.code || !strings.Contains(body, step.body) {
			t.Errorf("%s: reload = %d %q, want %d %q", step.name, code, body, step.code, step.body)
		}
		if got := config.Load().GetSeconds(); got != step.wantSeconds {
			t.Errorf("%s: seconds = %d, want %d", step.name, got, step.wantSeconds)
		}
		if _, dump := r.admin(t, "GET", "/config"); !strings.Contains(dump, fmt.Sprintf("seconds: %d", step.wantSeconds)) {
			t.Errorf("%s: /config does not show what is in force:\n%s", step.name, dump)
		}
	}
}

// A start that fails leaves nothing open and says which step failed.
func TestRunFails(t *testing.T) {
	broken := errors.New("no licence")
	taken := start(t, greeter(t, hello), Options{}).GRPC
	for name, c := range map[string]struct {
		change func(*Service)
		want   string
	}{
		"handler": {func(s *Service) {
			s.Start = greeter(t, func(*App) (greet, error) { return nil, broken }).Start
		}, "service: no licence"},
		"database":  {func(s *Service) { s.Settings.Database.URL = "mysql://x" }, "database.url: "},
		"migration": {func(s *Service) { s.Migrations = fstest.MapFS{"0001_x.sql": {Data: []byte("CREATE")}} }, "database: "},
		"port":      {func(s *Service) { s.Settings.Listen.GRPC = taken }, "gRPC port: "},
	} {
		s := greeter(t, hello)
		c.change(&s)
		if err := Run(t.Context(), s, Options{}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: Run = %v, want %q…", name, err, c.want)
		}
	}
}

// Background work that fails takes the service down with its error.
func TestBackgroundFault(t *testing.T) {
	s := greeter(t, func(app *App) (greet, error) {
		app.Deps().Go("sweep", func(context.Context) error { return errors.New("sweep broke") })
		return hello(app)
	})
	if err := Run(t.Context(), s, Options{}); err == nil || !strings.Contains(err.Error(), "sweep broke") {
		t.Errorf("Run = %v, want the fault of the work", err)
	}
}

func TestMainFlags(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	for path, text := range map[string]string{
		good: "log: {level: warn}\n",
		bad:  "lsten: {}\nlisten: {grpc: \"\"}\nservice: {seconds: x}\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{"--version", exitOK, "greeter ", ""},
		{"--help", exitOK, "", "-check-config"},
		{"--check-config --config=" + good, exitOK, "greeter: config is valid\n", ""},
		{"--check-config --config=" + bad, exitFault, "", `bad.yaml:1:1: unknown key "lsten" (did you mean "listen")`},
		{"--check-config --config=" + dir + "/none.yaml", exitFault, "", "none.yaml"},
		{"--config=" + bad, exitFault, "", "bad.yaml:3:"},
		{"--check-config --env=prod --config=" + good, exitFault, "", "good.prod.yaml"},
		{"--nonsense", exitUsage, "", "nonsense"},
		{"start", exitUsage, "", `unexpected argument "start"`},
	} {
		var stdout, stderr bytes.Buffer
		code := run(greeter(t, hello), Options{}, strings.Fields(c.args), &stdout, &stderr)
		if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want %d, %q, %q", c.args, code, &stdout, &stderr, c.code, c.stdout, c.stderr)
		}
	}
}

func TestSettingsCheck(t *testing.T) {
	err := (&Settings{
		Listen:   Listen{HTTP: ":80"},
		Stop:     Stop{DrainDelay: -1},
		Tracing:  Tracing{SampleRatio: 2},
		Database: &Database{},
	}).check(false)
	if err == nil {
		t.Fatal("check accepts settings that are wrong in every way")
	}
	for _, want := range []string{"listen.grpc", "listen.admin", "listen.http", "stop.drain_delay", "stop.budget", "limits.concurrency", "limits.connections", "Limits.MessageBytes", "Limits.HeaderBytes", "Limits.StreamsPerConnection", "tracing.sample_ratio", "database.url", "database.max_connections", "database.readiness_timeout"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("check does not name %s:\n%v", want, err)
		}
	}
}

// A service that keeps answers says for how long: none is no default.
func TestRetentionCheck(t *testing.T) {
	s := greeter(t, hello)
	s.StoresResponses = true
	if _, err := s.load(Options{}); err == nil || !strings.Contains(err.Error(), "database.idempotency_retention 0s") {
		t.Errorf("no retention: %v", err)
	}
	s.Settings.Database.IdempotencyRetention = time.Hour
	if _, err := s.load(Options{}); err != nil {
		t.Errorf("a retention of 1h: %v", err)
	}
}

// Every line of the log is a JSON object, the panicking and failing ones too.
func TestLogIsJSON(t *testing.T) {
	r := start(t, greeter(t, func(*App) (greet, error) {
		return func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) { panic("boom") }, nil
	}), Options{})
	if _, err := r.call(t, "x"); err == nil {
		t.Error("a panicking handler answered")
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(r.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if !strings.Contains(r.log.String(), "boom") {
		t.Errorf("the panic is not in the log:\n%s", r.log)
	}
}

// lockedBuffer is a log that is written and read at the same time.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
