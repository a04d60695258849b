package svc

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/internal/config"
	"github.com/protosvc/protosvc/svc/policy"
)

// Settings are what config.yaml can say about every service. The contract gives
// the defaults. What has the tag reload can change while the service runs.
type Settings struct {
	Listen   Listen        `yaml:"listen"`
	Admin    adminSettings `yaml:"admin"`
	Stop     Stop          `yaml:"stop"`
	Limits   Limits        `yaml:"limits" reload:"hot"`
	Log      Log           `yaml:"log"`
	Tracing  Tracing       `yaml:"tracing"`
	Database *Database     `yaml:"database"` // nil: the service has none

	// Callees and HTTPCallees are what can be said of those of the service, by their
	// keys. They are taken from [Service].
	Callees     map[string]calleeSettings `yaml:"callees"`
	HTTPCallees map[string]httpSettings   `yaml:"http_callees"`

	// RateLimits are how often one caller may call an RPC, by the names of those RPCs
	// that have a limit.
	RateLimits map[string]policy.RateLimit `yaml:"rate_limits" reload:"hot"`
}

// Listen holds the addresses to listen on, "host:port"; an empty host means
// every interface, port 0 any free port.
type Listen struct {
	GRPC  string `yaml:"grpc"`
	HTTP  string `yaml:"http"` // empty: no HTTP/JSON
	Admin string `yaml:"admin"`
	// Reflection says whether tools may ask the gRPC port for services and messages.
	Reflection bool `yaml:"reflection"`
}

// adminSettings are about the admin port.
type adminSettings struct {
	// TokenFile holds the bearer token for /config, reloads and profiles. While it has
	// no name or does not exist, those are only for clients on the same machine.
	TokenFile string `yaml:"token_file"`
}

// Stop is how the process ends; see package lifecycle.
type Stop struct {
	// DrainDelay is how long calls are still accepted after readiness went off.
	DrainDelay time.Duration `yaml:"drain_delay"`
	// Budget is how long calls in flight may take after that.
	Budget time.Duration `yaml:"budget"`
}

// within holds the configured stop against that of the contract, on which the
// grace period of the generated manifests rests: longer than that, the process
// would be killed in the middle.
func (s Stop) within(contract Stop) error {
	whole, most := s.DrainDelay+s.Budget, contract.DrainDelay+contract.Budget
	if most > 0 && whole > most {
		return config.Wrong("stop", fmt.Errorf("stop.drain_delay and stop.budget are %v together, more than the %v on which the grace period rests (raise (svc.v1.service).stop in the contract)", whole, most))
	}
	return nil
}

// Log is what is logged.
type Log struct {
	// Level is "debug", "info", "warn" or "error".
	Level slog.Level `yaml:"level" reload:"hot"`
}

// Tracing is which traces are recorded.
type Tracing struct {
	// SampleRatio is the share of the traces started here, from 0 to 1.
	SampleRatio float64 `yaml:"sample_ratio" reload:"hot"`
}

// Database is the service's own database.
type Database struct {
	// URL is postgres://… or sqlite:PATH or sqlite::memory:.
	URL string `yaml:"url" secret:"true"`
	// MaxConnections bounds the pool of one replica.
	MaxConnections int `yaml:"max_connections"`
	// ReadinessTimeout is how long readiness waits for an answer.
	ReadinessTimeout time.Duration `yaml:"readiness_timeout"`
	// IdempotencyRetention is how long the answers of idempotency keys are kept.
	IdempotencyRetention time.Duration `yaml:"idempotency_retention"`
}

// Callee is a service that is called, and what the contract says of it.
type Callee struct {
	// Key is its name in config.yaml: the field in Deps, in snake case.
	Key string
	// Spec is what is generated beside the callee.
	Spec client.Spec
	// Balance is how calls are spread unless config.yaml says otherwise.
	Balance string
	// GatesReadiness says that the service is ready only while the callee answers.
	GatesReadiness bool
	// Connections is how many there are to each replica. 0 means 1.
	Connections int
	// Breaker says when calls stop; the zero value has all defaults. NoBreaker
	// says never.
	Breaker   client.Breaker
	NoBreaker bool
}

// breaker returns the options of the circuit breaker with all defaults, nil for none.
func (c *Callee) breaker() *client.Breaker {
	if c.NoBreaker {
		return nil
	}
	return &client.Breaker{
		FailurePercent: cmp.Or(c.Breaker.FailurePercent, defaults.BreakerFailurePercent),
		MinCalls:       cmp.Or(c.Breaker.MinCalls, defaults.BreakerMinCalls),
		Window:         cmp.Or(c.Breaker.Window, defaults.BreakerWindow),
		Open:           cmp.Or(c.Breaker.Open, defaults.BreakerOpen),
	}
}

