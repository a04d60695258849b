package main

import (
	"errors"
	"testing"
	"time"
)

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		numbers []string
		want    int
		fault   string
	}{
		{nil, len(rows), ""},
		{[]string{"5", "1"}, 2, ""},
		{[]string{"3"}, 2, ""},
		{[]string{"1", "8"}, 0, `there is no row "8"`},
	} {
		got, err := choose(test.numbers)
		if (err == nil) != (test.fault == "") || err != nil && err.Error() != test.fault || len(got) != test.want {
			t.Errorf("%v: %d rows and %v, want %d and %q", test.numbers, len(got), err, test.want, test.fault)
		}
	}
}

// Names find rows in the other process, and all rows together take less than five minutes.
func TestRows(t *testing.T) {
	names, whole := map[string]bool{}, time.Duration(0)
	for _, r := range rows {
		if names[r.name] || r.lasts > 25*time.Second {
			t.Errorf("%s is there twice or lasts %v", r.name, r.lasts)
		}
		names[r.name] = true
		whole += r.lasts + warm + aftermath
	}
	if whole > 5*time.Minute {
		t.Errorf("all rows take %v", whole)
	}
}

// healthy is a row of which nothing is wrong.
func healthy() *result {
	res := &result{alive: true, honest: &honest{}}
	res.first, res.last = rest{usage{10 << 20, 0}, 20, 40}, rest{usage{12 << 20, 0}, 21, 45}
	for range 99 {
		res.honest.old.add(time.Millisecond, nil)
		res.honest.newcomers.add(time.Millisecond, nil)
		res.honest.probes.add(time.Millisecond, nil)
	}
	return res
}

func TestVerdicts(t *testing.T) {
	late := errors.New("dial tcp 127.0.0.1:20000: refused")
	for _, test := range []struct {
		name   string
		change func(*result)
		want   map[string]string
	}{
		{"all is well", func(*result) {}, nil},
		{"one in a hundred", func(res *result) { res.honest.old.add(0, late) }, nil},
		{"it ended", func(res *result) { res.alive = false }, map[string]string{
			"the process lives": "it ended; killed for its memory: 0 times", "it comes to rest": "it ended"}},
		{"it was killed and is back", func(res *result) { res.kills = 1 }, map[string]string{
			"the process lives":                "it ended; killed for its memory: 1 times",
			"its memory stays below the limit": "0 MiB were seen of 128, and it was killed 1 times"}},
		{"the limit is reached", func(res *result) { res.peak.memory = 128 << 20 }, map[string]string{
			"its memory stays below the limit": "128 MiB were seen of 128, and it was killed 0 times"}},
		{"two in a hundred", func(res *result) {
			for range 2 {
				res.honest.old.add(0, late)
				res.honest.newcomers.add(0, late)
			}
		}, map[string]string{
			"honest callers have their answers": "99 of 101 are good; 2 ended with dial tcp …: refused",
			"callers that come anew have them":  "99 of 101 are good; 2 ended with dial tcp …: refused"}},
		{"one probe", func(res *result) { res.honest.probes.add(0, late) }, map[string]string{
			"livez and readyz answer": "99 of 100 are good; 1 ended with dial tcp …: refused"}},
		{"nobody called", func(res *result) { res.honest.old = calls{} }, map[string]string{
			"honest callers have their answers": "0 of 0 are good; 0 ended with "}},
		{"much is left", func(res *result) { res.last = rest{usage{50 << 20, 0}, 41, 141} }, map[string]string{
			"it comes to rest": "41 open files, 20 before\n141 goroutines, 40 before\n50 MiB, 10 before"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			res := healthy()
			test.change(res)
			res.judge(&base{limit: 128 << 20})
			for _, v := range res.verdicts {
				got := ""
				if v.err != nil {
					got = v.err.Error()
				}
				if got != test.want[v.what] {
					t.Errorf("%s: %q, want %q", v.what, got, test.want[v.what])
				}
			}
		})
	}
}

// A row is played again if nothing is wrong but that callers waited.
func TestLate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*result)
		want   bool
	}{
		"all is well":         {func(*result) {}, false},
		"a probe waited":      {func(res *result) { res.honest.probes.add(0, errors.New("late")) }, true},
		"and it was killed":   {func(res *result) { res.honest.probes.add(0, errors.New("late")); res.kills = 1 }, false},
		"and much is left":    {func(res *result) { res.honest.probes.add(0, errors.New("late")); res.last.goroutines = 1000 }, false},
		"and memory was full": {func(res *result) { res.honest.probes.add(0, errors.New("late")); res.peak.memory = 128 << 20 }, false},
	} {
		res := healthy()
		test.change(res)
		res.judge(&base{limit: 128 << 20})
		if got := res.late(); got != test.want {
			t.Errorf("%s: late is %v", name, got)
		}
	}
}
