package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/internal/system"
)

// The steps of the story that look at the services from outside.

func (s *story) metrics(ctx context.Context) error {
	for _, test := range []struct {
		service *system.Service
		series  string
		want    float64
	}{
		{s.sys.User, `users_created_total`, 1},
		{s.sys.Order, `orders_created_total{channel="web"}`, 2},
		{s.sys.Order, `orders_created_total{channel="app"}`, 1},
		{s.sys.Order, `order_amount_minor_sum`, 3 * basketMinor},
		{s.sys.Order, `grpc_server_handled_total{grpc_code="InvalidArgument",grpc_method="CreateOrder",grpc_service="order.v1.OrderService",grpc_type="unary"}`, 2},
		{s.sys.Payment, `payments_total{outcome="authorized"}`, 3},
		{s.sys.Payment, `payments_total{outcome="declined"}`, 1},
		{s.sys.Payment, `payments_total{outcome="refunded"}`, 1},
	} {
		got, err := metric(ctx, test.service, test.series)
		if err != nil {
			return err
		}
		s.out.row(test.service.Name, "%s %v", test.series, got)
		if err := promised(test.series, got, test.want); err != nil {
			return err
		}
	}
	return nil
}

// metric reads the value of a series as /metrics writes it.
func metric(ctx context.Context, service *system.Service, series string) (float64, error) {
	_, page, err := curl{url: "http://" + service.Admin + "/metrics"}.do(ctx)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(page)) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("%s has no metric %s", service.Name, series)
}

func (s *story) trace(ctx context.Context) error {
	id := strings.ReplaceAll(newUUID(), "-", "")
	request := s.postOrder(basket(s.userID, orderv1.Channel_CHANNEL_WEB))
	request.header = "traceparent: 00-" + id + "-00f067aa0ba902b7-01"
	s.out.command(request.String())
	if err := request.doProto(ctx, new(orderv1.CreateOrderResponse)); err != nil {
		return err
	}
	s.out.command("grep -h " + id + " " + s.sys.Order.Log + " " + s.sys.User.Log + " " + s.sys.Payment.Log)
	for _, service := range s.sys.Services() {
		lines, err := awaitLines(ctx, service.Log, id)
		if err != nil {
			return err
		}
		if err := promised("the number of lines with the trace in "+service.Log, len(lines), 1); err != nil {
			return err
		}
		line := lines[0]
		s.out.row(service.Name, "%-38s %s after %-10s trace %s", line.RPC, line.Code, line.Took, line.TraceID)
	}
	return nil
}

// logLine is what a service logs of a call.
type logLine struct {
	RPC     string
	Code    string
	Took    string
	TraceID string `json:"trace_id"`
}

// awaitLines returns the lines of a trace once there are any. A service writes its log a
// moment after it has answered.
func awaitLines(ctx context.Context, path, traceID string) ([]logLine, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		found, err := logLines(path, traceID)
		if found != nil || err != nil || ctx.Err() != nil {
			return found, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// logLines returns the lines of a trace.
func logLines(path, traceID string) ([]logLine, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var found []logLine
	var faults []error
	for text := range strings.Lines(string(text)) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			faults = append(faults, fmt.Errorf("%s has a line that is not JSON: %q", path, text))
		}
		if line.TraceID == traceID {
			found = append(found, line)
		}
	}
	return found, errors.Join(faults...)
}
