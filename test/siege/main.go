// Command siege holds the order service of the flagship against one client without
// credentials that wants to take a replica down, and honest callers beside it.
//
//	go run ./siege -root ..           all rows, and docs/siege.md
//	go run ./siege -root .. 1 5       the rows of these numbers, and no report but for -o
//	go run ./siege -root .. -bare     each row on grpc-go's and grpc-gateway's defaults, too
//
// Each row starts a replica of its own, built as for the image but with SQLite, in a
// memory cgroup with the limit of the generated Deployment. The hostile client is another
// process. Without root or cgroups the replica has no limit and what it takes is only
// watched.
//
// Nothing is left in the end: processes die with this one, and the cgroup is removed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// replays is how often a row is played again in which callers waited.
const replays = 4

func main() {
	if len(os.Args) > 1 && os.Args[1] == hostile {
		exit(attack(os.Args[2:]))
	}
	root := flag.String("root", "..", "root of the repository")
	out := flag.String("o", "", "report; default docs/siege.md, if all rows are run")
	beside := flag.Bool("bare", false, "play each row on a server with bare defaults, too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, *root, *out, *beside, flag.Args()))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "siege:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run plays the rows of the numbers, or all.
func run(ctx context.Context, root, out string, beside bool, numbers []string) error {
	chosen, err := choose(numbers)
	if err != nil {
		return err
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	if out == "" && len(numbers) == 0 {
		out = "docs/siege.md"
	}
	b, err := raise(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	if beside {
		if err := b.buildBare(ctx); err != nil {
			return err
		}
	}
	r := &report{began: time.Now()}
	for _, row := range chosen {
		res, err := b.play(ctx, order, row)
		for n := 0; n < replays && err == nil && res.late(); n++ {
			fmt.Printf("      %s  %s is played again: %s\n", row.number, row.name, res.numbers())
			res, err = b.play(ctx, order, row)
		}
		if err == nil && beside {
			res.bare, err = b.play(ctx, bare, row)
		}
		if err != nil {
			return fmt.Errorf("row %s, %s: %w", row.number, row.name, err)
		}
		r.add(res)
	}
	if out != "" {
		if err := r.write(out, b); err != nil {
			return err
		}
	}
	return r.end()
}
