// Command e2e gives the generated manifests to a real Kubernetes, built from its
// released modules, and judges what becomes of them.
//
//	go run ./e2e -root .. api
//
// The part api starts a store and an API server on the loopback, without a node: it
// applies every rendering as kubectl apply --server-side would, and wants broken
// objects refused. It needs no root and leaves nothing behind but the programs, in
// $PROTOSVC_CACHE/kubernetes or ~/.cache/protosvc/kubernetes.
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

// parts are what can be asked for.
var parts = map[string]func(ctx context.Context, root string, r *report) error{
	"api": runAPI,
}

func main() {
	root := flag.String("root", "..", "root of the repository")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, args []string) error {
	if len(args) != 1 || parts[args[0]] == nil {
		return errors.New("usage: e2e [-root DIR] api")
	}
	r := &report{began: time.Now()}
	if err := parts[args[0]](ctx, root, r); err != nil {
		return err
	}
	return r.end()
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
