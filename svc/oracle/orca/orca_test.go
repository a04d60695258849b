// Package orca_test holds the load reports of package svc/internal/load against grpc-go's
// own: its client balances by the reports of our servers, ours by those of its.
package orca_test

import (
	"context"
	"math"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/balancer/weightedroundrobin"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/orca"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/internal/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// utilization is how busy each of three servers says that it is. All answer the
// same number of calls, so the first is worth as much as the others together.
var utilization = [3]float64{0.25, 0.5, 0.5}

// counted is a server of the health service that counts its calls.
type counted struct {
	*health.Server
	calls atomic.Int64
}

func (c *counted) Check(ctx context.Context, req *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	c.calls.Add(1)
	return c.Server.Check(ctx, req)
}

// start starts the servers, and returns them with a resolver that knows them.
func start(t *testing.T, register func(s *grpc.Server, utilization float64)) (*manual.Resolver, []*counted) {
	t.Helper()
	var (
		all   []*counted
		state resolver.State
	)
	for _, u := range utilization {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c, s := &counted{Server: health.NewServer()}, grpc.NewServer()
		healthpb.RegisterHealthServer(s, c)
		c.SetServingStatus("orca", healthpb.HealthCheckResponse_SERVING)
		register(s, u)
		served := make(chan error, 1)
		go func() { served <- s.Serve(listener) }()
		t.Cleanup(func() { s.Stop(); <-served })
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: listener.Addr().String()}}})
		all = append(all, c)
	}
	r := manual.NewBuilderWithScheme("orca")
	r.InitialState(state)
	return r, all
}

// expect makes calls until each server gets its share of them: that is when all
// reports are in.
func expect(t *testing.T, cc grpc.ClientConnInterface, all []*counted) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	checks := healthpb.NewHealthClient(cc)
	want := [3]float64{0.5, 0.25, 0.25}
	const calls = 3000
	var shares [3]float64
	for {
		for range calls {
			if _, err := checks.Check(ctx, &healthpb.HealthCheckRequest{}); err != nil {
				t.Fatalf("the servers have shares of %.3f, want %.2f ± 0.05 each: %v", shares, want, err)
			}
		}
		as := true
		for i, c := range all {
			shares[i] = float64(c.calls.Swap(0)) / calls
			as = as && math.Abs(shares[i]-want[i]) <= 0.05
		}
		if as {
			return
		}
	}
}

func TestClientOfGRPC(t *testing.T) {
	r, all := start(t, func(s *grpc.Server, utilization float64) {
		var mu sync.Mutex
		var sample load.Sample
		load.Register(s, func() load.Sample {
			mu.Lock()
			defer mu.Unlock()
			sample.At = sample.At.Add(time.Second)
			sample.CPU += time.Duration(utilization * float64(runtime.GOMAXPROCS(0)) * float64(time.Second))
			sample.Calls += 100
			return sample
		})
	})
	cc, err := grpc.NewClient("orca:///", grpc.WithResolvers(r), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"weighted_round_robin": {
			"enableOobLoadReport": true, "oobReportingPeriod": "0.1s", "blackoutPeriod": "0s", "weightUpdatePeriod": "0.1s"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	expect(t, cc, all)
}

func TestServerOfGRPC(t *testing.T) {
	r, all := start(t, func(s *grpc.Server, utilization float64) {
		recorder := orca.NewServerMetricsRecorder()
		recorder.SetCPUUtilization(utilization)
		recorder.SetQPS(100)
		if err := orca.Register(s, orca.ServiceOptions{ServerMetricsProvider: recorder}); err != nil {
			t.Fatal(err)
		}
	})
	conn, err := client.Dial(client.Spec{Service: "orca", Target: "orca:///"},
		client.Options{Balance: client.Weighted, Dial: []grpc.DialOption{grpc.WithResolvers(r)}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	expect(t, conn, all)
}
