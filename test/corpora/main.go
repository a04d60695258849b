// Command corpora generates for proto files that nobody wrote for us, and builds
// and checks what comes out: Go packages, binaries, deployment files.
//
// The files come from pinned Go modules (pins) and from the folder own. None of
// them has an annotation of ours. Everything is written below the user's cache
// folder, or below -dir; nothing of it is committed.
//
//	go run . [-dir=DIR] [-only=REGEXP]
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

func main() {
	cache, _ := os.UserCacheDir() // without one, -dir says where
	dir := flag.String("dir", filepath.Join(cache, "protosvc", "corpora"), "folder for copies, outputs and binaries")
	only := flag.String("only", "", "regular expression of the corpora to try; all by default")
	flag.Parse()
	r, err := run(*dir, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpora:", err)
		os.Exit(2)
	}
	fmt.Print(r)
	if len(r.failures) > 0 {
		os.Exit(1)
	}
}

// run tries the corpora whose names match. An error is one of the machinery;
// what is wrong with a corpus is in the report.
func run(dir, only string) (*report, error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	w, err := open(dir)
	if err != nil {
		return nil, err
	}
	r := &report{}
	for _, c := range corpora {
		if wanted.MatchString(c.name) {
			w.corpora = append(w.corpora, c)
		}
	}
	for _, step := range []struct {
		about string
		do    func(*report) error
	}{
		{"generating", w.generate},
		{"compiling and vetting", w.build},
		{"reading manifests", w.readManifests},
		{"starting services", w.start},
	} {
		began := time.Now()
		if err := step.do(r); err != nil {
			return nil, fmt.Errorf("%s: %w", step.about, err)
		}
		fmt.Fprintf(os.Stderr, "corpora: %s: %v\n", step.about, time.Since(began).Round(time.Second))
	}
	return r, nil
}
