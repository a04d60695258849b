// Package errors holds the typed errors that cross services.
//
// A [Code] is one error of a contract: a value of an annotated enum, generated
// as a package variable. An [Error] is one occurrence of it. On the wire it is
// a gRPC status with google.rpc.ErrorInfo; [FromStatus] turns that back into an
// Error, so this holds in the handler, in its caller and in the caller's caller:
//
//	errors.Is(err, orderv1svc.OrderErrorUserNotFound)
//
// Two things never leave the process: the cause of an Error, and the text that
// wraps it. [ToStatus] sends the message of the contract and the metadata, and
// for an error the contract does not know the constant text "internal error".
//
// An error of a callee that a handler returns, wrapped or not, travels on with
// its own domain, reason and metadata.
//
// The metadata is text. Where a contract gives a placeholder another type, the
// generated constructor takes that of Go, and the generated function that reads the
// error, AsOrderErrorNotFound of OrderErrorNotFound, returns it; see [Value].
//
// # What a method may return
//
// A [Contract] holds a method to its declared errors and maps those of its
// callees. An [Answer] adds what only the server of the call knows: the id to
// quote, the caller's language, the metadata that travels.
//
// A caller tells errors apart with errors.Is and the generated codes, or all of
// a method's at once with its generated Match.
//
// # Bounds
//
// A status travels in headers, of which many clients accept 8 KiB in all. Each
// has at most 6 KiB as it is sent, and says little of what the caller sent:
//
//   - A value of the metadata has at most 128 bytes, and 64 where it stands in a
//     message.
//   - A message with a reason has at most 1 KiB, any other one 256 bytes, and so
//     have the field and the description of a violation.
//   - A status that is still too large is cut where it is largest until it fits:
//     values of metadata, then their keys, are halved, and violations, whose last
//     one then has the reason "omitted". Other details are left out. Domain and
//     reason, RetryInfo and RequestInfo stay.
//
// What is cut ends with "…" and is valid UTF-8. In the process that made it an
// [Error] has its metadata whole.
//
// # HTTP status
//
// The HTTP status of an error is not sent: it is a fact of the contract, and
// whoever speaks HTTP has the contract's [Table]. [HTTPStatus] looks the reason
// up there and falls back to the gRPC code where the reason is unknown.
package errors
