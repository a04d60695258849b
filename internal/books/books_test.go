package books

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"
)

func open(t *testing.T, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1) // which waits where a second one would find the file locked
	t.Cleanup(func() { _ = db.Close() })
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestCompare(t *testing.T) {
	tests := []struct {
		orders, payments, accepted string
		want                       []string
	}{
		{"a CONFIRMED, b REJECTED, c CANCELLED", "a AUTHORIZED, b DECLINED, c REFUNDED", "a b c", nil},
		{"a CONFIRMED", "a AUTHORIZED, a AUTHORIZED", "", []string{"order a is CONFIRMED, its payments are [AUTHORIZED AUTHORIZED]"}},
		{"a CONFIRMED", "", "", []string{"order a is CONFIRMED, its payments are []"}},
		{"a PENDING", "a AUTHORIZED", "", []string{"order a is PENDING, its payments are [AUTHORIZED]"}},
		{"a CANCELLED", "a AUTHORIZED", "", []string{"order a is CANCELLED, its payments are [AUTHORIZED]"}},
		{"", "a AUTHORIZED", "", []string{"payment a is for no order"}},
		{"", "", "a", []string{"order a was accepted and is lost"}},
	}
	for _, test := range tests {
		t.Run(test.orders+"; "+test.payments+"; "+test.accepted, func(t *testing.T) {
			order := open(t, append([]string{"CREATE TABLE orders (order_id TEXT, state TEXT)"}, inserts("orders", test.orders)...)...)
			payment := open(t, append([]string{"CREATE TABLE payments (reference TEXT, state TEXT)"}, inserts("payments", test.payments)...)...)
			got, err := Compare(t.Context(), order, payment, strings.Fields(test.accepted))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Problems); diff != "" || got.Wrong != len(test.want) {
				t.Errorf("%d wrong, problems (-want +got):\n%s", got.Wrong, diff)
			}
		})
	}
}

func inserts(table, rows string) (all []string) {
	for row := range strings.SplitSeq(rows, ", ") {
		if key, value, ok := strings.Cut(row, " "); ok {
			all = append(all, fmt.Sprintf("INSERT INTO %s VALUES ('%s', '%s')", table, key, value))
		}
	}
	return all
}

// What is under way when one looks for the first time is settled somewhat later.
func TestSettled(t *testing.T) {
	order := open(t, "CREATE TABLE orders (order_id TEXT, state TEXT)", "INSERT INTO orders VALUES ('a', 'PENDING')")
	payment := open(t, "CREATE TABLE payments (reference TEXT, state TEXT)", "INSERT INTO payments VALUES ('a', 'AUTHORIZED')")
	if r, err := Settled(t.Context(), order, payment, nil, 0); err != nil || r.Wrong != 1 {
		t.Fatalf("at once: %+v, %v", r, err)
	}
	done := make(chan Result)
	go func() {
		r, err := Settled(t.Context(), order, payment, nil, time.Minute)
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	if _, err := order.ExecContext(t.Context(), "UPDATE orders SET state = 'CONFIRMED'"); err != nil {
		t.Error(err)
	}
	if r := <-done; r.Wrong != 0 || r.Orders != 1 || r.Payments != 1 {
		t.Errorf("in the end: %+v", r)
	}
}
