// Package idempotency answers a repeated request with the first answer.
//
// A request is known by its method, the key that the caller chose, and the scope
// of the method if it has one: metadata, such as a tenant, whose values have keys
// of their own. Calls without the metadata share one scope, that of methods
// without any. Otherwise keys are the callers' to keep apart. A key in the form of a UUID is compared without
// regard to case. For each the store keeps, in the service's own database and
// for as long as its retention, a fingerprint of the request and its answer: the
// response, or an error that is final (see errors.Final). Then
//
//   - a repetition gets the first answer, and the handler does not run;
//   - another request under the same key gets errors.IdempotencyKeyConflict;
//   - a repetition while the handler runs waits for it, as long as its own
//     deadline allows, in whichever replica it arrives;
//   - after any other error, of the moment or of the server, it runs again.
//
// # What a crash leaves
//
// A handler whose process dies holds its key until its lease ends, a second
// later; then the next repetition runs it again. How much it had done decides
// what that means:
//
//   - [Method.Answer] stores the answer in the transaction that has the effect.
//     Effect and answer then exist together or not at all, and a handler that
//     was thought dead cannot commit after another one has taken over.
//   - Otherwise the answer is stored when the handler has returned. A crash
//     between its last commit and that runs the handler again, so it must find
//     what it has done itself, by a unique column for instance.
package idempotency
