// Command e2e gives the generated manifests to a real Kubernetes, built from its
// released modules, and judges what becomes of them.
//
//	go run ./e2e -root .. api
//	go run ./e2e -root .. run [full] [NUMBER...]
//	go run ./e2e -root .. up
//	go run ./e2e -root .. probe
//	go run ./e2e -root .. programs
//
// The part api starts a store and an API server on the loopback, without a node: it
// applies every rendering as kubectl apply --server-side would, and wants broken
// objects refused. It needs no root.
//
// The parts run and up start nodes, too, with the flagship on them: run plays scenarios
// under load, those of the numbers or all, with a monitoring where it says full, and up
// leaves the flagship to you until you end it.
// They want root on Debian, and a machine that has room for namespaces and cgroups, which
// probe finds out. The cluster lives in namespaces of its own and in memory;
// nothing of it is left in the end.
//
// The part programs builds what the part api starts, and prints the folder as its last line.
//
// Programs, images and logs are kept in $PROTOSVC_CACHE or ~/.cache/protosvc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usage = "usage: e2e [-root DIR] api | run [full] [NUMBER...] | up | probe | programs"

func main() {
	root := flag.String("root", "..", "root of the repository")
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), usage) }
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root, flag.Arg(0), flag.Args()[min(1, flag.NArg()):]); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
}

// The parts that a cluster begins with are followed by others: as the first process of
// its namespaces, and as the child of the databases.
func run(ctx context.Context, root, part string, args []string) error {
	r := &report{began: time.Now()}
	switch part {
	case "api":
		if err := runAPI(ctx, root, r); err != nil {
			return err
		}
		return r.end()
	case "programs":
		folder, _, err := binaries(ctx, root, r, apiPrograms)
		if err != nil {
			return err
		}
		fmt.Println(folder)
		return nil
	case "run":
		p, err := newPlan(args)
		if err != nil {
			return err
		}
		return runNode(ctx, root, r, p, "enter-run", args...)
	case "enter-run":
		return enter(root, "judge", args...)
	case "judge":
		return judge(ctx, root, r, args)
	case "probe":
		return confine(ctx, "enter-probe")
	case "enter-probe":
		return probe()
	case "up":
		return runNode(ctx, root, r, &plan{}, "enter-up")
	case "enter-up":
		return enter(root, "hold")
	case "hold":
		return hold(ctx, root, r)
	}
	return errors.New(usage)
}

// report is what was wanted, and what came of it.
type report struct {
	began          time.Time
	passed, failed int
}

// verdict prints and counts one thing that was wanted.
func (r *report) verdict(err error, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if err == nil {
		r.passed++
		fmt.Printf("ok    %s\n", what)
		return
	}
	r.failed++
	fmt.Printf("FAIL  %s:\n%v\n", what, err)
}

// unknown prints something of which nothing is known.
func (r *report) unknown(format string, args ...any) {
	fmt.Printf("?     %s\n", fmt.Sprintf(format, args...))
}

// note prints a step that nothing is wanted of but that it takes some time.
func (r *report) note(format string, args ...any) {
	fmt.Printf("      %s (%v)\n", fmt.Sprintf(format, args...), time.Since(r.began).Round(100*time.Millisecond))
}

func (r *report) end() error {
	fmt.Printf("%d passed, %d failed, in %v\n", r.passed, r.failed, time.Since(r.began).Round(100*time.Millisecond))
	if r.failed > 0 || r.passed == 0 {
		return errors.New("not everything is as it should be")
	}
	return nil
}
