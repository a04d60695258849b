package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// report is what was tried and what went wrong. Its methods may be called by
// several goroutines.
type report struct {
	mu       sync.Mutex
	corpora  int
	files    int
	services int
	packages int
	failures []failure
}

// failure is one thing that is wrong.
type failure struct {
	corpus string
	// file is a proto file, or one that was generated; empty where nobody said.
	file    string
	message string
}

func (r *report) fail(corpus, file, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, failure{corpus, file, strings.TrimSpace(fmt.Sprintf(format, args...))})
}

func (r *report) failed(corpus string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.failures, func(f failure) bool { return f.corpus == corpus })
}

func (r *report) count(files, services int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.corpora++
	r.files += files
	r.services += services
}

// String lists the failures by corpus; the last line counts everything.
func (r *report) String() string {
	var out strings.Builder
	slices.SortStableFunc(r.failures, func(a, b failure) int {
		return cmp.Or(strings.Compare(a.corpus, b.corpus), strings.Compare(a.file, b.file))
	})
	for _, f := range r.failures {
		for _, where := range []string{f.corpus, f.file} {
			if where != "" {
				out.WriteString(where + ": ")
			}
		}
		out.WriteString(strings.ReplaceAll(f.message, "\n", "\n    ") + "\n")
	}
	fmt.Fprintf(&out, "%d corpora, %d files, %d services, %d packages built, %d failures\n",
		r.corpora, r.files, r.services, r.packages, len(r.failures))
	return out.String()
}
