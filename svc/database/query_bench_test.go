package database_test

import (
	"database/sql"
	"os"
	"testing"

	"github.com/protosvc/protosvc/svc/database"
)

// BenchmarkTx is what a handler asks of PostgreSQL as a rule: one row is read and
// written in a transaction.
func BenchmarkTx(b *testing.B) {
	address := os.Getenv(postgresVariable)
	if address == "" {
		b.Skip(postgresVariable + " is not set")
	}
	db, err := database.Open(b.Context(), database.Options{URL: address})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range []string{
		"DROP TABLE IF EXISTS benchmark", "CREATE TABLE benchmark (id TEXT PRIMARY KEY, n BIGINT NOT NULL)",
		"INSERT INTO benchmark VALUES ('one', 0)",
	} {
		if _, err := db.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		err := db.Tx(b.Context(), func(tx *sql.Tx) error {
			var n int64
			if err := tx.QueryRowContext(b.Context(), "SELECT n FROM benchmark WHERE id = $1 FOR UPDATE", "one").Scan(&n); err != nil {
				return err
			}
			_, err := tx.ExecContext(b.Context(), "UPDATE benchmark SET n = $1 WHERE id = $2", n+1, "one")
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
