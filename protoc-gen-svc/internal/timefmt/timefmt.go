// Package timefmt writes durations as people and Go code do.
package timefmt

import (
	"strings"
	"time"
)

// Short is a duration as people write it, "5m" where Go says "5m0s".
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// units are the constants of package time, the largest first.
var units = []struct {
	size time.Duration
	name string
}{
	{time.Hour, "Hour"},
	{time.Minute, "Minute"},
	{time.Second, "Second"},
	{time.Millisecond, "Millisecond"},
	{time.Microsecond, "Microsecond"},
}

// LargestUnit is a duration as a whole number of the largest unit in which it is
// one, named as in package time: 90, "Minute".
func LargestUnit(d time.Duration) (n int64, unit string) {
	for _, u := range units {
		if d%u.size == 0 {
			return int64(d / u.size), u.name
		}
	}
	return int64(d), "Nanosecond"
}
