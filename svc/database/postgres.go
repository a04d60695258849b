package database

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// postgres is reached through lib/pq.
//
// The lock belongs to the transaction, not to the session: it ends with the
// transaction whatever happens, and also works through a connection pooler that
// hands every transaction to another session. Its number is the CRC-32 of
// "schema_migrations"; advisory locks are per database.
var postgres = engine{
	open: openPostgres,
	lock: "SELECT pg_advisory_xact_lock(4156727022)",
}

// idleLifetime is how long an unused connection is kept. Short enough to follow
// a fail-over behind one address, and to forget connections that a firewall has.
const idleLifetime = 5 * time.Minute

func openPostgres(o Options) (*sql.DB, error) {
	// Checked first, because the errors of the parser quote the whole URL.
	if _, err := url.Parse(o.URL); err != nil {
		return nil, errors.New("database URL cannot be parsed (special characters in user or password must be percent-encoded)")
	}
	cfg, err := pq.NewConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = o.ConnectTimeout
	}
	if cfg.ApplicationName == "" {
		cfg.ApplicationName = o.Application
	}
	connector, err := pq.NewConnectorConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	connector.Dialer(newDialer())
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(o.MaxConnections)
	pool.SetMaxIdleConns(o.MaxConnections)
	pool.SetConnMaxIdleTime(idleLifetime)
	return pool, nil
}

func postgresUnique(err error) bool {
	return pq.As(err, pqerror.UniqueViolation) != nil
}

func postgresRetryable(err error) bool {
	return pq.As(err,
		pqerror.TRSerializationFailure, pqerror.TRDeadlockDetected,
		pqerror.CannotConnectNow, pqerror.TooManyConnections) != nil
}

// postgresConnectionLost knows the answers with which a server says goodbye.
func postgresConnectionLost(err error) bool {
	e := pq.As(err)
	if e == nil {
		return false
	}
	switch e.Code {
	case pqerror.AdminShutdown, pqerror.CrashShutdown, pqerror.TRStatementCompletionUnknown:
		return true
	}
	return e.Code.Class() == pqerror.ClassConnectionException
}
