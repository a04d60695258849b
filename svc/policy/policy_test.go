package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/policy"
)

var table = policy.Table{
	{Name: "/order.v1.OrderService/GetOrder", Timeout: 300 * time.Millisecond, Retry: policy.Retry{Attempts: 3}},
	{Name: "/order.v1.OrderService/CreateOrder", Timeout: 2 * time.Second},
}

func ExampleTable_Method() {
	m := table.Method("CreateOrder")
	service, method := m.Split()
	fmt.Println(service, method, m.Timeout, m.Retry.Enabled())
	// Output: order.v1.OrderService CreateOrder 2s false
}

func TestTableMethodUnknown(t *testing.T) {
	defer func() {
		if got, want := recover(), "policy: no method Order"; got != want {
			t.Errorf("Method of an unknown name panicked with %v, want %q", got, want)
		}
	}()
	table.Method("Order")
}
