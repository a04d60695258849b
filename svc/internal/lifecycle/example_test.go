package lifecycle_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/protosvc/protosvc/svc/internal/lifecycle"
)

// A gRPC server, an admin server that answers until the last call is done, some
// background work and a resource.
func ExampleGroup() {
	ctx, hard, release := lifecycle.Signals(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	calls := grpc.NewServer()
	admin := &http.Server{Addr: "127.0.0.1:0"}

	g := &lifecycle.Group{GracefulBudget: 10 * time.Second}
	g.OnClose("database", func() error { fmt.Println("database closed"); return nil })
	g.Serve(lifecycle.Server{
		Name:     "grpc",
		Serve:    func() error { return calls.Serve(listener) },
		Graceful: func(context.Context) { calls.GracefulStop() },
		Close:    calls.Stop,
	})
	g.Go("admin", func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { admin.Close() })
		defer stop()
		if err := admin.ListenAndServe(); err != http.ErrServerClosed {
			return err
		}
		return nil
	})
	g.Go("work", func(context.Context) error {
		return fmt.Errorf("table %q is missing", "orders")
	})
	g.OnStop = func() { fmt.Println("not ready") }

	fmt.Println("run:", g.Run(ctx, hard))
	// Output:
	// not ready
	// database closed
	// run: work: table "orders" is missing
}
