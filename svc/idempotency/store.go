package idempotency

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/protosvc/protosvc/svc/database"
	"github.com/protosvc/protosvc/svc/internal/claim"
	"github.com/protosvc/protosvc/svc/metrics"
)

//go:embed migrations/*.sql
var files embed.FS

// How expired requests are deleted.
const (
	sweepInterval = time.Minute
	sweepBatch    = 500
)

// storeTimeout bounds what is stored after a call.
const storeTimeout = 2 * time.Second

// Options say where a store is and what it reports to. All are required; the
// contract of a service has the default of Retention.
type Options struct {
	DB        *database.DB
	Retention time.Duration // how long an answer is kept
	Metrics   *metrics.Registry
	Log       *slog.Logger
}

// Store keeps requests and their answers. Make one with [New].
type Store struct {
	db        *database.DB
	retention time.Duration
	log       *slog.Logger
	series    series
	flights   claim.Flights[id]
}

// id is what a request is known by. The method is that of the table: with the
// scope, if the call has one.
type id struct{ rpc, method, key string }

// New returns the store in the database, whose tables it makes or brings up to
// date.
func New(ctx context.Context, o Options) (*Store, error) {
	if o.Retention <= 0 {
		return nil, fmt.Errorf("retention %v is not above zero", o.Retention)
	}
	migrations, err := fs.Sub(files, "migrations")
	if err != nil {
		return nil, err
	}
	if err := o.DB.MigrateNamed(ctx, "svc_idempotency", migrations); err != nil {
		return nil, err
	}
	s := &Store{db: o.DB, retention: o.Retention, log: o.Log, series: newSeries()}
	return s, s.series.register(o.Metrics)
}

// Run deletes what has expired, until ctx ends. Every replica may run it. It
// never fails: what cannot be deleted now is deleted later.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "expired idempotency keys are not deleted", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweep deletes in batches, so that no transaction is long.
func (s *Store) sweep(ctx context.Context) error {
	for deleted := int64(sweepBatch); deleted == sweepBatch; {
		err := s.db.Tx(ctx, func(tx *sql.Tx) error {
			result, err := tx.ExecContext(ctx, `DELETE FROM svc_idempotency WHERE (method, request_key) IN
				(SELECT method, request_key FROM svc_idempotency WHERE expire_time < $1 LIMIT $2)`,
				time.Now().UnixMicro(), sweepBatch)
			if err == nil {
				deleted, err = result.RowsAffected()
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// take makes the caller the owner of a request that nobody runs and that has no
// answer, and reports whether it did.
func (s *Store) take(ctx context.Context, i id, fingerprint []byte, owner string) (taken bool, err error) {
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		now := time.Now()
		result, err := tx.ExecContext(ctx, `INSERT INTO svc_idempotency
				(method, request_key, fingerprint, owner, lease_time, answered, code, answer, expire_time)
			VALUES ($1, $2, $3, $4, $5, FALSE, 0, $6, $7)
			ON CONFLICT (method, request_key) DO UPDATE SET
				fingerprint = excluded.fingerprint, owner = excluded.owner, lease_time = excluded.lease_time,
				answered = excluded.answered, code = excluded.code, answer = excluded.answer, expire_time = excluded.expire_time
			WHERE svc_idempotency.expire_time < $8 OR (NOT svc_idempotency.answered
				AND svc_idempotency.lease_time < $8 AND svc_idempotency.fingerprint = excluded.fingerprint)`,
			i.method, i.key, fingerprint, owner, claim.Until(), []byte{}, now.Add(s.retention).UnixMicro(), now.UnixMicro())
		taken, err = affected(result, err)
		return err
	})
	return taken, err
}

// state is how a request stands.
type state struct {
	same     bool // as the one first sent under the key
	free     bool // to be taken
	answered bool
	answer   answer
}

func (s *Store) look(ctx context.Context, i id, fingerprint []byte) (state, error) {
	var st state
	var first []byte
	var lease, expiry int64
	now := time.Now().UnixMicro()
	err := s.db.QueryRowContext(ctx, `SELECT fingerprint, lease_time, answered, code, answer, expire_time
		FROM svc_idempotency WHERE method = $1 AND request_key = $2`, i.method, i.key).
		Scan(&first, &lease, &st.answered, &st.answer.code, &st.answer.bytes, &expiry)
	if errors.Is(err, sql.ErrNoRows) || err == nil && expiry < now {
		return state{same: true, free: true}, nil
	}
	st.same = bytes.Equal(first, fingerprint)
	st.free = !st.answered && lease < now
	return st, err
}

// renew prolongs the lease of an owner.
func (s *Store) renew(ctx context.Context, i id, owner string) {
	_, err := s.update(ctx, `UPDATE svc_idempotency SET lease_time = $4
		WHERE method = $1 AND request_key = $2 AND owner = $3 AND NOT answered`, i.method, i.key, owner, claim.Until())
	if err != nil {
		s.log.WarnContext(ctx, "lease of an idempotency key is not renewed", "rpc", i.rpc, "error", err)
	}
}

// afterwards is the context for what is stored after a call: the call's own time
// may be over, or its caller gone, and still it must not take for ever.
func afterwards(call context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(call), storeTimeout)
}

// release lets others take a request whose handler failed or panicked in the
// call. The fingerprint stays: the failed run may have had an effect.
func (s *Store) release(call context.Context, i id, owner string) {
	ctx, cancel := afterwards(call)
	defer cancel()
	_, err := s.update(ctx, `UPDATE svc_idempotency SET lease_time = 0
		WHERE method = $1 AND request_key = $2 AND owner = $3 AND NOT answered`, i.method, i.key, owner)
	if err != nil {
		s.log.WarnContext(ctx, "idempotency key is not released", "rpc", i.rpc, "error", err)
	}
}

const storeAnswer = `UPDATE svc_idempotency SET answered = TRUE, code = $4, answer = $5
	WHERE method = $1 AND request_key = $2 AND owner = $3 AND NOT answered`

// answer stores what the handler returned in the call, and reports whether the
// owner still had the request.
func (s *Store) answer(call context.Context, i id, owner string, a answer) (stored bool, err error) {
	ctx, cancel := afterwards(call)
	defer cancel()
	return s.update(ctx, storeAnswer, i.method, i.key, owner, a.code, a.bytes)
}

// update runs one statement in a transaction and reports whether a row changed.
func (s *Store) update(ctx context.Context, query string, args ...any) (changed bool, err error) {
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		changed, err = affected(tx.ExecContext(ctx, query, args...))
		return err
	})
	return changed, err
}

func affected(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
