// Package gateway serves HTTP/JSON next to gRPC, from the same handlers.
//
// [Conn] calls registered services in this process, without a socket and
// without encoding, for all four kinds of RPC. [Mux] is grpc-gateway's mux with
// the manners of this runtime. The code that protoc-gen-grpc-gateway writes
// joins the two:
//
//	conn := gateway.NewConn()
//	orderv1.RegisterOrderServiceServer(conn, server)
//	mux := gateway.NewMux(gateway.Options{Errors: orderv1svc.Errors})
//	err := orderv1.RegisterOrderServiceHandlerClient(ctx, mux.ServeMux, orderv1.NewOrderServiceClient(conn))
//	http.ListenAndServe(addr, mux)
//
// # What a caller sees
//
//   - JSON with the names of proto3 JSON; a request field that the message does
//     not have is refused and named.
//   - Server streams as newline-delimited JSON, application/x-ndjson: a line
//     {"result":…} for each message. An error after the first message is a last
//     line {"error":…}.
//   - Every error, also of routing and decoding, is a google.rpc.Status in JSON,
//     with the HTTP status that the contract gives to its reason.
package gateway
