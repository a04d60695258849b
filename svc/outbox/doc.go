// Package outbox calls other services after a transaction, in spite of crashes.
//
// [Deferred.Enqueue] writes the call into the service's own database, in the
// transaction that makes it necessary. Once that is committed, the call is made:
// by a relay that runs in each replica, or at once by [Deferred.Deliver]. Its
// outcome goes to the function given to [Deferred.OnOutcome], in the transaction
// that takes the message out of the outbox. So the callee is called at least
// once, and the outcome is handled exactly once.
//
// Messages with one key are delivered in the order in which they were enqueued,
// one after the other; others at the same time. What becomes of an attempt:
//
//   - The callee answered, or returned an error that is final (see
//     errors.Final): that is the outcome.
//   - It cannot be reached, is too slow or overloaded: the message stays due. The
//     relay tries one message every second at the most until the callee answers
//     again, however many wait.
//   - It failed in another way, or the outcome's function did: the message waits,
//     longer from failure to failure, and is parked after ten. A parked message
//     holds back the later ones of its key. It is delivered again when somebody
//     sets parked to FALSE in the table svc_outbox, or calls Deliver.
package outbox
