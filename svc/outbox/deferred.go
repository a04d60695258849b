package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/claim"
)

// Deferred is one method of another service whose calls go through the outbox.
// It is made by [Bind].
type Deferred[Req, Resp any] struct {
	*method
	call    func(context.Context, *Req, ...grpc.CallOption) (*Resp, error)
	outcome func(context.Context, *sql.Tx, Outcome[Req, Resp]) error
}

// Outcome is how a call ended.
type Outcome[Req, Resp any] struct {
	Key      string
	Request  *Req
	Response *Resp // nil with Err
	// Err is an error of the callee that is final; see errors.Final.
	Err error
}

// Bind binds a method, by its full name on the wire, to the outbox. The call is
// that of a generated client: it brings the deadline and the retries of one
// attempt.
func Bind[Req, Resp any](o *Outbox, name string, call func(context.Context, *Req, ...grpc.CallOption) (*Resp, error)) *Deferred[Req, Resp] {
	d := &Deferred[Req, Resp]{call: call}
	d.method = o.bind(name, d.send)
	d.outcome = func(ctx context.Context, _ *sql.Tx, o Outcome[Req, Resp]) error { return o.Err }
	return d
}

// OnOutcome sets what handles the outcomes of calls. It must be set before the
// service runs. What it writes through tx is committed together with the end of
// the message; it may run again until that succeeds, so it must have no other
// effect but through database.OnCommit. Its error has the call made again later.
// Default: a response is thrown away, an error counts as a failure.
func (d *Deferred[Req, Resp]) OnOutcome(f func(context.Context, *sql.Tx, Outcome[Req, Resp]) error) {
	d.outcome = f
}

// Enqueue has the call made once tx is committed; tx must be one of DB.Tx. The
// trace of ctx and its outgoing metadata go with it.
func (d *Deferred[Req, Resp]) Enqueue(ctx context.Context, tx *sql.Tx, key string, req *Req) error {
	if err := d.insert(ctx, tx, key, req, time.Now()); err != nil {
		return err
	}
	d.outbox.store.db.OnCommit(tx, d.outbox.wake)
	return nil
}

// EnqueueHeld is Enqueue for a caller who calls Deliver after the commit: for a
// second the relay leaves the message alone.
func (d *Deferred[Req, Resp]) EnqueueHeld(ctx context.Context, tx *sql.Tx, key string, req *Req) error {
	return d.insert(ctx, tx, key, req, time.Now().Add(claim.Duration))
}

func (d *Deferred[Req, Resp]) insert(ctx context.Context, tx *sql.Tx, key string, req *Req, due time.Time) error {
	body, err := proto.Marshal(any(req).(proto.Message))
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", d.name, err)
	}
	if body == nil {
		body = []byte{} // an empty message is not NULL
	}
	m := message{id: claim.Token(), method: d.name, key: key, request: body, headers: carry(ctx)}
	if err := d.outbox.store.insert(ctx, tx, m, due); err != nil {
		return fmt.Errorf("enqueue %s: %w", d.name, err)
	}
	return nil
}

// Deliver returns when no message of the method with the key is left: it makes
// the calls itself, or waits for the one who does. Its error is that of ctx, of
// the attempt, or of the outcome's function; the message then stays, and the
// relay goes on with it.
func (d *Deferred[Req, Resp]) Deliver(ctx context.Context, key string) error {
	return d.method.deliver(ctx, key)
}

// send makes the call. It returns what handles the outcome, or an error when
// there is none.
func (d *Deferred[Req, Resp]) send(ctx context.Context, m message) (func(context.Context, *sql.Tx) error, error) {
	req := new(Req)
	if err := proto.Unmarshal(m.request, any(req).(proto.Message)); err != nil {
		return nil, fmt.Errorf("request cannot be decoded: %w", err)
	}
	resp, err := d.call(ctx, req)
	if err != nil && !errors.Final(err) {
		return nil, err
	}
	if err != nil {
		resp = nil
	}
	return func(ctx context.Context, tx *sql.Tx) error {
		return d.outcome(ctx, tx, Outcome[Req, Resp]{m.key, req, resp, err})
	}, nil
}
