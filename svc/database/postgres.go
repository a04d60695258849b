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
	open:   openPostgres,
	lock:   "SELECT pg_advisory_xact_lock(4156727022)",
	exists: "SELECT to_regclass($1) IS NOT NULL",
}

// idleLifetime is how long an unused connection is kept. Short enough to follow
// a fail-over behind one address, and to forget connections that a firewall has.
const idleLifetime = 5 * time.Minute

func openPostgres(o Options) (*sql.DB, func() error, error) {
	// Checked first, because the errors of the parser quote the whole URL.
	if _, err := url.Parse(o.URL); err != nil {
		return nil, nil, errors.New("database URL cannot be parsed (special characters in user or password must be percent-encoded)")
	}
	cfg, err := pq.NewConfig(o.URL)
	if err != nil {
		return nil, nil, fmt.Errorf("database URL: %w", err)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = o.ConnectTimeout
	}
	if cfg.ApplicationName == "" {
		cfg.ApplicationName = o.Application
	}
	server, err := pq.NewConnectorConfig(cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("database URL: %w", err)
	}
	server.Dialer(newDialer())
	pool := sql.OpenDB(connector{Connector: server})
	pool.SetMaxOpenConns(o.MaxConnections)
	pool.SetMaxIdleConns(o.MaxConnections)
	pool.SetConnMaxIdleTime(idleLifetime)
	return pool, nil, nil
}

func postgresUnique(err error) bool {
	return pq.As(err, pqerror.UniqueViolation) != nil
}

// postgresMeanings has the SQLSTATEs that mean something to callers, and classes
// of them, which stand for what has no row of its own. lib/pq makes
// driver.ErrBadConn of every FATAL answer over a connection, so that the codes of
// a shutdown are seen here only where a pooler sends them as an ordinary error.
var postgresMeanings = map[pqerror.Code]meaning{
	"08":                                 gone, // connection exception
	pqerror.TRStatementCompletionUnknown: gone,
	pqerror.AdminShutdown:                gone,
	pqerror.CrashShutdown:                gone,
	pqerror.CannotConnectNow:             gone, // starting up, shutting down, in recovery
	pqerror.TooManyConnections:           gone,
	pqerror.ReadOnlySQLTransaction:       gone, // the server is no longer the primary

	pqerror.TRSerializationFailure: conflict,
	pqerror.TRDeadlockDetected:     conflict,

	"53": full, // insufficient resources: disk full, out of memory, a configured limit

	pqerror.CharacterNotInRepertoire: unstorable,
	pqerror.UntranslatableCharacter:  unstorable,
}

func postgresMeaning(err error) (m meaning, found bool) {
	e := pq.As(err)
	if e == nil {
		return meaning{}, false
	}
	if m, found = postgresMeanings[e.Code]; !found {
		m, found = postgresMeanings[pqerror.Code(e.Code.Class())]
	}
	return m, found
}

// postgresReadOnly reports whether a statement wanted to write where only reading
// is allowed.
func postgresReadOnly(err error) bool { return pq.As(err, pqerror.ReadOnlySQLTransaction) != nil }
