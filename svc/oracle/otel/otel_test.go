// Package otel_test compares the spans of a generated service and a generated
// client with those of otelgrpc, OpenTelemetry's own instrumentation, for the
// same calls.
package otel_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/svc/oracle/otel/collector"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outcomes are how calls end: first those of a unary method, then of a server stream.
var outcomes = []string{succeeds, notFound, fails}

func TestSpans(t *testing.T) {
	c := collector.Start(t)
	// The services export their last spans when they stop, at the end of the
	// subtest.
	t.Run("calls", func(t *testing.T) {
		for name, client := range map[string]orderv1.OrderServiceClient{
			"ours":   ourClient(t, ourServer(t)),
			"oracle": oracleClient(t, oracleServer(t)),
		} {
			for _, outcome := range outcomes {
				if _, err := client.GetOrder(t.Context(), &orderv1.GetOrderRequest{OrderId: outcome}); (err == nil) != (outcome == succeeds) {
					t.Errorf("%s: GetOrder: %v", name, err)
				}
			}
			for _, outcome := range outcomes {
				if err := watch(t.Context(), client, outcome); (err == nil) != (outcome == succeeds) {
					t.Errorf("%s: WatchOrder: %v", name, err)
				}
			}
		}
	})

	for _, side := range []struct {
		name, ours, oracle string
		differences        []difference
	}{
		{"server", "order", "oracle-server", serverDifferences()},
		{"client", "our-client", "oracle-client", clientDifferences()},
	} {
		t.Run(side.name, func(t *testing.T) {
			compare(t, c.Spans(side.ours), c.Spans(side.oracle), side.differences)
		})
	}
	t.Run("one trace", func(t *testing.T) { joined(t, c.Spans("our-client"), c.Spans("order")) })
}

// difference is one that is meant: ours differs from the oracle's span by this.
type difference struct {
	why   string
	apply func(*collector.Span) (changed bool) // makes the oracle's span ours
}

func serverDifferences() []difference {
	return []difference{{
		why: "a server fault carries its cause, which no stats handler gets to see: the wire has only \"internal error\"",
		apply: func(s *collector.Span) bool {
			if s.Attributes["rpc.response.status_code"] != "INTERNAL" {
				return false
			}
			s.Events = append(s.Events, "exception")
			return true
		},
	}}
}

func clientDifferences() []difference {
	return []difference{{
		why: "only a stats handler learns which address the balancer picked",
		apply: func(s *collector.Span) bool {
			before := len(s.Attributes)
			delete(s.Attributes, "server.address")
			delete(s.Attributes, "server.port")
			return len(s.Attributes) < before
		},
	}}
}

// compare wants the same spans, but for the differences. A difference that is
// none any more is an error, too.
func compare(t *testing.T, ours, oracle []collector.Span, differences []difference) {
	t.Helper()
	if want := 2 * len(outcomes); len(ours) != want || len(oracle) != want {
		t.Fatalf("%d spans of ours, %d of the oracle, want %d of each", len(ours), len(oracle), want)
	}
	needed := make([]bool, len(differences))
	for i := range oracle {
		want := oracle[i]
		for j, d := range differences {
			needed[j] = d.apply(&want) || needed[j]
		}
		if diff := cmp.Diff(anonymous(want), anonymous(ours[i]), cmpopts.IgnoreUnexported(collector.Span{})); diff != "" {
			t.Errorf("call %d: otelgrpc (-) and ours (+) differ:\n%s", i, diff)
		}
	}
	for j, d := range differences {
		if !needed[j] {
			t.Errorf("this difference makes none any more: %s", d.why)
		}
	}
}

// anonymous takes away what differs from run to run.
func anonymous(s collector.Span) collector.Span {
	s.TraceID = ""
	s.Attributes = maps.Clone(s.Attributes)
	if s.Attributes["server.port"] != "" {
		s.Attributes["server.port"] = "a port"
	}
	return s
}

// joined checks that each call is one trace on both sides.
func joined(t *testing.T, client, server []collector.Span) {
	t.Helper()
	ids := func(spans []collector.Span) (ids []string) {
		for _, s := range spans {
			ids = append(ids, s.TraceID)
		}
		return ids
	}
	if !slices.Equal(ids(client), ids(server)) {
		t.Errorf("the client's traces are %q, the server's %q", ids(client), ids(server))
	}
	for _, s := range server {
		if !s.Parent {
			t.Errorf("span %s of the server has no parent", s.Name)
		}
	}
}

// watch reads a stream to its end.
func watch(ctx context.Context, client orderv1.OrderServiceClient, outcome string) error {
	stream, err := client.WatchOrder(ctx, &orderv1.WatchOrderRequest{OrderId: outcome})
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	for {
		if _, err := stream.Recv(); err != nil {
			return ended(err)
		}
	}
}