// calleeSettings are what config.yaml can say of a callee.
type calleeSettings struct {
	// Target is an address with a scheme of grpc-go, "dns:///user-headless:9090".
	Target string `yaml:"target"`
	// Balance is "round_robin", "least_request", "weighted" or "pick_first".
	Balance string `yaml:"balance"`
	// Breaker says when calls stop; nil: never.
	Breaker *client.Breaker `yaml:"breaker" reload:"hot"`
}

// HTTPCallee is an external service that is called; see package httpclient.
type HTTPCallee struct {
	// Name is its name in the contract and in config.yaml.
	Name string
	// URL is what the paths of requests are appended to, Timeout the deadline of a
	// request with all its attempts, unless config.yaml says otherwise.
	URL     string
	Timeout time.Duration
	// Attempts and IdleConnections cannot be configured. 0 means the default of the
	// package.
	Attempts, IdleConnections int
}

// httpSettings are what config.yaml can say of an external service.
type httpSettings struct {
	// URL is what the paths of requests are appended to.
	URL string `yaml:"url"`
	// Timeout is the deadline of a request with all its attempts.
	Timeout time.Duration `yaml:"timeout"`
}

// clone returns settings that can be loaded into without changing these.
func (s Settings) clone() *Settings {
	s.Callees = maps.Clone(s.Callees)
	s.HTTPCallees = maps.Clone(s.HTTPCallees)
	s.RateLimits = maps.Clone(s.RateLimits)
	if s.Database != nil {
		database := *s.Database
		s.Database = &database
	}
	return &s
}

// settings are the defaults of the contract, those of callees among them.
func (s Service) settings() *Settings {
	out := s.Settings.clone()
	if s.Callees != nil {
		out.Callees = map[string]calleeSettings{}
	}
	for _, c := range s.Callees {
		out.Callees[c.Key] = calleeSettings{Target: c.Spec.Target, Balance: c.Balance, Breaker: c.breaker()}
	}
	if s.HTTPCallees != nil {
		out.HTTPCallees = map[string]httpSettings{}
	}
	for _, c := range s.HTTPCallees {
		out.HTTPCallees[c.Name] = httpSettings{c.URL, c.Timeout}
	}
	return out
}

// check returns everything that is wrong with the values.
func (s *Settings) check(hasHTTP bool) error {
	var faults []error
	fault := func(wrong bool, key, format string, args ...any) {
		if wrong {
			faults = append(faults, config.Wrong(key, fmt.Errorf(key+format, args...)))
		}
	}
	s.Listen.check(fault)
	fault(s.Listen.HTTP != "" && !hasHTTP, "listen.http", " is set, but no method has an HTTP path")
	fault(s.Stop.DrainDelay < 0, "stop.drain_delay", " %v is negative", s.Stop.DrainDelay)
	fault(s.Stop.Budget <= 0, "stop.budget", " %v is not above zero", s.Stop.Budget)
	s.Limits.check(fault)
	fault(!(s.Tracing.SampleRatio >= 0 && s.Tracing.SampleRatio <= 1), "tracing.sample_ratio", " %v is not between 0 and 1", s.Tracing.SampleRatio)
	if d := s.Database; d != nil {
		err := d.checkURL()
		fault(err != nil, "database.url", ": %w", err)
		fault(d.MaxConnections <= 0, "database.max_connections", " %d is not above zero", d.MaxConnections)
		fault(d.ReadinessTimeout <= 0, "database.readiness_timeout", " %v is not above zero", d.ReadinessTimeout)
		fault(d.IdempotencyRetention < 0, "database.idempotency_retention", " %v is negative", d.IdempotencyRetention)
	}
	for name, c := range s.Callees {
		if b, key := c.Breaker, "callees."+name+".breaker."; b != nil {
			fault(b.FailurePercent < 1 || b.FailurePercent > 100, key+"failure_percent", " %d is not from 1 to 100", b.FailurePercent)
			fault(b.MinCalls <= 0, key+"min_calls", " %d is not above zero", b.MinCalls)
			fault(b.Window <= 0, key+"window", " %v is not above zero", b.Window)
			fault(b.Open <= 0, key+"open", " %v is not above zero", b.Open)
		}
	}
	for rpc, r := range s.RateLimits {
		key := "rate_limits." + rpc + "."
		fault(!(r.PerSecond > 0), key+"per_second", " %v is not above zero", r.PerSecond)
		fault(r.Burst <= 0, key+"burst", " %d is not above zero", r.Burst)
	}
	for name, c := range s.HTTPCallees {
		fault(c.Timeout <= 0, "http_callees."+name+".timeout", " %v is not above zero", c.Timeout)
	}
	return errors.Join(faults...)
}
