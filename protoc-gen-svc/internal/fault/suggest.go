package fault

import (
	"fmt"

	"github.com/protosvc/protosvc/internal/spelling"
)

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
		if d := spelling.Distance(name, candidate); d < nearest {
			best, nearest = candidate, d
		}
	}
	return best
}
