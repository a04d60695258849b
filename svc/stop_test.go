package svc

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
)

type (
	text       = wrapperspb.StringValue
	talkServer struct {
		talk *server.BidiStream[text, text]
	}
	talkStream = grpc.BidiStreamingServer[text, text]
)

const talkName = "/test.v1.TalkService/Talk"

var talkDesc = grpc.ServiceDesc{
	ServiceName: "test.v1.TalkService",
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName: "Talk", ClientStreams: true, ServerStreams: true,
		Handler: func(srv any, s grpc.ServerStream) error {
			return srv.(*talkServer).talk.Call(&grpc.GenericServerStream[text, text]{ServerStream: s})
		},
	}},
}

// talker is a service with one method, a stream.
func talker(handler func(Deps, talkStream) error) Service {
	return Service{
		Name:     "talker",
		FullName: "test.v1.TalkService",
		Settings: Settings{
			Listen: Listen{GRPC: "127.0.0.1:0", Admin: "127.0.0.1:0"},
			Stop:   Stop{Budget: 10 * time.Second},
			Limits: limits,
		},
		Start: Start(&talkDesc, (*App).Deps, func(deps Deps) (func(talkStream) error, error) {
			return func(s talkStream) error { return handler(deps, s) }, nil
		}, func(b *server.Binder, h func(talkStream) error, _ Deps) *talkServer {
			return &talkServer{server.BindBidiStream(b, policy.Method{Name: talkName, Stream: policy.Stream{MaxAge: time.Hour}}, nil, h)}
		}),
	}
}

// echoing answers each message until there are no more.
func echoing(_ Deps, s talkStream) error {
	for {
		in, err := s.Recv()
		if err != nil {
			return err
		}
		if err := s.Send(in); err != nil {
			return err
		}
	}
}

// talk opens a stream on a connection of its own and exchanges one message.
func (r *running) talk(t *testing.T) grpc.ClientStream {
	t.Helper()
	stream, err := r.tryTalk(t)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func (r *running) tryTalk(t *testing.T) (grpc.ClientStream, error) {
	conn, err := grpc.NewClient(r.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	stream, err := conn.NewStream(t.Context(), &talkDesc.Streams[0], talkName)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(wrapperspb.String("hello")); err != nil {
		return nil, err
	}
	return stream, stream.RecvMsg(new(text))
}

// A stream that goes on for ever does not keep the process for the whole budget:
// it ends after half of it, and its caller learns that another replica answers.
func TestStopEndsStreams(t *testing.T) {
	r := start(t, talker(echoing), Options{})
	stream := r.talk(t)
	began := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	err := stream.RecvMsg(new(text))
	if !errors.Is(svcerrors.FromStatus(err, nil), svcerrors.Stopping) || status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ended with %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < 5*time.Second || took >= 10*time.Second {
		t.Errorf("the stop took %v, want half of the budget of 10s", took)
	}
}

// A handler that looks has a last chance, and the stop does not wait longer than
// it takes.
func TestHandlersHearOfTheStop(t *testing.T) {
	r := start(t, talker(func(d Deps, s talkStream) error {
		if _, err := s.Recv(); err != nil {
			return err
		}
		if err := s.Send(wrapperspb.String("hello")); err != nil {
			return err
		}
		<-d.Stopping()
		return s.Send(wrapperspb.String("goodbye"))
	}), Options{})
	stream := r.talk(t)
	began := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	last := new(text)
	if err := stream.RecvMsg(last); err != nil || last.GetValue() != "goodbye" {
		t.Errorf("got %v, %v", last, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took >= 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// A connection too many is closed at once and does the others no harm.
func TestOneConnectionTooMany(t *testing.T) {
	r := start(t, talker(echoing), Options{Environ: []string{"TALKER_LIMITS_CONNECTIONS=1"}})
	first := r.talk(t)
	if _, err := r.tryTalk(t); status.Code(err) != codes.Unavailable {
		t.Errorf("the second connection: %v", err)
	}
	if err := first.SendMsg(wrapperspb.String("still here")); err != nil {
		t.Error(err)
	}
	if err := first.RecvMsg(new(text)); err != nil {
		t.Errorf("the first connection: %v", err)
	}
	// It is counted once it is closed.
	counted := func() bool {
		_, page := r.admin(t, http.MethodGet, "/metrics")
		return strings.Contains(page, "grpc_server_connections_refused_total ") && !strings.Contains(page, "grpc_server_connections_refused_total 0")
	}
	for end := time.Now().Add(5 * time.Second); !counted(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no refused connection is counted")
		}
	}
	_ = first.CloseSend()
}

// What a call may send is limited, and what operators ask is not.
func TestCallLimits(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{}, 1)
	s := greeter(t, func(*App) (greet, error) {
		return func(_ context.Context, in *text) (*text, error) {
			if in.GetValue() == "wait" {
				entered <- struct{}{}
				<-release
			}
			return in, nil
		}, nil
	})
	s.Settings.Limits.Concurrency, s.Settings.Limits.MessageBytes, s.Settings.Limits.HeaderBytes = 1, 2<<10, 8<<10
	r := start(t, s, Options{})
	conn, err := grpc.NewClient(r.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	call := func(ctx context.Context, message string) error {
		return conn.Invoke(ctx, "/test.v1.GreeterService/Greet", wrapperspb.String(message), new(text))
	}
	if err := call(t.Context(), strings.Repeat("x", 4<<10)); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a large message: %v", err)
	}
	if err := call(metadata.AppendToOutgoingContext(t.Context(), "x-large", strings.Repeat("x", 16<<10)), "x"); err == nil {
		t.Error("a large header is accepted")
	}
	if err := call(t.Context(), "small"); err != nil {
		t.Errorf("a small one: %v", err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- call(t.Context(), "wait") }()
	<-entered
	if err := call(t.Context(), "x"); !errors.Is(svcerrors.FromStatus(err, nil), svcerrors.Overloaded) {
		t.Errorf("one call too many: %v", err)
	}
	if _, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("health: %v", err)
	}
	if code, body := r.admin(t, http.MethodGet, "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz says %d %s", code, body)
	}
	close(release)
	if err := <-waiting; err != nil {
		t.Error(err)
	}
}

// What is configured may be shorter than the contract's stop, not longer: the
// grace period of the manifests rests on that.
func TestStopWithinTheContract(t *testing.T) {
	contract := Stop{DrainDelay: 5 * time.Second, Budget: 20 * time.Second}
	for _, test := range []struct {
		configured Stop
		fits       bool
	}{
		{contract, true},
		{Stop{DrainDelay: 0, Budget: 25 * time.Second}, true},
		{Stop{DrainDelay: time.Second, Budget: time.Second}, true},
		{Stop{DrainDelay: 5 * time.Second, Budget: 21 * time.Second}, false},
	} {
		err := test.configured.within(contract)
		if (err == nil) != test.fits {
			t.Errorf("%v: %v", test.configured, err)
		}
		if err != nil && !strings.Contains(err.Error(), "(svc.v1.service).stop") {
			t.Errorf("%v does not say where to change it", err)
		}
	}
	_, err := talker(echoing).load(Options{Environ: []string{"TALKER_STOP_BUDGET=1h"}})
	if err == nil || !strings.Contains(err.Error(), "grace period") {
		t.Errorf("a configuration with a longer stop: %v", err)
	}
}
