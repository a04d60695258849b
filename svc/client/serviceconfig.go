package client

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/internal/rpccode"
	"github.com/protosvc/protosvc/svc/internal/outlier"
	"github.com/protosvc/protosvc/svc/internal/rpcname"
	"github.com/protosvc/protosvc/svc/policy"
)

// The throttle of retries, for all methods of a connection together. A failed
// attempt takes one of the tokens, a call that succeeds gives a tenth of one
// back, and with less than half of them left nothing is tried again. So retries
// cannot multiply the load of a callee in trouble.
const (
	throttleTokens = 100
	throttleRatio  = 0.1
)

// backoffMultiplier is how the wait grows from one retry to the next.
const backoffMultiplier = 2

// serviceConfig is grpc-go's service config, as far as it is used.
type serviceConfig struct {
	Balancing []balancing    `json:"loadBalancingConfig"`
	Health    healthCheck    `json:"healthCheckConfig"`
	Throttle  *retryThrottle `json:"retryThrottling,omitempty"`
	Methods   []methodConfig `json:"methodConfig,omitempty"`
}

// balancing is the name of a balancer with its config.
type balancing map[string]any

type healthCheck struct {
	Service string `json:"serviceName"`
}

type retryThrottle struct {
	MaxTokens  int     `json:"maxTokens"`
	TokenRatio float64 `json:"tokenRatio"`
}

type methodConfig struct {
	Name    [1]methodName `json:"name"`
	Timeout string        `json:"timeout,omitempty"`
	Retry   *retryPolicy  `json:"retryPolicy,omitempty"`
}

type methodName struct {
	Service string `json:"service"`
	Method  string `json:"method"`
}

type retryPolicy struct {
	Attempts   int      `json:"maxAttempts"`
	Initial    string   `json:"initialBackoff"`
	Max        string   `json:"maxBackoff"`
	Multiplier float64  `json:"backoffMultiplier"`
	Codes      []string `json:"retryableStatusCodes"`
}

func retries(m policy.Method) bool { return m.Retry.Attempts > 1 }

func hedges(m policy.Method) bool { return m.Hedge.Attempts > 1 }

// defaultConfig returns the service config of a client as JSON: balancing,
// health checking under the name of the service, and for each method that has
// them its timeout and retries. An unknown balance is an error.
func defaultConfig(spec Spec, balance string) (string, error) {
	name, err := balancerName(balance, slices.ContainsFunc(spec.Methods, hedges))
	if err != nil {
		return "", err
	}
	config := serviceConfig{
		Balancing: []balancing{{outlier.Name: map[string]any{"childPolicy": []balancing{{name: struct{}{}}}}}},
		Health:    healthCheck{spec.Service},
	}
	for _, m := range spec.Methods {
		if retries(m) {
			config.Throttle = &retryThrottle{throttleTokens, throttleRatio}
		}
		if hedges(m) {
			continue // its deadline is for all its requests together
		}
		if retries(m) || m.Timeout > 0 {
			config.Methods = append(config.Methods, configOf(m))
		}
	}
	text, err := json.Marshal(config)
	return string(text), err
}

func configOf(m policy.Method) methodConfig {
	service, name := rpcname.Split(m.Name)
	config := methodConfig{Name: [1]methodName{{service, name}}}
	if m.Timeout > 0 {
		config.Timeout = seconds(m.Timeout)
	}
	if retries(m) {
		config.Retry = &retryPolicy{
			Attempts:   m.Retry.Attempts,
			Initial:    seconds(m.Retry.InitialBackoff),
			Max:        seconds(m.Retry.MaxBackoff),
			Multiplier: backoffMultiplier,
			Codes:      names(m.Retry.Codes),
		}
	}
	return config
}

// seconds writes a duration as the JSON of google.protobuf.Duration.
func seconds(d time.Duration) string {
	text := fmt.Sprintf("%d.%09d", d/time.Second, d%time.Second)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "s"
}

func names(list []codes.Code) []string {
	out := make([]string, 0, len(list))
	for _, code := range list {
		out = append(out, rpccode.Name(code))
	}
	return out
}
