package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"
)

func TestJudgement(t *testing.T) {
	for _, c := range []struct {
		out  string
		want verdict
		err  bool
	}{
		{"ok  \texample.com/p\t0.1s\n", survived, false},
		{"--- FAIL: TestP (0.00s)\nFAIL\nFAIL\texample.com/p\t0.1s\nFAIL\n", killed, false},
		{"panic: oh\n\ngoroutine 1\nFAIL\texample.com/p\t0.1s\nFAIL\n", killed, false},
		{"panic: test timed out after 2m0s\nFAIL\texample.com/p\t120.0s\nFAIL\n", hung, false},
		{"# example.com/p\np.go:1:1: oh\nFAIL\texample.com/p [build failed]\nFAIL\n", invalid, false},
		{"# example.com/p\nFAIL\texample.com/p [setup failed]\nFAIL\n", invalid, true},
		{"ok  \texample.com/p\t0.1s [no tests to run]\n", invalid, true},
		{"?   \texample.com/p\t[no test files]\n", invalid, true},
		{"go: no such flag\n", invalid, true},
		{"", invalid, true},
	} {
		if got, err := judgement(c.out); got != c.want || (err != nil) != c.err {
			t.Errorf("%q: %s, %v, want %s", c.out, got, err, c.want)
		}
	}
}

// project writes a small project that has a known mutant of each end.
func project(t *testing.T, limit string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	const head = "--- a/svc/p/p.go\n+++ b/svc/p/p.go\n"
	for name, content := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26\n",
		"svc/p/p.go": `package p

func Limit() int { return 7 }

func Least() int { return 3 }

func Sum(n int) (sum int) {
	for ; n > 0; n-- {
		sum = sum + n
	}
	f := Limit
	use(f)
	return sum
}

func use(any) {}
`,
		"svc/p/p_test.go": `package p

import "testing"

func Test(t *testing.T) {
	if Limit() != ` + limit + ` || Sum(2) != 3 {
		t.Fail()
	}
}
`,
		"protoc-gen-svc/internal/model/model.go": "package model\n",
		"test/mutants/patches/least.patch":       head + "@@ -5 +5 @@\n-func Least() int { return 3 }\n+func Least() int { return 30 }\n",
		"test/mutants/patches/limit.patch":       head + "@@ -3 +3 @@\n-func Limit() int { return 7 }\n+func Limit() int { return 70 }\n",
		"test/mutants/patches/sum.patch":         head + "@@ -8 +8 @@\n-\tfor ; n > 0; n-- {\n+\tfor {\n",
		"test/mutants/patches/wrong.patch":       head + "@@ -9 +9 @@\n-\t\tsum = sum + n\n+\t\tsum = many\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a dozen mutants, one of which hangs")
	}
	o := options{root: project(t, "7"), known: true, sample: true, only: regexp.MustCompile("p$"), n: 20, seed: 1, timeout: 5 * time.Second, jobs: 2}
	r, err := run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	const want = `<!-- Written by make mutants. DO NOT EDIT. -->

# Mutants

Single lines of the code are changed, one at a time, and the tests of the package must fail.
A change that makes them run until their time is over counts as killed, and is shown as hung.

## Known mutants

The patches in ` + "`test/mutants/patches`" + `: killed are 2 of 4.

| Package | Tried | Killed | Hung | Survived |
|---|---|---|---|---|
| ` + "`svc/p`" + ` | 4 | 1 | 1 | 1 |

### Not killed

- least
- wrong (does not compile)

## Sample

Drawn by the seed 1 from everything that the rules in ` + "`test/mutants/operators.go`" + ` change:
killed are 4 of 6, which is 66 % (85 % must be). 1 more did not compile.

| Package | Tried | Killed | Hung | Survived |
|---|---|---|---|---|
| ` + "`svc/p`" + ` | 6 | 4 | 0 | 2 |

### Survivors

- svc/p/p.go:5: ` + "`4` for `3`" + `
- svc/p/p.go:8: ` + "`>=` for `>` in `n > 0`" + `
`
	if got := r.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	complaints := []string{
		"known mutant least: survived",
		"known mutant wrong: invalid",
		"66 % of the sample are killed, want 85 %",
	}
	if got := r.complaints(); !slices.Equal(got, complaints) {
		t.Errorf("complaints %q, want %q", got, complaints)
	}
}

// Tests that fail without a change would kill everything.
func TestUnsound(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a package")
	}
	o := options{root: project(t, "8"), known: true, only: regexp.MustCompile("p$"), timeout: time.Minute}
	_, err := run(t.Context(), o)
	if want := "least: the tests of svc/p do not pass without a change: killed"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// A mutant for which go test itself has no end hangs; the run goes on to the next, unless
// it is to stop.
func TestNoEnd(t *testing.T) {
	run := goTest{tests: tests{pkg: "svc/p"}, root: project(t, "7"), timeout: time.Minute, patience: -time.Minute}
	if got, err := run.do(t.Context()); got != hung || err != nil {
		t.Errorf("without time: %s, %v; want hung", got, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := run.do(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v, want that it is canceled", err)
	}
}

// A draw is the same each time, and another by another seed.
func TestDraw(t *testing.T) {
	draw := func(seed uint64) []int { return shuffled(seed, 100) }
	if !slices.Equal(draw(1), draw(1)) || slices.Equal(draw(1), draw(2)) {
		t.Error("the seed does not decide")
	}
}
