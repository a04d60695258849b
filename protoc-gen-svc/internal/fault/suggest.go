package fault

import "fmt"

// DidYouMean is the nearest candidate as a hint, ` (did you mean "x"?)`; empty when
// none is near.
func DidYouMean(name string, candidates []string) string {
	if near := Suggest(name, candidates); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// Suggest returns the candidate that the author most likely meant, for "did you
// mean"; empty when none is near. Of equally near ones it takes the first.
func Suggest(name string, candidates []string) string {
	best, nearest := "", len(name)/3+2 // a third of the letters may be wrong
	for _, candidate := range candidates {
		if d := distance(name, candidate); d < nearest {
			best, nearest = candidate, d
		}
	}
	return best
}

// distance counts the bytes to insert, delete, replace or swap with their
// neighbour (the optimal string alignment distance) to make b of a.
//
// Package config of the runtime has the same for keys of config files. What is
// internal to svc is closed to the plugin, and twenty lines are no reason for a
// public package between the two.
func distance(a, b string) int {
	before := make([]int, len(b)+1) // the row before the last one
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
