package payment

import (
	"strings"

	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
)

// The states of a payment, short.
const (
	authorized = paymentv1.PaymentState_PAYMENT_STATE_AUTHORIZED
	captured   = paymentv1.PaymentState_PAYMENT_STATE_CAPTURED
	refunded   = paymentv1.PaymentState_PAYMENT_STATE_REFUNDED
	declined   = paymentv1.PaymentState_PAYMENT_STATE_DECLINED
)

// move is a change of state, the states it may start from, and how it is
// counted.
type move struct {
	to      paymentv1.PaymentState
	from    []paymentv1.PaymentState
	outcome string // label of payments_total
}

// The moves of a payment. It starts as authorised or declined; refunded and
// declined are final.
var (
	capture = move{to: captured, from: []paymentv1.PaymentState{authorized}, outcome: "captured"}
	refund  = move{to: refunded, from: []paymentv1.PaymentState{authorized, captured}, outcome: "refunded"}
)

// sources lists the states that the move may start from as SQL. They are
// constants of this file, so nothing needs escaping.
func (m move) sources() string {
	var quoted []string
	for _, s := range m.from {
		quoted = append(quoted, "'"+stateName(s)+"'")
	}
	return strings.Join(quoted, ", ")
}

// statePrefix is what all names of the enum start with.
const statePrefix = "PAYMENT_STATE_"

// stateName is how a state is stored and told: "AUTHORIZED".
func stateName(s paymentv1.PaymentState) string {
	return strings.TrimPrefix(s.String(), statePrefix)
}

// stateOf is the inverse of stateName. A name of a later version is unspecified.
func stateOf(name string) paymentv1.PaymentState {
	return paymentv1.PaymentState(paymentv1.PaymentState_value[statePrefix+name])
}
