package user

import (
	"context"
	"database/sql"
	"strings"
	"time"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/services/internal/page"
	"github.com/protosvc/protosvc/svc/database"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// columns are those of a record, in the order in which scan reads them.
const columns = `user_id, email, display_name, state, create_time, update_time`

// record is a user as stored.
type record struct {
	id, email, displayName string
	state                  userv1.UserState
	created, updated       int64 // microseconds since 1970
}

// message is the user as the contract shows it.
func (r record) message() *userv1.User {
	return &userv1.User{
		UserId:      r.id,
		Email:       r.email,
		DisplayName: r.displayName,
		State:       r.state,
		CreateTime:  timestamppb.New(time.UnixMicro(r.created)),
		UpdateTime:  timestamppb.New(time.UnixMicro(r.updated)),
	}
}

// position is the place of the user in ListUsers.
func (r record) position() page.Position { return page.Position{Time: r.created, ID: r.id} }

// emailKey is what two spellings of one address have in common.
func emailKey(email string) string { return strings.ToLower(email) }

// store keeps users. A row that is not there is sql.ErrNoRows.
type store struct{ db *database.DB }

// byID returns the user with the id.
func (s store) byID(ctx context.Context, id string) (record, error) {
	return scan(s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM users WHERE user_id = $1`, id))
}

// list returns up to limit users after the position, the oldest first.
func (s store) list(ctx context.Context, after page.Position, limit int) ([]record, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM users
		WHERE (create_time, user_id) > ($1, $2) ORDER BY create_time, user_id LIMIT $3`,
		after.Time, after.ID, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []record
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// insert stores a new user, or returns sql.ErrNoRows because the email address
// belongs to another.
func (s store) insert(ctx context.Context, r record) (record, error) {
	return s.write(ctx, `INSERT INTO users (`+columns+`, email_key) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (email_key) DO NOTHING RETURNING `+columns,
		r.id, r.email, r.displayName, stateName(r.state), r.created, r.updated, emailKey(r.email))
}

// changes are new values of a user's fields; an empty one changes nothing.
type changes struct{ email, displayName string }

// update changes an active user, or returns sql.ErrNoRows because there is none.
// An email address of another user is a unique violation.
func (s store) update(ctx context.Context, id string, c changes) (record, error) {
	return s.write(ctx, `UPDATE users SET
			email        = COALESCE(NULLIF($2, ''), email),
			email_key    = COALESCE(NULLIF($3, ''), email_key),
			display_name = COALESCE(NULLIF($4, ''), display_name),
			update_time  = $5
		WHERE user_id = $1 AND state = $6 RETURNING `+columns,
		id, c.email, emailKey(c.email), c.displayName, time.Now().UnixMicro(), stateName(active))
}

// deactivate deactivates an active user, or returns sql.ErrNoRows because there
// is none.
func (s store) deactivate(ctx context.Context, id string) (record, error) {
	return s.write(ctx, `UPDATE users SET state = $2, update_time = $3
		WHERE user_id = $1 AND state = $4 RETURNING `+columns,
		id, stateName(deactivated), time.Now().UnixMicro(), stateName(active))
}

// write runs one statement that returns the row it wrote, in a transaction: a
// lost connection then repeats it only when it had no effect.
func (s store) write(ctx context.Context, query string, args ...any) (r record, err error) {
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		r, err = scan(tx.QueryRowContext(ctx, query, args...))
		return err
	})
	return r, err
}

// scan reads the row that a query returned, a *sql.Row or *sql.Rows.
func scan(row interface{ Scan(...any) error }) (r record, err error) {
	var state string
	err = row.Scan(&r.id, &r.email, &r.displayName, &state, &r.created, &r.updated)
	r.state = stateOf(state)
	return r, err
}
