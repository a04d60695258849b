package order

import (
	"database/sql"
	"testing"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
)

// states are all that the contract knows, but "unspecified".
func states() []orderv1.OrderState {
	var all []orderv1.OrderState
	for number := range orderv1.OrderState_name {
		if s := orderv1.OrderState(number); s != unspecified {
			all = append(all, s)
		}
	}
	return all
}

func TestStateMachine(t *testing.T) {
	type follower struct{ from, to orderv1.OrderState }
	allowed := map[follower]bool{
		{unspecified, pending}:  true,
		{pending, confirmed}:    true,
		{pending, rejected}:     true,
		{confirmed, cancelling}: true,
		{cancelling, cancelled}: true,
	}
	for _, to := range states() {
		for _, from := range append(states(), unspecified) {
			if got := stepTo(to).from == from; got != allowed[follower{from, to}] {
				t.Errorf("from %s to %s: allowed is %v", stateName(from), stateName(to), got)
			}
		}
		if want := to == rejected || to == cancelled; final(to) != want {
			t.Errorf("%s: final is %v", stateName(to), !want)
		}
	}
}

func TestNamesComeBack(t *testing.T) {
	for _, s := range states() {
		if got := stateOf(stateName(s)); got != s {
			t.Errorf("state %q comes back as %v", stateName(s), got)
		}
	}
	for number := range orderv1.Channel_name {
		if c := orderv1.Channel(number); channelOf(channelName(c)) != c {
			t.Errorf("channel %q comes back as %v", channelName(c), channelOf(channelName(c)))
		}
	}
	if got := stateOf("SHIPPED"); got != unspecified {
		t.Errorf("a state of a later version is %v, want unspecified", got)
	}
}

func TestHistoryIsThePath(t *testing.T) {
	at := func(micros int64) sql.NullInt64 { return sql.NullInt64{Int64: micros, Valid: true} }
	o := record{
		id: "1", paymentID: "2", state: cancelled, updated: 9,
		entered: times{0: at(1), 1: at(4), 3: at(8), 4: at(9)},
	}
	want := []struct {
		state     orderv1.OrderState
		updated   int64
		paymentID string
	}{{pending, 1, ""}, {confirmed, 4, "2"}, {cancelling, 8, "2"}, {cancelled, 9, "2"}}
	history := o.history()
	if len(history) != len(want) {
		t.Fatalf("history has %d states, want %d", len(history), len(want))
	}
	for i, then := range history {
		if then.state != want[i].state || then.updated != want[i].updated || then.paymentID != want[i].paymentID || then.id != "1" {
			t.Errorf("history[%d] is %v at %d with payment %q, want %v", i, then.state, then.updated, then.paymentID, want[i])
		}
	}
}
