// Package callpath_test measures what a call of a generated service allocates
// beyond a bare grpc-go call of the same messages: with metrics, traces of which
// 1 % are recorded and exported, a log, recovery, a default deadline and
// validation, as the service runs in production.
package callpath_test

import (
	"context"
	"runtime"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/timestamppb"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/svc/oracle/otel/collector"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// maxServer is how many allocations the generated server may add to a call.
	maxServer = 15
	// maxBoth is how many the generated client and the generated server may add
	// together. The client's share is headers for the trace, a span and metrics.
	maxBoth = 40
	// maxHedged is the same for a call that may have a second request: a timer, a
	// goroutine and what they share.
	maxHedged = 55

	calls = 5000
	// rounds guard against what else the process does at the time. The fewest
	// allocations of a round are the call's own.
	rounds = 3
)

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	c := collector.Start(t)
	bare, generated := bareServer(t), generatedServer(t)
	for name, test := range map[string]struct {
		call func(context.Context, userv1.UserServiceClient) error
		both float64
	}{
		"calls":        {deactivateUser, maxBoth},
		"hedged calls": {getUser, maxHedged},
	} {
		t.Run(name, func(t *testing.T) {
			base := allocations(t, test.call, plainClient(t, bare))
			server := allocations(t, test.call, plainClient(t, generated)) - base
			both := allocations(t, test.call, generatedClient(t, generated)) - base
			t.Logf("bare %.1f; generated server %+.1f; generated client and server %+.1f", base, server, both)
			if base < 50 {
				t.Errorf("a bare call allocates %.1f times: that is not a gRPC call", base)
			}
			if server > maxServer {
				t.Errorf("the generated server adds %.1f allocations to a call, want at most %d", server, maxServer)
			}
			if both > test.both {
				t.Errorf("generated client and server add %.1f allocations to a call, want at most %v", both, test.both)
			}
		})
	}
	// Everything was on: of this many calls, some were recorded and exported.
	if len(c.Spans("user")) == 0 {
		t.Error("no span was exported: tracing was off")
	}
}

// handler is the fastest possible one.
type handler struct {
	userv1.UnimplementedUserServiceServer
}

func (handler) GetUser(_ context.Context, req *userv1.GetUserRequest) (*userv1.GetUserResponse, error) {
	return &userv1.GetUserResponse{User: user(req.GetUserId())}, nil
}

func (handler) DeactivateUser(_ context.Context, req *userv1.DeactivateUserRequest) (*userv1.DeactivateUserResponse, error) {
	return &userv1.DeactivateUserResponse{User: user(req.GetUserId())}, nil
}

func user(id string) *userv1.User {
	return &userv1.User{
		UserId:      id,
		Email:       "ada@example.com",
		DisplayName: "Ada",
		State:       userv1.UserState_USER_STATE_ACTIVE,
		CreateTime:  &timestamppb.Timestamp{Seconds: 1_700_000_000},
	}
}

const userID = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

func getUser(ctx context.Context, c userv1.UserServiceClient) error {
	_, err := c.GetUser(ctx, &userv1.GetUserRequest{UserId: userID})
	return err
}

func deactivateUser(ctx context.Context, c userv1.UserServiceClient) error {
	_, err := c.DeactivateUser(ctx, &userv1.DeactivateUserRequest{UserId: userID})
	return err
}

// allocations returns how often the process allocates per call, client and
// server together, averaged over enough calls that background work vanishes.
func allocations(t *testing.T, one func(context.Context, userv1.UserServiceClient) error, client userv1.UserServiceClient) float64 {
	t.Helper()
	ctx := t.Context() // no deadline: the server's default one is part of what is measured
	call := func(n int) {
		for range n {
			if err := one(ctx, client); err != nil {
				t.Fatal(err)
			}
		}
	}
	call(calls / 10) // fills pools and grows stacks
	fewest := 0.0
	for range rounds {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		call(calls)
		runtime.ReadMemStats(&after)
		if n := float64(after.Mallocs-before.Mallocs) / calls; fewest == 0 || n < fewest {
			fewest = n
		}
	}
	return fewest
}
