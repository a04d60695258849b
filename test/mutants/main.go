// Command mutants changes single lines of the project and sees whether its tests
// notice.
//
// Known mutants are the patches in the folder patches: each was once a
// change that no test noticed, or that one was written for. All of them must be
// noticed. Others are made by the rules in operators.go; of a sample of them,
// drawn by a seed, most must be noticed.
//
// The working tree stays as it is: a mutant reaches the compiler as an overlay.
//
//	go run ./mutants [-root=DIR] [-o=FILE] [-known | -sample] [-only=REGEXP] [-n=200] [-seed=1] [-timeout=2m] [-j=1]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"
)

// options is what the flags say.
type options struct {
	root          string
	known, sample bool
	only          *regexp.Regexp
	n             int
	seed          uint64
	timeout       time.Duration
	jobs          int
}

func main() {
	var o options
	out := flag.String("o", "", "file for the report; standard output by default")
	only := flag.String("only", "", "regular expression of the folders to change, as in svc/policy; all by default")
	flag.StringVar(&o.root, "root", "..", "folder of the project")
	flag.BoolVar(&o.known, "known", false, "try the known mutants only")
	flag.BoolVar(&o.sample, "sample", false, "try the sample only")
	flag.IntVar(&o.n, "n", 200, "size of the sample")
	flag.Uint64Var(&o.seed, "seed", 1, "what the sample is drawn by")
	flag.DurationVar(&o.timeout, "timeout", 2*time.Minute, "what the tests of a package may take; a mutant that needs longer hangs")
	flag.IntVar(&o.jobs, "j", 1, "mutants to try at the same time")
	flag.Parse()
	// Neither is both.
	if !o.known && !o.sample {
		o.known, o.sample = true, true
	}
	ok, err := mutants(o, *only, *out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// mutants tries what the options ask for, writes the report to the file out, and
// says whether enough was noticed. An error is one of the machinery.
func mutants(o options, only, out string) (ok bool, err error) {
	if o.only, err = regexp.Compile(only); err != nil {
		return false, err
	}
	if o.root, err = filepath.Abs(o.root); err != nil {
		return false, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := run(ctx, o)
	if err != nil {
		return false, err
	}
	for _, complaint := range r.complaints() {
		fmt.Fprintln(os.Stderr, "mutants:", complaint)
	}
	ok = len(r.complaints()) == 0
	if out == "" {
		_, err = fmt.Print(r)
		return ok, err
	}
	return ok, os.WriteFile(out, []byte(r.String()), 0o644)
}

// run tries the known mutants and the sample.
func run(ctx context.Context, o options) (*report, error) {
	t, err := newTrial(o)
	if err != nil {
		return nil, err
	}
	defer t.close()
	r := &report{options: o}
	if o.known {
		if r.known, err = t.known(ctx); err != nil {
			return nil, err
		}
	}
	if o.sample {
		if r.sample, r.discarded, err = t.sample(ctx); err != nil {
			return nil, err
		}
	}
	return r, nil
}
