package system_test

import (
	"context"
	"fmt"
	"log"

	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/internal/system"
	"github.com/protosvc/protosvc/svc/client"
)

// Runs the flagship from the root of the repository, after make build.
func ExampleStart() {
	sys, err := system.Start(context.Background(), system.Options{LogLevel: "debug"})
	if err != nil {
		log.Fatal(err)
	}
	defer func() {
		if err := sys.Stop(); err != nil {
			log.Print(err)
		}
	}()
	dialer := &client.Dialer{Options: client.Options{Target: sys.Order.Target()}}
	defer dialer.Close()
	orders, err := orderv1svc.DialOrderService(dialer)
	fmt.Println(orders, err, sys.Order.Log)
}
