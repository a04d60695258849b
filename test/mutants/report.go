package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// enough is the percentage of the sample that must be killed. Some of the others
// change nothing that a caller could see.
const enough = 85

// report is what became of the mutants.
type report struct {
	options
	known, sample []result
	// discarded are those of the sample that did not compile.
	discarded int
}

// count is how many mutants came to which end.
type count map[verdict]int

func countOf(results []result) count {
	c := count{}
	for _, r := range results {
		c[r.verdict]++
	}
	return c
}

func (c count) tried() int  { return c[killed] + c[hung] + c[survived] + c[invalid] }
func (c count) killed() int { return c[killed] + c[hung] }

// percent is rounded down: nearly enough is not enough.
func (c count) percent() int { return 100 * c.killed() / max(c.tried(), 1) }

// complaints are the reasons why the run fails.
func (r *report) complaints() []string {
	var all []string
	for _, k := range r.known {
		if k.verdict == survived || k.verdict == invalid {
			all = append(all, fmt.Sprintf("known mutant %s: %s", k.name, k.verdict))
		}
	}
	if c := countOf(r.sample); c.tried() > 0 && c.percent() < enough {
		all = append(all, fmt.Sprintf("%d %% of the sample are killed, want %d %%", c.percent(), enough))
	}
	return all
}

// String is the report in Markdown. The same code gives the same text.
func (r *report) String() string {
	var out strings.Builder
	out.WriteString("<!-- Written by make mutants. DO NOT EDIT. -->\n\n# Mutants\n\n" +
		"Single lines of the code are changed, one at a time, and the tests of the package must fail.\n" +
		"A change that makes them run until their time is over counts as killed, and is shown as hung.\n")
	if r.options.known {
		r.printKnown(&out)
	}
	if r.options.sample {
		r.printSample(&out)
	}
	return out.String()
}

func (r *report) printKnown(out *strings.Builder) {
	c := countOf(r.known)
	fmt.Fprintf(out, "\n## Known mutants\n\n"+
		"The patches in `%s`: killed are %d of %d.\n\n", patches, c.killed(), c.tried())
	printTable(out, r.known)
	printList(out, "Not killed", r.known, survived, invalid)
}

func (r *report) printSample(out *strings.Builder) {
	c := countOf(r.sample)
	fmt.Fprintf(out, "\n## Sample\n\n"+
		"Drawn by the seed %d from everything that the rules in `test/mutants/operators.go` change:\n"+
		"killed are %d of %d, which is %d %% (%d %% must be). %d more did not compile.\n\n",
		r.seed, c.killed(), c.tried(), c.percent(), enough, r.discarded)
	printTable(out, r.sample)
	printList(out, "Survivors", r.sample, survived)
}

// printTable counts by folder.
func printTable(out *strings.Builder, results []result) {
	by := map[string][]result{}
	for _, r := range results {
		folder := strings.Join(r.folders(), ", ")
		by[folder] = append(by[folder], r)
	}
	out.WriteString("| Package | Tried | Killed | Hung | Survived |\n|---|---|---|---|---|\n")
	for _, folder := range slices.Sorted(maps.Keys(by)) {
		c := countOf(by[folder])
		fmt.Fprintf(out, "| `%s` | %d | %d | %d | %d |\n", folder, c.tried(), c[killed], c[hung], c[survived])
	}
}

// printList names the mutants that came to one of the ends, by file and line.
func printList(out *strings.Builder, title string, results []result, ends ...verdict) {
	chosen := slices.DeleteFunc(slices.Clone(results), func(r result) bool { return !slices.Contains(ends, r.verdict) })
	if len(chosen) == 0 {
		return
	}
	slices.SortStableFunc(chosen, func(a, b result) int { return strings.Compare(a.name, b.name) })
	fmt.Fprintf(out, "\n### %s\n\n", title)
	for _, r := range chosen {
		fmt.Fprintf(out, "- %s", r.name)
		if r.verdict == invalid {
			out.WriteString(" (does not compile)")
		}
		out.WriteString("\n")
	}
}
