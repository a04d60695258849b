//go:build !nosqlite

package database_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing/fstest"
	"time"

	"github.com/protosvc/protosvc/svc/database"
)

func ExampleDB_Tx() {
	ctx := context.Background()
	db, err := database.Open(ctx, database.Options{URL: "sqlite::memory:"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	err = db.Migrate(ctx, fstest.MapFS{
		"0001_users.sql": {Data: []byte(`CREATE TABLE users (id TEXT PRIMARY KEY, created_at BIGINT NOT NULL)`)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		err := db.Tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO users VALUES ($1, $2)", "ada", time.Now().UnixMicro())
			return err
		})
		fmt.Println("exists already:", database.IsUniqueViolation(err))
	}
	// Output:
	// exists already: false
	// exists already: true
}
