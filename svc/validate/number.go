package validate

import "time"

// Finite reports whether x is neither infinite nor NaN.
func Finite[T float32 | float64](x T) bool {
	return x-x == 0 // infinity less itself is NaN
}

// Near reports whether the distance of t from the present is at most d.
func Near(t time.Time, d time.Duration) bool {
	now := time.Now()
	return !t.Before(now.Add(-d)) && !t.After(now.Add(d))
}
