package config

import (
	"fmt"
	"strings"
)

// unknown is the error for a name that is not among the known ones.
func unknown(what, name string, known []string) error {
	if near := nearest(name, known); near != "" {
		return fmt.Errorf("unknown %s %q (did you mean %q)", what, name, near)
	}
	return fmt.Errorf("unknown %s %q", what, name)
}

// nearest returns the known name that a person may have meant, or "".
// Case and underscores count for nothing: maxItems is max_items.
func nearest(name string, known []string) string {
	name = plain(name)
	best, limit := "", (len(name)+1)/3
	for _, candidate := range known {
		if d := distance(name, plain(candidate)); d <= limit {
			best, limit = candidate, d-1
		}
	}
	return best
}

func plain(name string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
}

// distance counts the letters to insert, remove, replace, or swap with their
// neighbour to get from a to b (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
