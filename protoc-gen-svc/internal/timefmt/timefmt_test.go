package timefmt_test

import (
	"testing"
	"time"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/timefmt"
)

func TestLargestUnit(t *testing.T) {
	tests := map[time.Duration]struct {
		n    int64
		unit string
	}{
		time.Hour:               {1, "Hour"},
		90 * time.Minute:        {90, "Minute"},
		5 * time.Second:         {5, "Second"},
		1500 * time.Millisecond: {1500, "Millisecond"},
		7 * time.Microsecond:    {7, "Microsecond"},
		3 * time.Nanosecond:     {3, "Nanosecond"},
	}
	for d, want := range tests {
		if n, unit := timefmt.LargestUnit(d); n != want.n || unit != want.unit {
			t.Errorf("LargestUnit(%v) = %d %s, want %d %s", d, n, unit, want.n, want.unit)
		}
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Minute: "10m", time.Hour: "1h", 90 * time.Minute: "1h30m", 90 * time.Second: "1m30s", 0: "0s", 20 * time.Second: "20s",
	} {
		if got := timefmt.Short(d); got != want {
			t.Errorf("Short(%v) = %q, want %q", d, got, want)
		}
	}
}
