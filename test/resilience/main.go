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
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/protosvc/protosvc/internal/machine"
)

// postgresURL is the variable by which scripts/with-postgres tells of its server.
const postgresURL = "PROTOSVC_TEST_POSTGRES_URL"

// postgresControl is the one that names a program that starts, stops and restarts it.
const postgresControl = "PROTOSVC_TEST_POSTGRES_CONTROL"

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
	began := time.Now()
	engines := []engine{sqlite{}}
	if url := os.Getenv(postgresURL); url != "" {
		engines = append(engines, postgres{url})
	}
	var plays []*played
	for _, e := range engines {
		for _, s := range scenarios {
			if strings.Contains(s.name, only) && s.on(e.name(), len(engines) > 1) {
				plays = append(plays, &played{scenario: s, engine: e})
			}
		}
	}
	for _, e := range engines {
		var loaded, steps, alone []*played
		for _, p := range plays {
			switch {
			case p.engine != e:
			case p.scenario.alone:
				alone = append(alone, p)
			case p.scenario.steps != nil:
				steps = append(steps, p)
			default:
				loaded = append(loaded, p)
			}
		}
		if err := playAll(ctx, loaded, steps); err != nil {
			return err
		}
		if err := playAll(ctx, alone); err != nil {
			return err
		}
		for {
			late := again(slices.Concat(loaded, steps, alone))
			if len(late) == 0 {
				break
			}
			machine.Quiet(ctx, time.Minute)
			if err := playAll(ctx, late); err != nil {
				return err
			}
		}
	}
	var results []*result
	var broken []error
	failed, unknown := 0, 0
	for _, p := range plays {
		results = append(results, p.result)
		if p.result.unknown() {
			unknown++
			continue
		}
		if len(p.result.faults()) > 0 {
			failed++
		}
		for _, fault := range p.result.faults() {
			broken = append(broken, fmt.Errorf("%s on %s: %w", p.scenario.name, p.engine.name(), fault))
		}
	}
	if only == "" && len(engines) == 2 {
		if err := writeReport("docs/resilience.md", results); err != nil {
			return err
		}
	}
	fmt.Printf("%d passed, %d failed, %d not known, in %v\n", len(results)-failed-unknown, failed, unknown, time.Since(began).Round(time.Second))
	return errors.Join(broken...)
}

// played is a scenario on an engine, and what became of it.
type played struct {
	scenario scenario
	engine   engine
	result   *result // the last one
	tries    machine.Tries
	again    bool // there may be another result
}

// again are those to play once more: a scenario could not be played or promises about
// time were not kept, and it may be the machine that stood still. Wrong books stay wrong.
func again(plays []*played) (late []*played) {
	for _, p := range plays {
		if faults := p.result.faults(); len(faults) > 0 && p.result.money.Wrong == 0 && p.again {
			fmt.Printf("%s on %s is played again: %v (the host took up to %.0f %% of the processors)\n",
				p.scenario.name, p.engine.name(), errors.Join(faults...), 100*p.result.machine.Stolen())
			late = append(late, p)
		}
	}
	return late
}

// playAll plays the scenarios of each lane one after the other, the lanes beside each
// other. It fails when it is told to stop.
func playAll(ctx context.Context, lanes ...[]*played) error {
	var players sync.WaitGroup
	for _, lane := range lanes {
		players.Go(func() {
			for _, p := range lane {
				if ctx.Err() != nil {
					return
				}
				p.result = play(ctx, p.scenario, p.engine)
				p.again = p.tries.Again(p.result.unknown())
				fmt.Println(p.result.line())
			}
		})
	}
	players.Wait()
	return context.Cause(ctx)
}
