package main

import (
	"context"
	"net/http"

	_ "github.com/go-kratos/kratos/v2/encoding/json"
	kratoshttp "github.com/go-kratos/kratos/v2/transport/http"
	"google.golang.org/protobuf/proto"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
)

// kratosOf registers the routes as the code that protoc-gen-go-http generates.
func kratosOf(handler orderv1.OrderServiceServer) (http.Handler, error) {
	server := kratoshttp.NewServer(kratoshttp.Timeout(0)) // no other side has one
	r := server.Route("/")
	r.POST("/v1/orders", kratosMethod(orderv1.OrderService_CreateOrder_FullMethodName, true /* body */, handler.CreateOrder))
	r.GET("/v1/orders/{order_id}", kratosMethod(orderv1.OrderService_GetOrder_FullMethodName, false /* body */, handler.GetOrder))
	r.GET("/v1/users/{user_id}/orders", kratosMethod(orderv1.OrderService_ListOrders_FullMethodName, false /* body */, handler.ListOrders))
	return server, nil
}

// kratosMethod is the handler that would be generated for a method. One whose path has
// no variables, as that with a body, does not bind any.
func kratosMethod[In any, Out proto.Message](name string, body bool, method func(context.Context, *In) (Out, error)) kratoshttp.HandlerFunc {
	return func(ctx kratoshttp.Context) error {
		var in In
		if body {
			if err := ctx.Bind(&in); err != nil {
				return err
			}
		}
		if err := ctx.BindQuery(&in); err != nil {
			return err
		}
		if !body {
			if err := ctx.BindVars(&in); err != nil {
				return err
			}
		}
		kratoshttp.SetOperation(ctx, name)
		h := ctx.Middleware(func(ctx context.Context, in any) (any, error) { return method(ctx, in.(*In)) })
		out, err := h(ctx, &in)
		if err != nil {
			return err
		}
		return ctx.Result(http.StatusOK, out)
	}
}
