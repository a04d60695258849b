package order

import (
	"database/sql"
	"strings"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
)

// The states of an order, short.
const (
	unspecified = orderv1.OrderState_ORDER_STATE_UNSPECIFIED
	pending     = orderv1.OrderState_ORDER_STATE_PENDING
	confirmed   = orderv1.OrderState_ORDER_STATE_CONFIRMED
	rejected    = orderv1.OrderState_ORDER_STATE_REJECTED
	cancelling  = orderv1.OrderState_ORDER_STATE_CANCELLING
	cancelled   = orderv1.OrderState_ORDER_STATE_CANCELLED
)

// step is a state that an order can enter.
type step struct {
	state  orderv1.OrderState
	from   orderv1.OrderState // the one state before it
	column string             // holds when the order entered the state
}

// steps is the state machine, in the order in which an order can go through it:
//
//	PENDING → CONFIRMED → CANCELLING → CANCELLED
//	        → REJECTED
//
// A pending order cannot be cancelled: its payment may be authorised at this
// very moment, and it is pending for moments only.
var steps = [...]step{
	{state: pending, from: unspecified, column: "pending_time"},
	{state: confirmed, from: pending, column: "confirmed_time"},
	{state: rejected, from: pending, column: "rejected_time"},
	{state: cancelling, from: confirmed, column: "cancelling_time"},
	{state: cancelled, from: cancelling, column: "cancelled_time"},
}

// times holds when an order entered the states, by the index of the step, in
// microseconds since 1970.
type times [len(steps)]sql.NullInt64

// stepTo returns the step into the state. Every state but "unspecified", which
// no order has, has one.
func stepTo(s orderv1.OrderState) step {
	for _, step := range steps {
		if step.state == s {
			return step
		}
	}
	return step{}
}

// final reports whether no state follows.
func final(s orderv1.OrderState) bool {
	for _, step := range steps {
		if step.from == s {
			return false
		}
	}
	return true
}

// timeColumns lists the columns of all steps as SQL.
func timeColumns() string {
	var names []string
	for _, step := range steps {
		names = append(names, step.column)
	}
	return strings.Join(names, ", ")
}

// What all names of the enums start with.
const (
	statePrefix   = "ORDER_STATE_"
	channelPrefix = "CHANNEL_"
)

// stateName is how a state is stored and told: "PENDING".
func stateName(s orderv1.OrderState) string { return strings.TrimPrefix(s.String(), statePrefix) }

// stateOf is the inverse of stateName. A name of a later version is unspecified.
func stateOf(name string) orderv1.OrderState {
	return orderv1.OrderState(orderv1.OrderState_value[statePrefix+name])
}

// channelName is how a channel is stored: "WEB".
func channelName(c orderv1.Channel) string { return strings.TrimPrefix(c.String(), channelPrefix) }

// channelOf is the inverse of channelName. A name of a later version is
// unspecified.
func channelOf(name string) orderv1.Channel {
	return orderv1.Channel(orderv1.Channel_value[channelPrefix+name])
}
