package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

// The steps of the story that end with an error.

func (s *story) decline(ctx context.Context) error {
	req := yacht(s.userID)
	_, err := s.orders.CreateOrder(ctx, req)
	typed, fault := s.typed(err, orderv1svc.OrderErrorPaymentDeclined, "orderv1svc.OrderErrorPaymentDeclined")
	if fault != nil {
		return fault
	}
	fault = errors.Join(
		promised("the code", status.Code(err), codes.FailedPrecondition),
		promised("the reason that payment gave", typed.Metadata["decline_reason"], "amount_above_limit"),
	)
	return errors.Join(fault, s.sameOverHTTP(ctx, s.postOrder(req), "402 Payment Required", typed.Code.Reason))
}

func (s *story) unknownUser(ctx context.Context) error {
	req := basket(newUUID(), orderv1.Channel_CHANNEL_WEB)
	_, err := s.orders.CreateOrder(ctx, req)
	typed, fault := s.typed(err, orderv1svc.OrderErrorUserNotFound, "orderv1svc.OrderErrorUserNotFound")
	if fault != nil {
		return fault
	}
	fault = errors.Join(
		promised("the code", status.Code(err), codes.NotFound),
		promised("the user in the metadata", typed.Metadata["user_id"], req.GetUserId()),
	)
	return errors.Join(fault, s.sameOverHTTP(ctx, s.postOrder(req), "404 Not Found", typed.Code.Reason))
}

// typed prints what a program finds in an error of the contract.
func (s *story) typed(err error, want *svcerrors.Code, name string) (*svcerrors.Error, error) {
	var typed *svcerrors.Error
	if !errors.As(err, &typed) {
		return nil, fmt.Errorf("got %v, promised is an error of the contract", err)
	}
	s.out.row("message", "%s", typed.Message())
	s.out.row("code", "%s  %s of %s", status.Code(err), typed.Code.Reason, typed.Code.Domain)
	for _, key := range slices.Sorted(maps.Keys(typed.Metadata)) {
		s.out.row("metadata", "%s = %s", key, typed.Metadata[key])
	}
	s.out.row("errors.Is", "(err, %s) = %t", name, errors.Is(err, want))
	return typed, promised("the error's identity by errors.Is", errors.Is(err, want), true)
}

// problem is the body of an HTTP answer that is an error: google.rpc.Status.
type problem struct {
	Message string
	Details []struct {
		Reason          string
		FieldViolations []struct{ Field, Description string }
	}
}

func (p problem) reason() string {
	for _, detail := range p.Details {
		if detail.Reason != "" {
			return detail.Reason
		}
	}
	return ""
}

func (s *story) sameOverHTTP(ctx context.Context, request curl, wantStatus, wantReason string) error {
	got, err := s.problemOf(ctx, request, wantStatus)
	if err != nil {
		return err
	}
	s.out.row("HTTP/JSON", "%s  %s", wantStatus, got.reason())
	return promised("the reason over HTTP/JSON", got.reason(), wantReason)
}

func (s *story) problemOf(ctx context.Context, request curl, wantStatus string) (problem, error) {
	status, body, err := request.do(ctx)
	if err != nil {
		return problem{}, err
	}
	var p problem
	if err := json.Unmarshal(body, &p); err != nil {
		return problem{}, fmt.Errorf("the answer %q is not JSON: %w", body, err)
	}
	return p, promised("the HTTP status", status, wantStatus)
}

func (s *story) invalid(ctx context.Context) error {
	req := basket("ada", orderv1.Channel_CHANNEL_WEB)
	req.Items = append(req.Items, &orderv1.Item{Sku: "CUP", UnitPrice: &orderv1.Money{CurrencyCode: "euro", AmountMinor: 990}})
	want := "items[1].quantity items[1].unit_price.currency_code user_id"

	_, err := s.orders.CreateOrder(ctx, req)
	fields, fault := s.violations(err)
	if fault != nil {
		return fault
	}
	overHTTP, fault := s.problemOf(ctx, s.postOrder(req), "400 Bad Request")
	if fault != nil {
		return fault
	}
	var same []string
	for _, detail := range overHTTP.Details {
		for _, v := range detail.FieldViolations {
			same = append(same, v.Field)
		}
	}
	s.out.row("HTTP/JSON", "400 Bad Request, with the same %d violations", len(same))
	return errors.Join(
		promised("the code", status.Code(err), codes.InvalidArgument),
		promised("the list of fields", sorted(fields), want),
		promised("the list of fields over HTTP/JSON", sorted(same), want),
	)
}

// violations prints those of an error and returns their fields.
func (s *story) violations(err error) ([]string, error) {
	s.out.row("code", "%s  %s", status.Code(err), status.Convert(err).Message())
	var fields []string
	for _, detail := range status.Convert(err).Details() {
		bad, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, v := range bad.GetFieldViolations() {
			s.out.row("field", "%-34s %s", v.GetField(), v.GetDescription())
			fields = append(fields, v.GetField())
		}
	}
	if fields == nil {
		return nil, fmt.Errorf("got %v, promised is an error with google.rpc.BadRequest", err)
	}
	return fields, nil
}

func sorted(words []string) string {
	slices.Sort(words)
	return strings.Join(words, " ")
}
