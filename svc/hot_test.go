package svc

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
	"github.com/protosvc/protosvc/svc/validate"
)

// reload puts a text in force, and returns the answer without its spaces.
func (r *running) reload(t *testing.T, path, text string, want int) string {
	t.Helper()
	write(t, path, text)
	code, answer := r.admin(t, http.MethodPost, "/config/reload")
	if code != want {
		t.Fatalf("%s: the reload is answered with %d %s", text, code, answer)
	}
	return answer
}

// Limits change with a reload, for calls and connections that are there.
func TestHotLimits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "limits: {concurrency: 1}\n")
	entered := make(chan struct{})
	s := greeter(t, nil)
	s.Start = patient(waiter(entered))
	r := start(t, s, Options{Config: path})
	conn := dialHonest(t, r.GRPC)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = conn.Invoke(ctx, greetName, wrapperspb.String("wait"), new(wrapperspb.StringValue)) }()
	<-entered
	call := func() codes.Code {
		return status.Code(conn.Invoke(t.Context(), greetName, wrapperspb.String("hello"), new(wrapperspb.StringValue)))
	}
	for _, step := range []struct {
		text   string
		want   codes.Code
		metric string
	}{
		{"limits: {concurrency: 1}\n", codes.ResourceExhausted, "grpc_server_concurrency_limit 1"},
		{"limits: {concurrency: 2}\n", codes.OK, "grpc_server_concurrency_limit 2"},
		{"limits: {concurrency: 96, adaptive: true}\n", codes.OK, "grpc_server_concurrency_limit 50"},
		{"limits: {concurrency: 1, adaptive: false}\n", codes.ResourceExhausted, "grpc_server_concurrency_limit 1"},
	} {
		r.reload(t, path, step.text, http.StatusOK)
		if got := call(); got != step.want {
			t.Errorf("%s: a call beside another one ends with %v, want %v", step.text, got, step.want)
		}
		if _, page := r.admin(t, http.MethodGet, "/metrics"); !strings.Contains(page, "\n"+step.metric+"\n") {
			t.Errorf("%s: the metrics do not say %q", step.text, step.metric)
		}
	}

	// The connection of the waiting call is busy, so one more finds no room.
	r.reload(t, path, "limits: {connections: 1}\n", http.StatusOK)
	other := dialHonest(t, r.GRPC)
	if err := other.Invoke(t.Context(), greetName, wrapperspb.String("hello"), new(wrapperspb.StringValue)); status.Code(err) != codes.Unavailable {
		t.Errorf("with one connection more than there may be: %v", err)
	}
}

// The share of traces changes with a reload.
func TestHotSampleRatio(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "{}\n")
	var tracer atomic.Pointer[trace.Tracer]
	r := start(t, greeter(t, func(app *App) (greet, error) {
		made := app.Deps().TracerProvider.Tracer("test")
		tracer.Store(&made)
		return hello(app)
	}), Options{Config: path})
	for text, sampled := range map[string]bool{"tracing: {sample_ratio: 1}\n": true, "tracing: {sample_ratio: 0}\n": false} {
		r.reload(t, path, text, http.StatusOK)
		_, span := (*tracer.Load()).Start(t.Context(), "span")
		if got := span.SpanContext().IsSampled(); got != sampled {
			t.Errorf("%s: a trace is recorded: %v", text, got)
		}
		span.End()
	}
}

