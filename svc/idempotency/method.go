package idempotency

import (
	"context"
	"database/sql"
	"regexp"
	"strings"
	"sync/atomic"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/claim"
	"github.com/protosvc/protosvc/svc/propagate"
)

// Method answers the calls of one unary method. It is made by [Bind].
type Method[Req, Resp any] struct {
	store *Store
	name  string
	field protoreflect.Name
	scope string
	key   func(*Req) string
	counters
}

// Bind binds a method, by its full name on the wire, to the store. The field of
// the request, which key reads, holds the idempotency key. The scope names
// metadata that travels (see package propagate): the same key under another value
// of it is another key. Empty: all callers share their keys.
func Bind[Req, Resp any](s *Store, name, field, scope string, key func(*Req) string) *Method[Req, Resp] {
	return &Method[Req, Resp]{s, name, protoreflect.Name(field), scope, key, s.series.bind(name)}
}

// Wrap returns a handler that runs h for requests that have no answer yet.
func (m *Method[Req, Resp]) Wrap(h func(context.Context, *Req) (*Resp, error)) func(context.Context, *Req) (*Resp, error) {
	return func(ctx context.Context, req *Req) (*Resp, error) { return m.Do(ctx, req, h) }
}

// Do answers a request as the package says; the handler is h. Wrapped handlers
// do not need it: it is for requests that come by another way, in a stream for
// instance.
func (m *Method[Req, Resp]) Do(ctx context.Context, req *Req, h func(context.Context, *Req) (*Resp, error)) (*Resp, error) {
	i := id{m.name, m.within(ctx), canonical(m.key(req))}
	print := fingerprint(any(req).(proto.Message).ProtoReflect(), m.field)
	for try, looks := !m.store.flights.Flying(i), 0; ; looks++ {
		if try {
			c := &run{store: m.store, id: i, owner: claim.Token()}
			taken, err := m.store.take(ctx, i, print, c.owner)
			if err != nil {
				return nil, err
			}
			if taken {
				if resp, err, done := m.run(ctx, c, req, h); done {
					return resp, err
				}
			}
		}
		st, err := m.store.look(ctx, i, print)
		switch {
		case err != nil:
			return nil, err
		case !st.same:
			m.refused.Inc()
			return nil, errors.IdempotencyKeyConflict.New("field", string(m.field), "key", m.key(req))
		case st.answered:
			m.replayed.Inc()
			return replay[Resp](st.answer)
		}
		if try = st.free; try {
			continue
		}
		if looks == 0 {
			m.waits.Inc()
		}
		if err := m.store.flights.Wait(ctx, i, looks); err != nil {
			return nil, err
		}
	}
}

// within is what the store has as the method of a call: the name, and the scope
// behind a "?", which no name of a method has. Replicas of before the method had
// a scope, which share the table, neither find such a row nor make one; and a
// call without a value finds what they have stored.
func (m *Method[Req, Resp]) within(ctx context.Context) string {
	value := propagate.Value(ctx, m.scope)
	if m.scope == "" || value == "" {
		return m.name
	}
	return m.name + "?" + m.scope + "=" + value
}

// run is the handler at work on a request, carried by its context.
type run struct {
	store    *Store
	id       id
	owner    string
	answered atomic.Bool // by Answer, in a transaction that is committed
}

type runKey struct{}

// run runs the handler. It is not done when another one has answered, or when
// the handler did and failed after that: then the answer is in the store.
func (m *Method[Req, Resp]) run(ctx context.Context, r *run, req *Req, h func(context.Context, *Req) (*Resp, error)) (resp *Resp, err error, done bool) {
	defer m.store.flights.Begin(r.id)()
	stop := claim.Keep(func(ctx context.Context) { m.store.renew(ctx, r.id, r.owner) })
	ended := false
	defer func() {
		if !ended { // the handler panicked
			stop()
			m.store.release(ctx, r.id, r.owner)
		}
	}()
	m.executed.Inc()
	resp, err = h(context.WithValue(ctx, runKey{}, r), req)
	ended = true
	stop()
	a, isAnswer := encode(resp, err)
	switch {
	case r.answered.Load():
		return resp, err, isAnswer
	case !isAnswer:
		m.store.release(ctx, r.id, r.owner)
		return resp, err, true
	}
	stored, fault := m.store.answer(ctx, r.id, r.owner, a)
	if fault != nil {
		// The effect is there. An error would only have the caller ask again.
		m.store.log.ErrorContext(ctx, "answer is not stored under its idempotency key", "rpc", r.id.rpc, "error", fault)
		return resp, err, true
	}
	return resp, err, stored
}

// Answer stores the answer that the handler is going to return, in the
// transaction that has its effect: both are committed, or neither is. Call it
// last in the function given to DB.Tx, with the context of the call. An error
// that is not final stores nothing. Where no key is kept, in a context that is
// not a call's of this method, Answer does nothing.
//
// It fails when the lease was lost and another one may have taken over. Return
// its error, so that the transaction is rolled back.
func (m *Method[Req, Resp]) Answer(ctx context.Context, tx *sql.Tx, resp *Resp, err error) error {
	r, _ := ctx.Value(runKey{}).(*run)
	a, isAnswer := encode(resp, err)
	if r == nil || r.id.rpc != m.name || !isAnswer {
		return nil
	}
	stored, err := affected(tx.ExecContext(ctx, storeAnswer, r.id.method, r.id.key, r.owner, a.code, a.bytes))
	if err != nil {
		return err
	}
	if !stored {
		return errors.Unavailable.New().WithCause(errTaken)
	}
	m.store.db.OnCommit(tx, func() { r.answered.Store(true) })
	return nil
}

var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// canonical is the form in which a key is compared: RFC 9562 has UUIDs read
// without regard to case.
func canonical(key string) string {
	if uuid.MatchString(key) {
		return strings.ToLower(key)
	}
	return key
}
