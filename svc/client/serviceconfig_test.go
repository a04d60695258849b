package client_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/policy"
)

func TestServiceConfig(t *testing.T) {
	const start, end = `{"loadBalancingConfig":[{"svc_outlier":{"childPolicy":[{"round_robin":{}}]}}],"healthCheckConfig":{"serviceName":"test.v1.Echo"}`, `}`
	retry := policy.Retry{
		Attempts: 3, InitialBackoff: 50 * time.Millisecond, MaxBackoff: 2 * time.Second,
		Codes: []codes.Code{codes.Unavailable, codes.Aborted, codes.Canceled},
	}
	tests := []struct {
		name    string
		methods []policy.Method
		want    string
	}{
		{"no policy", []policy.Method{{Name: unaryMethod}}, start + end},
		{"timeout", []policy.Method{{Name: unaryMethod, Timeout: 800 * time.Millisecond}},
			start + `,"methodConfig":[{"name":[{"service":"test.v1.Echo","method":"Unary"}],"timeout":"0.8s"}]` + end},
		{"a hedge has its own deadline", []policy.Method{{Name: unaryMethod, Timeout: time.Second, Hedge: policy.Hedge{Attempts: 2, Delay: 1}}},
			strings.Replace(start, "round_robin", "svc_distinct_round_robin", 1) + end},
		{"whole seconds and nanoseconds", []policy.Method{{Name: unaryMethod, Timeout: 100 * time.Second}, {Name: serverMethod, Timeout: time.Second + 1}},
			start + `,"methodConfig":[{"name":[{"service":"test.v1.Echo","method":"Unary"}],"timeout":"100s"},` +
				`{"name":[{"service":"test.v1.Echo","method":"Server"}],"timeout":"1.000000001s"}]` + end},
		{"retry", []policy.Method{{Name: unaryMethod, Retry: retry}, {Name: serverMethod}},
			start + `,"retryThrottling":{"maxTokens":100,"tokenRatio":0.1},"methodConfig":[{"name":[{"service":"test.v1.Echo","method":"Unary"}],` +
				`"retryPolicy":{"maxAttempts":3,"initialBackoff":"0.05s","maxBackoff":"2s","backoffMultiplier":2,` +
				`"retryableStatusCodes":["UNAVAILABLE","ABORTED","CANCELLED"]}}]` + end},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec := client.Spec{Service: service, Target: "passthrough:///127.0.0.1:1", Methods: test.methods}
			got, err := client.ServiceConfigOf(spec, "")
			if err != nil || got != test.want {
				t.Errorf("ServiceConfig = %v\n%s, want\n%s", err, got, test.want)
			}
			conn, err := client.Dial(spec, client.Options{})
			if err != nil {
				t.Fatalf("grpc-go refuses it: %v", err)
			}
			_ = conn.Close()
		})
	}
}

func TestServiceConfigBalance(t *testing.T) {
	for balance, want := range map[string]string{
		"": "round_robin", "round_robin": "round_robin", "pick_first": "pick_first", "least_request": "least_request_experimental",
		"weighted": "svc_weighted",
	} {
		got, err := client.ServiceConfigOf(client.Spec{}, balance)
		if err != nil || !strings.HasPrefix(got, `{"loadBalancingConfig":[{"svc_outlier":{"childPolicy":[{"`+want+`":{}}]}}]`) {
			t.Errorf("balance %q gives %s, %v", balance, got, err)
		}
	}
}

func TestDialRefuses(t *testing.T) {
	twice := []policy.Method{{Name: unaryMethod, Timeout: 1}, {Name: unaryMethod, Timeout: 1}}
	tests := map[string]struct {
		spec client.Spec
		o    client.Options
		want string
	}{
		"no target":       {client.Spec{Service: service}, client.Options{}, "client of test.v1.Echo: no target is set"},
		"unknown balance": {client.Spec{Service: service, Target: "x"}, client.Options{Balance: "random"}, `client of test.v1.Echo: balance "random" is unknown (want round_robin, least_request, weighted or pick_first)`},
		"bad policies":    {client.Spec{Service: service, Target: "x", Methods: twice}, client.Options{}, "duplicated name"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			conn, err := client.Dial(test.spec, test.o)
			if err == nil {
				_ = conn.Close()
				t.Fatal("Dial accepts it")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %q, want %q", err, test.want)
			}
		})
	}
}