// The handler can refuse a reload, and is told both settings. So it can a dry run.
func TestOnChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "service: {seconds: 7}\n")
	s := greeter(t, hello)
	settings := s.Config.(*Config[*durationpb.Duration])
	settings.OnChange(func(old, new *durationpb.Duration) error {
		switch {
		case new.GetSeconds() == 13:
			panic("unlucky")
		case new.GetSeconds() == 12:
			return errors.New("a dozen is too many")
		case new.GetSeconds() < old.GetSeconds():
			return violation("seconds", "must not fall")
		}
		return nil
	})
	r := start(t, s, Options{Config: path})
	for _, step := range []struct {
		text, want string
		inForce    int64
	}{
		{"service:\n  seconds: 6\n", `"column": 12,
      "message": "service.seconds: must not fall"`, 7},
		{"service:\n  seconds: 12\n", `"line": 1,
      "column": 1,
      "message": "service: a dozen is too many"`, 7},
		{"service:\n  seconds: 13\n", "panicked: unlucky", 7},
		{"service:\n  seconds: 8\n", "", 8},
	} {
		code := http.StatusUnprocessableEntity
		if step.want == "" {
			code = http.StatusOK
		}
		if got, answer := r.admin(t, http.MethodPost, "/config/reload?dry_run=1", step.text); got != code || !strings.Contains(answer, step.want) {
			t.Errorf("%s: a dry run is answered with %d %s", step.text, got, answer)
		}
		if answer := r.reload(t, path, step.text, code); !strings.Contains(answer, step.want) {
			t.Errorf("%s: the answer is %s", step.text, answer)
		}
		if got := settings.Load().GetSeconds(); got != step.inForce {
			t.Errorf("%s: %d seconds are in force, want %d", step.text, got, step.inForce)
		}
	}
}

func violation(field, text string) error {
	v := new(validate.Violations)
	at := validate.Path{}
	v.Add(at.Field(field), "test", text)
	return v.Err()
}

// Fields that the contract says so of change with a restart alone.
func TestBoundFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "service: {seconds: 7, nanos: 1}\n")
	s := greeter(t, hello)
	s.Config = NewConfig[*durationpb.Duration]("seconds: 3\n", nil, "nanos")
	r := start(t, s, Options{Config: path})
	r.reload(t, path, "service: {seconds: 8, nanos: 1}\n", http.StatusOK)
	if answer := r.reload(t, path, "service: {seconds: 9, nanos: 2}\n", http.StatusUnprocessableEntity); !strings.Contains(answer, `"column": 30,
      "restart": true,
      "message": "service.nanos: cannot change while the service runs`) {
		t.Errorf("the answer is %s", answer)
	}
	if got := s.Config.(*Config[*durationpb.Duration]).Load(); got.GetSeconds() != 8 || got.GetNanos() != 1 {
		t.Errorf("in force is %v", got)
	}
}

// A reload with which the service is not ready any more is undone, once.
func TestReloadUndone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "service: {seconds: 7}\n")
	s := greeter(t, nil)
	settings := s.Config.(*Config[*durationpb.Duration])
	s.Start = greeter(t, func(app *App) (greet, error) {
		app.Deps().AddReadinessCheck("luck", func(context.Context) error {
			if settings.Load().GetSeconds() == 13 {
				return errors.New("unlucky")
			}
			return nil
		})
		return hello(app)
	}).Start
	r := start(t, s, Options{Config: path})
	r.waitReady(t)
	r.reload(t, path, "service: {seconds: 13}\nlog: {level: debug}\n", http.StatusOK)
	for end := time.Now().Add(probation); settings.Load().GetSeconds() != 7; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("what was in force before is not again")
		}
	}
	_, dump := r.admin(t, http.MethodGet, "/config")
	for _, want := range []string{"# Generation 3,", "The last reload was refused", "not ready any more", "luck: unlucky", "seconds: 7"} {
		if !strings.Contains(dump, want) {
			t.Errorf("/config does not say %q:\n%s", want, dump)
		}
	}
	if _, page := r.admin(t, http.MethodGet, "/metrics"); !strings.Contains(page, "\nsvc_config_last_reload_successful 0\n") {
		t.Error("the metrics do not say so")
	}
	time.Sleep(3 * watchInterval) // the file is looked at, and not tried again
	if got := settings.Load().GetSeconds(); got != 7 {
		t.Errorf("%d seconds are in force", got)
	}
	r.waitReady(t)
}

