package config

import (
	"fmt"
	"strings"

	"github.com/protosvc/protosvc/internal/spelling"
	"github.com/protosvc/protosvc/svc/internal/cut"
)

// unknown is the error for a name that is not among the known ones.
func unknown(what, name string, known []string) error {
	return &unknownError{what, name, known}
}

// maxName is how many bytes of a name an error shows: a file that is no config may have
// a line of any length for one.
const maxName = 128

// unknownError looks for a suggestion only when somebody reads it.
type unknownError struct {
	what, name string
	known      []string
}

func (e *unknownError) Error() string {
	if near := nearest(e.name, e.known, likely(e.name)); near != "" {
		return fmt.Sprintf("unknown %s %q (did you mean %q)", e.what, cut.Text(e.name, maxName), near)
	}
	return fmt.Sprintf("unknown %s %q", e.what, cut.Text(e.name, maxName))
}

// likely is how many letters a person may have got wrong in a name.
func likely(name string) int { return (len(plain(name)) + 1) / 3 }

// nearest returns the known name that a person may have meant, or "": the one with
// the fewest letters wrong, and limit at the most. Case and underscores count for
// nothing: maxItems is max_items.
func nearest(name string, known []string, limit int) string {
	name = plain(name)
	best := ""
	for _, candidate := range known {
		other := plain(candidate)
		if max(len(name)-len(other), len(other)-len(name)) > limit {
			continue // so is the distance, which takes the product of both to count
		}
		if d := spelling.Distance(name, other); d <= limit {
			best, limit = candidate, d-1
		}
	}
	return best
}

var separators = strings.NewReplacer("_", "", "-", "")

func plain(name string) string { return separators.Replace(strings.ToLower(name)) }
