package database_test

import (
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// errChanged is that of a buyer who has to read again.
var errChanged = errors.New("the stock has changed")

// shapes are ways to decide in a transaction whether a piece is left, and to take it.
var shapes = []struct {
	name string
	take func(tx *sql.Tx) (taken bool, err error)
	// unsafe: on PostgreSQL more is sold than there is.
	unsafe bool
	// postgresOnly: SQLite does not know the syntax.
	postgresOnly bool
}{
	{name: "read, then write", unsafe: true, take: readThenTake("SELECT pieces FROM stock")},
	{name: "count, then write", unsafe: true, take: readThenTake("SELECT 10 - count(*) FROM sales")},
	{name: "conditional", take: func(tx *sql.Tx) (bool, error) {
		return changed(tx.Exec("UPDATE stock SET pieces = pieces - 1 WHERE pieces > 0"))
	}},
	{name: "compare and set", take: func(tx *sql.Tx) (bool, error) {
		pieces, err := think(tx, "SELECT pieces FROM stock")
		if err != nil || pieces <= 0 {
			return false, err
		}
		return orChanged(tx.Exec("UPDATE stock SET pieces = pieces - 1 WHERE pieces = $1", pieces))
	}},
	{name: "unique column", take: func(tx *sql.Tx) (bool, error) {
		next, err := think(tx, "SELECT count(*) FROM taken")
		if err != nil || next >= 10 {
			return false, err
		}
		return orChanged(tx.Exec("INSERT INTO taken VALUES ($1) ON CONFLICT DO NOTHING", next))
	}},
	{name: "write first", take: readThenTake("UPDATE stock SET pieces = pieces RETURNING pieces")},
	{name: "write first, then count", take: func(tx *sql.Tx) (bool, error) {
		if _, err := tx.Exec("UPDATE stock SET pieces = pieces"); err != nil {
			return false, err
		}
		return readThenTake("SELECT 10 - count(*) FROM sales")(tx)
	}},
	{name: "for update", take: readThenTake("SELECT pieces FROM stock FOR UPDATE"), postgresOnly: true},
}

// readThenTake takes a piece if the query says that one is left.
func readThenTake(query string) func(tx *sql.Tx) (bool, error) {
	return func(tx *sql.Tx) (bool, error) {
		pieces, err := think(tx, query)
		if err != nil || pieces <= 0 {
			return false, err
		}
		return changed(tx.Exec("UPDATE stock SET pieces = pieces - 1"))
	}
}

// think reads a number and gives the others the time to read the same.
func think(tx *sql.Tx, query string) (n int, err error) {
	err = tx.QueryRow(query).Scan(&n)
	time.Sleep(10 * time.Millisecond)
	return n, err
}

func changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

func orChanged(result sql.Result, err error) (bool, error) {
	done, err := changed(result, err)
	if err == nil && !done {
		err = errChanged
	}
	return done, err
}

// TestIsolation: which shapes of the package's documentation sell the 10 pieces that
// there are to 40 buyers, and which one sells more.
func TestIsolation(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, url string) {
				postgres := strings.HasPrefix(url, "postgres")
				if shape.postgresOnly && !postgres {
					t.Skip("not in SQLite's language")
				}
				sold := sell(t, url, shape.take)
				if shape.unsafe && postgres {
					if sold <= 10 {
						t.Errorf("%d of 10 sold, which looks safe and is documented as unsafe", sold)
					}
				} else if sold != 10 {
					t.Errorf("%d of 10 sold", sold)
				}
				t.Logf("%d of 10 sold", sold)
			})
		})
	}
}

// sell returns how many of 40 buyers get one of 10 pieces.
func sell(t *testing.T, url string, take func(tx *sql.Tx) (bool, error)) (sold int) {
	t.Helper()
	db := open(t, url)
	must(t, exec(t, db, "CREATE TABLE stock (pieces BIGINT NOT NULL)"))
	must(t, exec(t, db, "CREATE TABLE taken (piece BIGINT PRIMARY KEY)"))
	must(t, exec(t, db, "CREATE TABLE sales (buyer BIGINT NOT NULL)"))
	must(t, exec(t, db, "INSERT INTO stock VALUES (10)"))
	buy := func(buyer int) error {
		return db.Tx(t.Context(), func(tx *sql.Tx) error {
			taken, err := take(tx)
			if err == nil && taken {
				_, err = tx.Exec("INSERT INTO sales VALUES ($1)", buyer)
			}
			return err
		})
	}
	var all sync.WaitGroup
	for buyer := range 40 {
		all.Go(func() {
			err := buy(buyer)
			for errors.Is(err, errChanged) {
				err = buy(buyer)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return number(t, db, "SELECT count(*) FROM sales")
}

// TestTxSetsItsIsolation: the server's default is not ours.
func TestTxSetsItsIsolation(t *testing.T) {
	address := newPostgres(t)
	for _, server := range []string{"read committed", "repeatable read", "serializable"} {
		administer(t, address, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = %L', current_database(), '"+server+"'); END $$")
		db := open(t, address)
		for query, want := range map[string]string{"SHOW default_transaction_isolation": server, "SHOW transaction_isolation": "read committed"} {
			var got string
			must(t, db.Tx(t.Context(), func(tx *sql.Tx) error { return tx.QueryRow(query).Scan(&got) }))
			if got != want {
				t.Errorf("%s = %s, want %s", query, got, want)
			}
		}
	}
}
