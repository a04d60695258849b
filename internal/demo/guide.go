package main

import (
	"context"
	"errors"
	"fmt"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/internal/system"
)

// chapter is a group of commands to try.
type chapter struct {
	title string
	lines []string
}

// runGuide starts the system, prints what to try, and stops it when ctx ends.
func runGuide(ctx context.Context, out *printer, o system.Options) (err error) {
	out.title("Start three services, each a process with its generated configuration")
	sys, err := begin(ctx, out, o)
	if err != nil {
		return err
	}
	defer func() {
		out.heading("Stopping")
		if stopped := sys.Stop(); err == nil {
			err = stopped
		}
	}()
	chapters, err := guide(ctx, sys)
	if err != nil {
		return err
	}
	for _, c := range chapters {
		out.heading(c.title)
		for _, line := range c.lines {
			out.command(line)
		}
	}
	out.success("The system runs until Ctrl-C. The commands above work as they are, in another terminal.")
	return sys.Wait(ctx)
}

// guide creates a user and an order and returns commands that are about them.
func guide(ctx context.Context, sys *system.System) (_ []chapter, err error) {
	s, err := enter(sys)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.leave()) }()
	user, err := s.users.CreateUser(ctx, &userv1.CreateUserRequest{Email: "ada@example.com", DisplayName: "Ada Lovelace"})
	if err != nil {
		return nil, err
	}
	userID := user.GetUser().GetUserId()
	order, err := s.orders.CreateOrder(ctx, basket(userID, orderv1.Channel_CHANNEL_WEB))
	if err != nil {
		return nil, err
	}
	orderID := order.GetOrder().GetOrderId()
	return []chapter{
		{"HTTP/JSON", s.lines(userID, orderID)},
		{"Errors: declined payment, invalid request, unknown user", s.faultLines(userID)},
		{"Health, metrics, configuration", s.adminLines()},
		{"gRPC by reflection, with grpcurl (the first line builds it)", s.grpcLines(userID, orderID)},
		{"Logs", []string{"tail -f " + sys.Order.Log}},
	}, nil
}

func (s *shop) lines(userID, orderID string) []string {
	orders := "http://" + s.sys.Order.HTTP + "/v1/orders"
	return commands(
		curl{url: "http://" + s.sys.User.HTTP + "/v1/users/" + userID},
		s.postOrder(basket(userID, orderv1.Channel_CHANNEL_APP)),
		curl{url: "http://" + s.sys.Order.HTTP + "/v1/users/" + userID + "/orders?pageSize=2"},
		curl{url: orders + "/" + orderID + ":cancel", body: "{}"},
		curl{flags: "-N", url: orders + "/" + orderID + ":watch"},
	)
}

func (s *shop) faultLines(userID string) []string {
	declined := s.postOrder(yacht(userID))
	invalid := s.postOrder(basket("ada", orderv1.Channel_CHANNEL_WEB))
	unknown := s.postOrder(basket(newUUID(), orderv1.Channel_CHANNEL_WEB))
	declined.flags, invalid.flags, unknown.flags = "-i", "-i", "-i"
	return commands(declined, invalid, unknown)
}

func (s *shop) adminLines() []string {
	admin := "http://" + s.sys.Order.Admin
	return commands(
		curl{url: admin + "/"},
		curl{url: admin + "/readyz?verbose"},
		curl{url: admin + "/metrics"},
		curl{url: admin + "/config"},
		curl{flags: "-X POST", url: admin + "/config/reload"},
	)
}

func commands(requests ...curl) []string {
	var lines []string
	for _, request := range requests {
		lines = append(lines, request.String())
	}
	return lines
}

// grpcurl runs anywhere where Go is.
const grpcurl = "go run github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4 -plaintext"

func (s *shop) grpcLines(userID, orderID string) []string {
	order, user := s.sys.Order.GRPC, s.sys.User.GRPC
	return []string{
		fmt.Sprintf("%s %s list", grpcurl, order),
		fmt.Sprintf("%s %s describe order.v1.OrderService.CreateOrder", grpcurl, order),
		fmt.Sprintf("%s -d '{\"userId\":\"%s\"}' %s user.v1.UserService/GetUser", grpcurl, userID, user),
		fmt.Sprintf("%s -d '{\"orderId\":\"%s\"}' %s order.v1.OrderService/WatchOrder", grpcurl, orderID, order),
		fmt.Sprintf("%s %s grpc.health.v1.Health/Check", grpcurl, order),
	}
}
