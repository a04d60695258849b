package server_test

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/policy"
)

func ExampleUnary() {
	binder := server.New(server.Options{})
	greet := server.BindUnary(binder,
		policy.Method{Name: "/greet.v1.GreetService/Greet", Timeout: time.Second},
		nil, // every request is valid
		func(_ context.Context, name *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			if name.GetValue() == "" {
				panic("nobody to greet")
			}
			return wrapperspb.String("hello, " + name.GetValue()), nil
		})

	answer, err := greet.Call(context.Background(), wrapperspb.String("Ada"))
	fmt.Println(answer.GetValue(), err)

	_, err = greet.Call(context.Background(), wrapperspb.String(""))
	fmt.Println(status.Code(err))
	// Output:
	// hello, Ada <nil>
	// Internal
}
