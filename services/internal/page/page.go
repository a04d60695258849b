// Package page cuts lists into pages. A page starts after the last row of the
// page before (keyset paging), so rows that come or go meanwhile neither repeat
// nor hide others, and page 1000 is as quick as page 1.
package page

import (
	"cmp"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// ErrToken says that a token was not made by [Position.Token] for the same list.
var ErrToken = errors.New("page token is not one of this list")

// Position is the place of a row in a list that is sorted by time, then by id.
type Position struct {
	// Time in microseconds since 1970.
	Time int64
	// ID of the row; it parts rows of the same time.
	ID string
}

// Token returns the position as text that means nothing to callers. The name of
// the list keeps the token of one list from being taken by another.
func (p Position) Token(list string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + " " + strconv.FormatInt(p.Time, 10) + " " + p.ID))
}

// Parse returns the position that a token of the list stands for, or [ErrToken].
// An empty token stands for the start of the list.
func Parse(list, token string, start Position) (Position, error) {
	if token == "" {
		return start, nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return Position{}, ErrToken
	}
	parts := strings.Split(string(text), " ")
	if len(parts) != 3 || parts[0] != list || !plain(parts[2]) {
		return Position{}, ErrToken
	}
	micros, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Position{}, ErrToken
	}
	return Position{Time: micros, ID: parts[2]}, nil
}

// plain reports whether the id has only letters of identifiers. PostgreSQL would
// answer others, like NUL, with an error that reads like our fault.
func plain(id string) bool {
	return id != "" && strings.Trim(id, "0123456789abcdef-") == ""
}

// Size returns how many rows a page has: what the caller wants, or the default.
func Size(wanted, byDefault int32) int {
	return int(cmp.Or(wanted, byDefault))
}

// Cut makes a page of at most size rows. The rows hold one more if there is a
// next page; then the token of the last row is returned, else an empty one.
func Cut[T any](rows []T, size int, token func(T) string) ([]T, string) {
	if len(rows) <= size {
		return rows, ""
	}
	return rows[:size], token(rows[size-1])
}
