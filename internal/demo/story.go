package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/internal/system"
)

// steps is the story. Each step prints what it does and what came of it, and
// returns an error if that is not what the contract promises.
var steps = []struct {
	title string
	run   func(*story, context.Context) error
}{
	{"Create a user, over gRPC", (*story).createUser},
	{"Place an order, over gRPC: order asks user, then payment", (*story).orderOverGRPC},
	{"Place an order, over HTTP/JSON", (*story).orderOverHTTP},
	{"Watch the first order on a stream while it is cancelled", (*story).watch},
	{"Order a yacht: the payment is declined, a typed error across two hops", (*story).decline},
	{"Send an invalid request: every violation with its field path", (*story).invalid},
	{"Order for a user who does not exist", (*story).unknownUser},
	{"Send the same order three times: one order", (*story).repeat},
	{"Compare all orders with the payments, on a stream in both directions", (*story).reconcile},
	{"Look at the metrics", (*story).metrics},
	{"Follow one trace through three logs", (*story).trace},
}

// stepTimeout limits each step.
const stepTimeout = 30 * time.Second

// story is what the steps share.
type story struct {
	*shop
	out    *printer
	userID string
	bought []*orderv1.Order // all that were created
}

// tellStory starts the system, runs every step and stops.
func tellStory(ctx context.Context, out *printer, o system.Options) (err error) {
	began := time.Now()
	out.title("Start three services, each a process with its generated configuration")
	sys, err := begin(ctx, out, o)
	if err != nil {
		return err
	}
	// After a fault too; then its own outcome matters less.
	defer func() {
		err = errors.Join(err, sys.Stop())
	}()
	shop, err := enter(sys)
	if err != nil {
		return err
	}
	s := &story{shop: shop, out: out}
	if err := errors.Join(s.runSteps(ctx), shop.leave()); err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	out.success("All of it was as promised, in %v.", time.Since(began).Round(10*time.Millisecond))
	return nil
}

func (s *story) runSteps(ctx context.Context) error {
	for _, step := range steps {
		s.out.title(step.title)
		if err := s.runStep(ctx, step.run); err != nil {
			return fmt.Errorf("%q: %w", step.title, err)
		}
	}
	return nil
}

func (s *story) runStep(ctx context.Context, run func(*story, context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	return run(s, ctx)
}

// promised returns an error unless the thing is as promised.
func promised[T comparable](thing string, got, want T) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s is %v, promised is %v", thing, got, want)
}

func (s *story) createUser(ctx context.Context) error {
	res, err := s.users.CreateUser(ctx, &userv1.CreateUserRequest{Email: "ada@example.com", DisplayName: "Ada Lovelace"})
	if err != nil {
		return err
	}
	user := res.GetUser()
	s.userID = user.GetUserId()
	s.out.row("user", "%s  %s <%s>  %s", s.userID, user.GetDisplayName(), user.GetEmail(), strings.TrimPrefix(user.GetState().String(), "USER_STATE_"))
	return promised("the state of the user", user.GetState(), userv1.UserState_USER_STATE_ACTIVE)
}

func (s *story) orderOverGRPC(ctx context.Context) error {
	res, err := s.orders.CreateOrder(ctx, basket(s.userID, orderv1.Channel_CHANNEL_WEB))
	if err != nil {
		return err
	}
	return s.placed(res.GetOrder())
}

func (s *story) orderOverHTTP(ctx context.Context) error {
	request := s.postOrder(basket(s.userID, orderv1.Channel_CHANNEL_APP))
	s.out.command(request.String())
	var res orderv1.CreateOrderResponse
	if err := request.doProto(ctx, &res); err != nil {
		return err
	}
	return s.placed(res.GetOrder())
}

// placed prints a new order and remembers it.
func (s *story) placed(o *orderv1.Order) error {
	s.bought = append(s.bought, o)
	s.out.row("order", "%s", describe(o))
	s.out.row("payment", "%s", o.GetPaymentId())
	return errors.Join(
		promised("the state of the order", o.GetState(), orderv1.OrderState_ORDER_STATE_CONFIRMED),
		promised("the total of the order", o.GetTotal().GetAmountMinor(), basketMinor),
		promised("whether the order has a payment", o.GetPaymentId() != "", true),
	)
}

