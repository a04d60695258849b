package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protosvc/protosvc/internal/machine"
)

func TestPlan(t *testing.T) {
	all, err := newPlan(nil)
	if err != nil || len(all.scenarios) != len(scenarios) || all.full || all.whole() {
		t.Errorf("nothing asked for: %d scenarios, full %t, whole %t, %v", len(all.scenarios), all.full, all.whole(), err)
	}
	full, err := newPlan([]string{"full"})
	if err != nil || !full.whole() || !slices.Contains(full.programs(), "prometheus") {
		t.Errorf("full: whole %t, programs %v, %v", full.whole(), full.programs(), err)
	}
	some, err := newPlan([]string{"5", "2"})
	if err != nil || len(some.scenarios) != 2 || some.scenarios[0].number != 5 || some.next() || slices.Contains(some.programs(), "prometheus") {
		t.Errorf("5 and 2: %d scenarios, %v", len(some.scenarios), err)
	}
	skewed, err := newPlan([]string{"7"})
	if err != nil || !skewed.next() || !slices.ContainsFunc(skewed.images("/x"), func(s string) bool { return s == "/x/order-next.tar" }) {
		t.Errorf("7 has the images %v, %v", skewed.images("/x"), err)
	}
	for _, arg := range []string{"99", "x", ""} {
		if _, err := newPlan([]string{"1", arg}); err == nil || !strings.Contains(err.Error(), "there is no scenario "+arg) {
			t.Errorf("%q: %v", arg, err)
		}
	}
}

// What fails shows in a report, and a report without a verdict is no success.
func TestReport(t *testing.T) {
	r := &report{}
	if r.end() == nil {
		t.Error("nothing was judged and that is a success")
	}
	r.verdict(nil, "well")
	if err := r.end(); err != nil {
		t.Error(err)
	}
	r.verdict(errFailed, "badly")
	if r.end() == nil {
		t.Error("one failed and that is a success")
	}
}

var errFailed = noneFailed(&trial{scenario: scenarios[0], calls: []call{{outcome: "503"}}})

func TestJudgements(t *testing.T) {
	good := &trial{scenario: scenarios[0], calls: []call{{outcome: "OK"}}}
	if noneFailed(good) != nil || someUnreached(good) == nil {
		t.Error("a trial without a failure is taken for one with some")
	}
	bad := &trial{scenario: scenarios[0], calls: []call{{outcome: "OK"}, {outcome: "503", detail: "down", protocol: "HTTP"}}}
	if err := noneFailed(bad); err == nil || !strings.Contains(err.Error(), "1 of 2 calls failed (HTTP 503 1)") || someUnreached(bad) == nil {
		t.Errorf("a failure is not told: %v", err)
	}
	for _, outcome := range []string{"refused", "reset"} {
		if err := someUnreached(&trial{calls: []call{{outcome: outcome}}}); err != nil {
			t.Error(err)
		}
	}
}

// A call that had no time is no failure while the machine had no processor for it, and
// any other failure is one.
func TestLate(t *testing.T) {
	began := time.Now()
	tr := &trial{
		scenario: scenarios[0],
		machine:  machine.Record{{Begin: began, End: began.Add(time.Second), Free: 0.01}, {Begin: began.Add(time.Second), End: began.Add(time.Minute), Free: 0.5}},
		calls: []call{
			{outcome: "504", start: began, took: time.Millisecond},
			{outcome: "DeadlineExceeded", start: began.Add(-time.Second), took: 2 * time.Second},
			{outcome: "timeout", start: began.Add(time.Second / 2), took: 5 * time.Second, detail: "long"},
			{outcome: "504", start: began.Add(2 * time.Second), took: time.Second, detail: "slow"},
			{outcome: "503", start: began, took: time.Millisecond},
			{outcome: "OK", start: began, took: time.Millisecond},
		},
	}
	if len(tr.late()) != 2 || len(tr.failed()) != 3 || tr.failed()[0].detail != "long" || tr.failed()[1].detail != "slow" || noneFailed(tr) == nil {
		t.Errorf("late are %v, failed are %v", tr.late(), tr.failed())
	}
	if fewLate(tr) == nil {
		t.Error("two of six calls may be late")
	}
	tr.calls = append(tr.calls, make([]call, 35)...)
	if err := fewLate(tr); err != nil {
		t.Error(err)
	}
}

func TestTimesOfFailures(t *testing.T) {
	began := time.Now()
	ended := began.Add(outage + 2*recovery)
	back := ended.Add(-2 * recovery)
	tests := []struct {
		name    string
		judge   func(*trial) error
		at      time.Time
		outcome string
		want    string // in the error; empty: none
	}{
		{"a pod is gone", brief, began.Add(notice - time.Millisecond), "503", ""},
		{"a pod is gone for too long", brief, began.Add(notice + time.Millisecond), "503", "later than 2s after it"},
		{"a call fails before", brief, began.Add(-time.Millisecond), "503", "1 calls failed before"},
		{"no database", afterDatabase, began.Add(time.Second), "503", ""},
		{"no database, over gRPC", afterDatabase, began.Add(time.Second), "Unavailable", ""},
		{"no endpoint", afterDatabase, began.Add(time.Second), "refused", ""},
		{"an internal error", afterDatabase, began.Add(time.Second), "500", "failed otherwise than it should"},
		{"just back", afterDatabase, back.Add(recovery - time.Millisecond), "503", ""},
		{"back for long", afterDatabase, back.Add(recovery + time.Millisecond), "503", "after the database was back a call failed"},
		{"nothing happens", afterDatabase, began, "OK", "no call failed without a database"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.judge(&trial{began: began, ended: ended, calls: []call{{outcome: "OK"}, {start: test.at, outcome: test.outcome}}})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