// Rates of calls change with a reload.
func TestHotRateLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "{}\n")
	limit := policy.RateLimit{PerSecond: 0.001, Burst: 1}
	s := greeter(t, nil)
	s.Settings.RateLimits = map[string]policy.RateLimit{"Greet": limit}
	s.Start = Start(&greeterDesc, func(app *App) *App { return app }, hello, func(b *server.Binder, h greet, _ *App) *greetServer {
		return &greetServer{server.BindUnary(b, policy.Method{Name: greetName, Timeout: time.Second, RateLimit: limit}, nil, h)}
	})
	r := start(t, s, Options{Config: path})
	conn := dialHonest(t, r.GRPC)
	call := func() codes.Code {
		return status.Code(conn.Invoke(t.Context(), greetName, wrapperspb.String("hello"), new(wrapperspb.StringValue)))
	}
	for _, step := range []struct {
		text string
		want []codes.Code
	}{
		{"{}\n", []codes.Code{codes.OK, codes.ResourceExhausted}},
		{"log: {level: debug}\n", []codes.Code{codes.ResourceExhausted}}, // of the same rate, which is spent
		{"rate_limits: {Greet: {burst: 3}}\n", []codes.Code{codes.OK, codes.OK, codes.OK, codes.ResourceExhausted}},
		{"rate_limits: {Greet: {burst: 3, per_second: 1000}}\n", []codes.Code{codes.OK, codes.OK, codes.OK}},
	} {
		r.reload(t, path, step.text, http.StatusOK)
		for i, want := range step.want {
			if got := call(); got != want {
				t.Errorf("%s: call %d ends with %v, want %v", step.text, i, got, want)
			}
		}
	}
	if answer := r.reload(t, path, "rate_limits:\n  Greet:\n    per_second: 0\n", http.StatusUnprocessableEntity); !strings.Contains(answer, `"line": 3,
      "column": 17,
      "message": "rate_limits.Greet.per_second 0 is not above zero"`) {
		t.Errorf("the answer is %s", answer)
	}
}

// When calls of a callee stop changes with a reload.
func TestHotBreaker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "{}\n")
	const method = "/test.v1.Users/Get"
	spec := client.Spec{Service: "test.v1.Users", Target: "passthrough:///" + refused, Methods: []policy.Method{{Name: method, Timeout: time.Second}}}
	users := &Callee{Key: "users", Spec: spec, Balance: client.RoundRobin}
	s := greeter(t, func(app *App) (greet, error) {
		conn := app.Dial(users)
		return func(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			return in, conn.Invoke(ctx, method, in, new(wrapperspb.StringValue))
		}, nil
	})
	s.Callees = []*Callee{users}
	r := start(t, s, Options{Config: path})
	conn := dialHonest(t, r.GRPC)
	refused := regexp.MustCompile(`(?m)^grpc_client_breaker_refused_total\{.*\} (\d+)$`)
	// after returns how many of so many calls the breaker has refused since the start.
	after := func(calls int) string {
		for range calls {
			if err := conn.Invoke(t.Context(), greetName, wrapperspb.String("hello"), new(wrapperspb.StringValue)); err == nil {
				t.Fatal("a call has succeeded")
			}
		}
		_, page := r.admin(t, http.MethodGet, "/metrics")
		return refused.FindStringSubmatch(page)[1]
	}
	if got := after(5); got != "0" {
		t.Errorf("%s of five calls were refused, want none of less than 20", got)
	}
	r.reload(t, path, "callees: {users: {breaker: {min_calls: 6}}}\n", http.StatusOK)
	if got := after(3); got != "2" {
		t.Errorf("%s of three calls were refused, want two: six have failed with the first", got)
	}
	r.reload(t, path, "callees: {users: {balance: round_robin, breaker: {failure_percent: 100}}}\n", http.StatusOK)
	r.reload(t, path, "callees: {users: {breaker: {failure_percent: 101}}}\n", http.StatusUnprocessableEntity)
	r.reload(t, path, "callees: {users: {balance: pick_first}}\n", http.StatusUnprocessableEntity)
}