func (s *story) watch(ctx context.Context) error {
	order := s.bought[0]
	states, err := s.watchAndCancel(ctx, order.GetOrderId())
	if err != nil {
		return err
	}
	paid, err := s.payments.GetPayment(ctx, &paymentv1.GetPaymentRequest{PaymentId: order.GetPaymentId()})
	if err != nil {
		return err
	}
	s.out.row("payment", "%s  %s", order.GetPaymentId(), strings.TrimPrefix(paid.GetPayment().GetState().String(), "PAYMENT_STATE_"))
	return errors.Join(
		promised("the history on the stream", strings.Join(states, " "), "CONFIRMED CANCELLING CANCELLED"),
		promised("the state of the payment", paid.GetPayment().GetState(), paymentv1.PaymentState_PAYMENT_STATE_REFUNDED),
	)
}

// watchAndCancel returns the states that the stream tells. It cancels the order
// after the first one, and the stream ends when no state can follow.
func (s *story) watchAndCancel(ctx context.Context, orderID string) (states []string, err error) {
	stream, err := s.orders.WatchOrder(ctx, &orderv1.WatchOrderRequest{OrderId: orderID})
	if err != nil {
		return nil, err
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return states, nil
		}
		if err != nil {
			return nil, err
		}
		order := message.GetOrder()
		states = append(states, stateName(order.GetState()))
		s.out.row("stream", "%s  %s", order.GetUpdateTime().AsTime().Format("15:04:05.000000"), describe(order))
		if len(states) > 1 {
			continue
		}
		if _, err := s.orders.CancelOrder(ctx, &orderv1.CancelOrderRequest{OrderId: orderID}); err != nil {
			return nil, err
		}
	}
}

func (s *story) repeat(ctx context.Context) error {
	req := basket(s.userID, orderv1.Channel_CHANNEL_WEB)
	first, err := s.orders.CreateOrder(ctx, req)
	if err != nil {
		return err
	}
	for range 2 {
		again, err := s.orders.CreateOrder(ctx, req)
		if err != nil {
			return err
		}
		if err := promised("the order of the repetition", again.GetOrder().GetOrderId(), first.GetOrder().GetOrderId()); err != nil {
			return err
		}
	}
	s.out.row("request", "%s, sent three times", req.GetRequestId())
	return s.placed(first.GetOrder())
}

func (s *story) reconcile(ctx context.Context) error {
	stream, err := s.payments.Reconcile(ctx)
	if err != nil {
		return err
	}
	for _, order := range s.bought {
		amount := &paymentv1.Money{CurrencyCode: order.GetTotal().GetCurrencyCode(), AmountMinor: order.GetTotal().GetAmountMinor()}
		if err := stream.Send(&paymentv1.ReconcileRequest{Reference: order.GetOrderId(), Amount: amount}); err != nil {
			return err
		}
		line, err := stream.Recv()
		if err != nil {
			return err
		}
		s.out.row("order", "%s  payment %s  %s", line.GetReference(), line.GetPayment().GetPaymentId(),
			strings.TrimPrefix(line.GetResult().String(), "RECONCILE_RESULT_"))
		if err := promised("the result", line.GetResult(), paymentv1.ReconcileResult_RECONCILE_RESULT_MATCHED); err != nil {
			return err
		}
	}
	return stream.CloseSend()
}

// stop is the last step. A process that does not end with exit code 0 is an
// error of Stop.
func (s *story) stop() error {
	s.out.title("Stop: readiness off, drain, finish the calls in flight, close")
	began := time.Now()
	if err := s.sys.Stop(); err != nil {
		return err
	}
	s.out.row("stopped", "order, payment, user: exit code 0 each, %v in all", time.Since(began).Round(time.Millisecond))
	return nil
}
