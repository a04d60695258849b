// Package gateway serves HTTP/JSON next to gRPC, from the same handlers.
//
// [Methods] are those of the services in this process, registered as with a
// grpc.Server. [Mux] serves them over HTTP by the routes of the contract:
//
//	methods := gateway.NewMethods()
//	orderv1.RegisterOrderServiceServer(methods, server)
//	mux, err := gateway.NewMux(methods, routes, gateway.Options{Errors: orderv1svc.Errors})
//	http.ListenAndServe(addr, mux)
//
// A request is decoded into the message that the handler gets, and the response is
// encoded from the one that it returns: there is no client, no socket and no copy in
// between. Package transcode has the codec, and httprule the routes.
//
// # What a caller sees
//
//   - JSON with the names of proto3 JSON; a field of the request that the message does
//     not have is refused and named, in the body and in the query.
//   - Server streams as newline-delimited JSON, application/x-ndjson: a line
//     {"result":…} for each message. An error after the first message is a last
//     line {"error":…}. Whoever prefers text/event-stream gets each line as an event.
//   - A google.api.HttpBody as it is, in both directions. A stream of them that fails
//     after the first message breaks off, since bytes have no place for an error.
//   - Every error, also of routing and decoding, is a google.rpc.Status in JSON,
//     with the HTTP status that the contract gives to its reason.
//   - The header Idempotency-Key sets the field that is the method's idempotency key.
//   - HEAD wherever there is GET; OPTIONS, and 405, with the methods of the path in Allow.
//   - Pages of the origins in [CORS] may call from a browser, and nobody else's.
package gateway
