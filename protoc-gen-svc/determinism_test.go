package main_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDeterminism: the same contract gives the same bytes in every run, in
// whatever order the compiler names the files.
func TestDeterminism(t *testing.T) {
	c := loadCorpus(t)
	for _, one := range c.cases {
		if len(one.good) == 0 {
			continue
		}
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			want := c.generateGood(t, one)
			for run := range 5 {
				same(t, "run "+string(rune('1'+run)), want, c.generateGood(t, one))
			}
			backwards := slices.Clone(one.good)
			slices.Reverse(backwards)
			got, err := generate(c.request(one.parameter, backwards...))
			if err != nil {
				t.Fatal(err)
			}
			same(t, "files reversed", want, got)
		})
	}
}

// TestOneFileAtATime: what is generated for a file depends on that file and its
// imports only, not on what else is in the run.
func TestOneFileAtATime(t *testing.T) {
	c := loadCorpus(t)
	for _, one := range c.cases {
		if len(one.good) < 2 || parameterOf(one.parameter, "system") == "true" {
			continue
		}
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			got := map[string]string{}
			for _, file := range one.good {
				outputs, err := generate(c.request(one.parameter, file))
				if err != nil {
					t.Fatal(err)
				}
				maps.Copy(got, outputs)
			}
			same(t, "one file at a time", c.generateGood(t, one), got)
		})
	}
}

// TestFaultsAreDeterministic: so are the messages.
func TestFaultsAreDeterministic(t *testing.T) {
	c := loadCorpus(t)
	for _, one := range c.cases {
		for _, run := range one.bad {
			want := c.faults(t, one, run)
			for range 5 {
				if diff := cmp.Diff(want, c.faults(t, one, run)); diff != "" {
					t.Errorf("%s: %s", run.name, diff)
				}
			}
		}
	}
}

func same(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}
