package health

import (
	"fmt"
	"strings"
)

// Report is the outcome of several checks in the order in which they were added.
type Report []Result

// Result is the outcome of one check.
type Result struct {
	Name     string
	Optional bool  // a fault degrades the service, no more
	Err      error // nil: all is well
}

// Status of a result, and of a report the worst of its results.
type Status string

// The three states, from good to bad.
const (
	OK       Status = "ok"
	Degraded Status = "degraded"
	Failed   Status = "failed"
)

// Status of one check.
func (r Result) Status() Status {
	switch {
	case r.Err == nil:
		return OK
	case r.Optional:
		return Degraded
	}
	return Failed
}

// Failures says what failed, and why.
func (r Report) Failures() string {
	var all []string
	for _, result := range r {
		if result.Status() == Failed {
			all = append(all, fmt.Sprintf("%s: %v", result.Name, result.Err))
		}
	}
	return strings.Join(all, "; ")
}

// Status is Failed if one result is, else Degraded if one is, else OK. Degraded
// counts as healthy.
func (r Report) Status() Status {
	worst := OK
	for _, result := range r {
		switch result.Status() {
		case Failed:
			return Failed
		case Degraded:
			worst = Degraded
		}
	}
	return worst
}
