package order_test

import (
	"context"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svctest"
)

// Users that people knows. Anybody else does not exist.
const (
	ada  = "017f22e2-79b0-7cc3-98c4-dc0c0c000001"
	gone = "017f22e2-79b0-7cc3-98c4-dc0c0c000002" // deactivated
	eve  = "017f22e2-79b0-7cc3-98c4-dc0c0c000003" // does not exist
)

// people is a user service that can be told to fail.
type people struct {
	userv1svctest.UserService
	mu    sync.Mutex
	fault error
}

func (p *people) set(fault error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

func (p *people) answer(_ context.Context, req *userv1.GetUserRequest) (*userv1.GetUserResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	state := map[string]userv1.UserState{
		ada: userv1.UserState_USER_STATE_ACTIVE, gone: userv1.UserState_USER_STATE_DEACTIVATED,
	}[req.GetUserId()]
	switch {
	case p.fault != nil:
		return nil, p.fault
	case state == userv1.UserState_USER_STATE_UNSPECIFIED:
		return nil, userv1svc.NewUserErrorNotFound(req.GetUserId())
	}
	return &userv1.GetUserResponse{User: &userv1.User{UserId: req.GetUserId(), State: state}}, nil
}

// limit is the largest amount that bank authorises.
const limit = 100_000

// bank is a payment service that can be told to fail. Its zero value works.
type bank struct {
	paymentv1.UnimplementedPaymentServiceServer
	mu       sync.Mutex
	fault    func(reference string, minor int64) error // before anything is done
	hang     chan struct{}                             // if set: told of a call that is done but never answered
	payments map[string]string                         // id by reference
	refunds  map[string]int                            // by id
}

var down = status.Error(codes.Unavailable, "down")

// set makes all calls fail before they do anything; nil ends that.
func (b *bank) set(fault error) {
	b.setEach(func(string, int64) error { return fault })
}

func (b *bank) setEach(fault func(reference string, minor int64) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault, b.hang = fault, nil
}

// mute makes all calls do what they should and never answer. The channel tells
// of each.
func (b *bank) mute() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hang = make(chan struct{}, 100)
	return b.hang
}

// made returns how many payments and refunds there are.
func (b *bank) made() (payments, refunds int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.payments), len(b.refunds)
}

func (b *bank) Authorize(ctx context.Context, req *paymentv1.AuthorizeRequest) (*paymentv1.AuthorizeResponse, error) {
	res, err := b.authorize(req)
	return res, b.answer(ctx, err)
}

func (b *bank) authorize(req *paymentv1.AuthorizeRequest) (*paymentv1.AuthorizeResponse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.failing(req.GetReference(), req.GetAmount().GetAmountMinor()); err != nil {
		return nil, err
	}
	if req.GetAmount().GetAmountMinor() > limit {
		return nil, paymentv1svc.NewPaymentErrorDeclined("amount_above_limit")
	}
	if b.payments == nil {
		b.payments, b.refunds = map[string]string{}, map[string]int{}
	}
	b.payments[req.GetReference()] = paymentOf(req.GetReference())
	return &paymentv1.AuthorizeResponse{Payment: &paymentv1.Payment{PaymentId: b.payments[req.GetReference()]}}, nil
}

// paymentOf is the id of a payment: another UUID than its reference.
func paymentOf(reference string) string { return "f" + reference[1:] }

func (b *bank) Refund(ctx context.Context, req *paymentv1.RefundRequest) (*paymentv1.RefundResponse, error) {
	return &paymentv1.RefundResponse{}, b.answer(ctx, b.refund(req))
}

func (b *bank) refund(req *paymentv1.RefundRequest) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.failing(req.GetPaymentId(), 0); err != nil {
		return err
	}
	b.refunds[req.GetPaymentId()]++
	return nil
}

func (b *bank) failing(reference string, minor int64) error {
	if b.fault == nil {
		return nil
	}
	return b.fault(reference, minor)
}

// answer returns err, unless the bank is mute: then the caller has to give up.
func (b *bank) answer(ctx context.Context, err error) error {
	b.mu.Lock()
	hang := b.hang
	b.mu.Unlock()
	if hang == nil {
		return err
	}
	hang <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}
