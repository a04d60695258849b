package database

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/protosvc/protosvc/svc/internal/sleep"
)

// connector wraps a driver so that each of its errors says what it means (see
// [meaning]), whichever way it takes to the handler: through DB, through a
// transaction, a prepared statement or the rows of a query. The error of the
// driver stays in the chain.
//
// It also waits, until the context ends, for a lock that the driver does not wait
// for: waits tells by the error.
type connector struct {
	driver.Connector
	waits func(error) bool // nil: never
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := patiently(ctx, c.waits, func() (driver.Conn, error) { return c.Connector.Connect(ctx) })
	if err != nil {
		return nil, explain(ctx, err)
	}
	return &conn{driverConn: inner.(driverConn), waits: c.waits}, nil
}

// lockPoll is how often a statement that waits for a lock asks for it.
const lockPoll = 2 * time.Millisecond

// patiently repeats what fails for want of a lock.
func patiently[T any](ctx context.Context, waits func(error) bool, try func() (T, error)) (T, error) {
	v, err := try()
	if err == nil || waits == nil || !waits(err) {
		return v, err
	}
	ctx, cancel := withLongestWait(ctx)
	defer cancel()
	for waits(err) && sleep.For(ctx, lockPoll) {
		v, err = try()
	}
	return v, err
}

// driverConn is what the connections of both drivers can do.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// conn is one connection. Like every driver.Conn it is used by one goroutine at
// a time.
type conn struct {
	driverConn
	waits    func(error) bool
	lost     bool
	begun    bool // it is in a transaction
	readOnly bool // which was begun so
}

// waitsFor is what a statement may wait for: nothing in a transaction, which has
// its lock or, begun to read, must begin anew to get it; and nothing if it is
// several, of which the first may have succeeded.
func (c *conn) waitsFor(query string) func(error) bool {
	if c.begun || strings.Contains(strings.TrimRight(query, "; \t\r\n"), ";") {
		return nil
	}
	return c.waits
}

// explain is the function explain, and remembers a connection that is lost.
func (c *conn) explain(ctx context.Context, err error) error {
	if err == nil || c.readOnly && postgresReadOnly(err) {
		return err
	}
	c.lost = c.lost || meaningOf(err).lost
	return explain(ctx, err)
}

// explain puts before an error what it means to the caller of the service.
func explain(ctx context.Context, err error) error {
	switch says := meaningOf(err).says; {
	case err == nil, err == driver.ErrSkip: //nolint:errorlint // database/sql compares likewise
		return err
	case over(ctx):
		// The drivers report an interrupted statement in their own words.
		return fmt.Errorf("%w: %w", cmp.Or(ctx.Err(), context.DeadlineExceeded), err)
	case says != nil:
		return says.WithCause(err)
	}
	return err
}

// over reports whether ctx has ended. A network error at its deadline may come
// before its timer does.
func over(ctx context.Context) bool {
	deadline, bounded := ctx.Deadline()
	return ctx.Err() != nil || bounded && !time.Now().Before(deadline)
}

// IsValid is asked before a connection goes back into the pool.
func (c *conn) IsValid() bool { return !c.lost && c.driverConn.IsValid() }

func (c *conn) Ping(ctx context.Context) error { return c.explain(ctx, c.driverConn.Ping(ctx)) }

func (c *conn) ResetSession(ctx context.Context) error {
	return c.explain(ctx, c.driverConn.ResetSession(ctx))
}

// CheckNamedValue is for arguments that only the driver can convert.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.driverConn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := patiently(ctx, c.waitsFor(query), func() (driver.Result, error) {
		return c.driverConn.ExecContext(ctx, query, args)
	})
	return result, c.explain(ctx, err)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	inner, err := patiently(ctx, c.waitsFor(query), func() (driver.Rows, error) {
		return c.driverConn.QueryContext(ctx, query, args)
	})
	return c.rows(ctx, inner, err)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	inner, err := c.driverConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	// lib/pq's COPY is a statement without contexts. It stays as it is.
	if s, ok := inner.(driverStmt); ok {
		return &stmt{s, c, query}, nil
	}
	return inner, nil
}

func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	inner, err := patiently(ctx, c.waits, func() (driver.Tx, error) { return c.driverConn.BeginTx(ctx, o) })
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	c.begun, c.readOnly = true, o.ReadOnly
	return &tx{inner, ctx, c}, nil
}

// tx is a transaction of a conn.
type tx struct {
	driver.Tx
	ctx  context.Context
	conn *conn
}

func (t *tx) Commit() error   { return t.ended(t.Tx.Commit()) }
func (t *tx) Rollback() error { return t.ended(t.Tx.Rollback()) }

func (t *tx) ended(err error) error {
	t.conn.begun, t.conn.readOnly = false, false
	return t.conn.explain(t.ctx, err)
}

// driverStmt is what the prepared statements of both drivers can do.
type driverStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// stmt is a prepared statement of a conn.
type stmt struct {
	driverStmt
	conn  *conn
	query string
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	result, err := patiently(ctx, s.conn.waitsFor(s.query), func() (driver.Result, error) {
		return s.driverStmt.ExecContext(ctx, args)
	})
	return result, s.conn.explain(ctx, err)
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	inner, err := patiently(ctx, s.conn.waitsFor(s.query), func() (driver.Rows, error) {
		return s.driverStmt.QueryContext(ctx, args)
	})
	return s.conn.rows(ctx, inner, err)
}

// driverRows is what the rows of both drivers can do.
type driverRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// rows are the answer to a query on a conn.
type rows struct {
	driverRows
	ctx  context.Context
	conn *conn
}

func (c *conn) rows(ctx context.Context, inner driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	return &rows{inner.(driverRows), ctx, c}, nil
}

// Next returns io.EOF itself after the last row.
func (r *rows) Next(dest []driver.Value) error {
	err := r.driverRows.Next(dest)
	if err == io.EOF { //nolint:errorlint // database/sql compares likewise
		return err
	}
	return r.conn.explain(r.ctx, err)
}

// HasNextResultSet is lib/pq's, where one query may be several statements.
func (r *rows) HasNextResultSet() bool {
	more, ok := r.driverRows.(driver.RowsNextResultSet)
	return ok && more.HasNextResultSet()
}

func (r *rows) NextResultSet() error {
	if more, ok := r.driverRows.(driver.RowsNextResultSet); ok {
		return more.NextResultSet()
	}
	return io.EOF
}

// ColumnTypeNullable is SQLite's.
func (r *rows) ColumnTypeNullable(column int) (nullable, known bool) {
	if r, ok := r.driverRows.(driver.RowsColumnTypeNullable); ok {
		return r.ColumnTypeNullable(column)
	}
	return false, false
}
