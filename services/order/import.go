package order

import (
	"context"
	"errors"
	"io"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// ImportOrders creates one order after the other, each like CreateOrder does. A
// caller who lost the stream sends all of it again: orders that exist count as
// created.
func (h *handler) ImportOrders(stream grpc.ClientStreamingServer[orderv1.ImportOrdersRequest, orderv1.ImportOrdersResponse]) error {
	ctx, out := stream.Context(), &orderv1.ImportOrdersResponse{}
	for index := int32(0); ; index++ {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(out)
		}
		if err != nil {
			return err
		}
		order := req.GetOrder()
		order.Channel = orderv1.Channel_CHANNEL_IMPORT
		_, err = h.create(ctx, order)
		switch {
		case ctx.Err() != nil: // it says nothing about the order that it failed
			return ctx.Err()
		case err != nil:
			out.Failures = append(out.Failures, h.failure(ctx, index, order.GetRequestId(), err))
		default:
			out.Created++
		}
	}
}

// createErrors is the contract of CreateOrder's errors.
var createErrors = orderv1svc.OrderServicePolicies.CreateOrder.Errors

// failure tells what CreateOrder would have answered. The stream itself goes
// well, so the runtime logs nothing: what is our fault is logged here.
func (h *handler) failure(ctx context.Context, index int32, requestID string, err error) *orderv1.ImportFailure {
	ending, _ := createErrors.Apply(err)
	answer := svcerrors.ToStatus(ending)
	if answer.Code() == codes.Internal {
		h.log.ErrorContext(ctx, "order not imported", "index", index, "request_id", requestID, "error", err)
	}
	reason := code.Code(answer.Code()).String()
	if typed, ok := errors.AsType[*svcerrors.Error](svcerrors.FromStatus(answer.Err(), nil)); ok {
		reason = typed.Code.Reason
	}
	return &orderv1.ImportFailure{Index: index, RequestId: requestID, Reason: reason, Message: answer.Message()}
}
