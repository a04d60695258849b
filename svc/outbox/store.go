package outbox

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/protosvc/protosvc/svc/database"
	"github.com/protosvc/protosvc/svc/internal/claim"
)

// message is a row of the outbox.
type message struct {
	id, method, key    string
	request, headers   []byte
	owner              string
	attempts, failures int
}

// store is the table svc_outbox.
type store struct{ db *database.DB }

// insert adds a message behind those of its key, due at the given time.
func (s store) insert(ctx context.Context, tx *sql.Tx, m message, due time.Time) error {
	now := time.Now().UnixMicro()
	var last int64
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM svc_outbox WHERE message_key = $1`, m.key).Scan(&last)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO svc_outbox
			(id, method, message_key, seq, request, headers, enqueue_time, due_time, owner, attempts, failures, parked, last_error)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0, 0, FALSE, '')`,
		m.id, m.method, m.key, max(now, last+1), m.request, m.headers, now, due.UnixMicro())
	return err
}

const claimed = `UPDATE svc_outbox SET owner = $3, due_time = $4, attempts = attempts + 1 WHERE `

const columns = ` RETURNING id, method, message_key, request, headers, owner, attempts, failures`

// claimDue takes messages of a method that are due and the first of their keys.
// On PostgreSQL, of two who claim the same row, the second one waits and then
// sees a due_time in the future.
func (s store) claimDue(ctx context.Context, method string, limit int) ([]message, error) {
	now := time.Now().UnixMicro()
	// Asked first without a transaction: most of the time nothing is due, and a
	// transaction of SQLite is the only one that may write.
	const due = ` FROM svc_outbox m WHERE m.method = $1 AND m.due_time <= $2 AND NOT m.parked AND NOT EXISTS
		(SELECT 1 FROM svc_outbox e WHERE e.message_key = m.message_key AND (e.seq, e.id) < (m.seq, m.id))`
	var one int
	err := s.db.QueryRowContext(ctx, `SELECT 1`+due+` LIMIT 1`, method, now).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return s.claim(ctx, claimed+`due_time <= $2 AND NOT parked AND id IN (SELECT m.id`+due+` ORDER BY m.due_time LIMIT $5)`+columns,
		method, now, claim.Token(), claim.Until(), limit)
}

// claimKey takes the first message of a key unless somebody delivers it, due or
// not, parked or not.
func (s store) claimKey(ctx context.Context, method, key string) ([]message, error) {
	return s.claim(ctx, claimed+`method = $1 AND (owner = '' OR due_time <= $2)
			AND id = (SELECT id FROM svc_outbox WHERE message_key = $5 ORDER BY seq, id LIMIT 1)`+columns,
		method, time.Now().UnixMicro(), claim.Token(), claim.Until(), key)
}

func (s store) claim(ctx context.Context, query string, args ...any) (out []message, err error) {
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		out = nil
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m message
			if err := rows.Scan(&m.id, &m.method, &m.key, &m.request, &m.headers, &m.owner, &m.attempts, &m.failures); err != nil {
				return err
			}
			out = append(out, m)
		}
		return rows.Err()
	})
	return out, err
}

// pending reports whether messages of a method and key are left.
func (s store) pending(ctx context.Context, method, key string) (yes bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM svc_outbox WHERE method = $1 AND message_key = $2)`, method, key).Scan(&yes)
	return yes, err
}

// errLost says that another one has taken a message over after the lease ended.
var errLost = errors.New("the lease of the message was lost")

// settle takes a message out and handles its outcome, in one transaction.
func (s store) settle(ctx context.Context, m message, outcome func(*sql.Tx) error) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		if err := own(tx.ExecContext(ctx, `DELETE FROM svc_outbox WHERE id = $1 AND owner = $2`, m.id, m.owner)); err != nil {
			return err
		}
		return outcome(tx)
	})
}

// postpone gives a message back. One that is parked stays so.
func (s store) postpone(ctx context.Context, m message, due time.Time, failures int, parked bool, cause error) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		return own(tx.ExecContext(ctx, `UPDATE svc_outbox SET owner = '', due_time = $3, failures = $4, parked = parked OR $5, last_error = $6
			WHERE id = $1 AND owner = $2`, m.id, m.owner, due.UnixMicro(), failures, parked, cause.Error()))
	})
}

// renew prolongs the lease of a message.
func (s store) renew(ctx context.Context, m message) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		return own(tx.ExecContext(ctx, `UPDATE svc_outbox SET due_time = $3 WHERE id = $1 AND owner = $2`, m.id, m.owner, claim.Until()))
	})
}

// own is for statements that change the row of an owner.
func own(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); n == 0 {
		return errors.Join(errLost, err)
	}
	return nil
}
