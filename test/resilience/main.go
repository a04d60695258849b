// Resilience runs the flagship as processes, breaks parts of it while a load runs,
// and says what became of the calls and of the money. It writes docs/resilience.md
// and fails where a promise is not kept.
//
//	go run .                          SQLite
//	scripts/with-postgres go run .    PostgreSQL, too
//
// Run it from the root of the repository with -C, or by make resilience.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// postgresURL is the variable by which scripts/with-postgres tells of its server.
const postgresURL = "PROTOSVC_TEST_POSTGRES_URL"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "load" {
		exit(load(os.Args[2:]))
	}
	root := flag.String("root", "../..", "root of the repository")
	only := flag.String("run", "", "run the scenarios whose name contains this, and write no report")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, *root, *only))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "resilience:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, root, only string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	engines := []engine{sqlite{}}
	if url := os.Getenv(postgresURL); url != "" {
		engines = append(engines, postgres{url})
	}
	var results []result
	var broken []error
	for _, e := range engines {
		for _, s := range scenarios {
			if !strings.Contains(s.name, only) || !s.on(e.name()) {
				continue
			}
			r, err := play(ctx, s, e)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", s.name, e.name(), err)
			}
			fmt.Println(r.line())
			for _, fault := range r.faults() {
				broken = append(broken, fmt.Errorf("%s on %s: %w", s.name, e.name(), fault))
			}
			results = append(results, r)
		}
	}
	if only == "" && len(engines) == 2 {
		if err := writeReport("docs/resilience.md", results); err != nil {
			return err
		}
	}
	fmt.Printf("%d passed, %d failed\n", len(results)-len(broken), len(broken))
	return errors.Join(broken...)
}
