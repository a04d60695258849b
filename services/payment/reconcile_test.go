package payment_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
)

func TestReconcileAnswersLineByLine(t *testing.T) {
	f := start(t)
	p := f.authorize("order-1")
	stream, err := f.Reconcile(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, test := range []struct {
		reference string
		minor     int64
		currency  string
		want      paymentv1.ReconcileResult
	}{
		{"order-1", 1000, "EUR", paymentv1.ReconcileResult_RECONCILE_RESULT_MATCHED},
		{"order-1", 1001, "EUR", paymentv1.ReconcileResult_RECONCILE_RESULT_AMOUNT_DIFFERS},
		{"order-1", 1000, "USD", paymentv1.ReconcileResult_RECONCILE_RESULT_AMOUNT_DIFFERS},
		{"order-2", 1000, "EUR", paymentv1.ReconcileResult_RECONCILE_RESULT_MISSING},
	} {
		line := &paymentv1.ReconcileRequest{Reference: test.reference, Amount: &paymentv1.Money{CurrencyCode: test.currency, AmountMinor: test.minor}}
		if err := stream.Send(line); err != nil {
			f.t.Fatal(err)
		}
		got, err := stream.Recv()
		if err != nil {
			f.t.Fatal(err)
		}
		want := &paymentv1.ReconcileResponse{Reference: test.reference, Result: test.want, Payment: p}
		if test.want == paymentv1.ReconcileResult_RECONCILE_RESULT_MISSING {
			want.Payment = nil
		}
		if !proto.Equal(got, want) {
			f.t.Errorf("%v: %v, want %v", line, got, want)
		}
	}
	if err := stream.CloseSend(); err != nil {
		f.t.Fatal(err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		f.t.Errorf("after the last line: %v, want EOF", err)
	}
}

// reconcile sends one line and returns all results.
func (f fixture) reconcile(reference string, minor int64, currency string) (results []*paymentv1.ReconcileResponse) {
	f.t.Helper()
	stream, err := f.Reconcile(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := stream.Send(&paymentv1.ReconcileRequest{Reference: reference, Amount: &paymentv1.Money{CurrencyCode: currency, AmountMinor: minor}}); err != nil {
		f.t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		f.t.Fatal(err)
	}
	for {
		res, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return results
		}
		if err != nil {
			f.t.Fatal(err)
		}
		results = append(results, res)
	}
}

// A caller who goes away in the middle leaves nothing behind.
func TestReconcileEndsWithItsCaller(t *testing.T) {
	f := start(t)
	inFlight := func() float64 {
		return f.Metric(`grpc_server_in_flight{grpc_method="Reconcile",grpc_service="payment.v1.PaymentService",grpc_type="bidi_stream"}`)
	}
	ctx, cancel := context.WithCancel(f.ctx)
	stream, err := f.Reconcile(ctx)
	if err != nil {
		t.Fatal(err)
	}
	f.Eventually("a call in flight", func() bool { return inFlight() == 1 })
	cancel()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("Recv after cancel: %v", err)
	}
	f.Eventually("no call in flight", func() bool { return inFlight() == 0 })
}
