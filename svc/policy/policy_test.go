package policy_test

import (
	"fmt"
	"time"

	"github.com/protosvc/protosvc/svc/policy"
)

func ExampleMethod_Split() {
	m := policy.Method{Name: "/order.v1.OrderService/CreateOrder", Timeout: 2 * time.Second}
	service, method := m.Split()
	fmt.Println(service, method, m.Timeout, m.Retry.Enabled())
	// Output: order.v1.OrderService CreateOrder 2s false
}
