// Command demo starts the flagship, three services that were generated from
// proto/, and tells what they do: each step makes real calls and checks that the
// answer is what the contract promises.
//
//	go run ./internal/demo        tell the story, stop, exit with 0 if all of it was true
//	go run ./internal/demo -run   leave the system running and say what to try
//
// It expects the binaries in bin/, see the targets demo and run of the Makefile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/protosvc/protosvc/internal/system"
)

func main() {
	keep := flag.Bool("run", false, "leave the system running until Ctrl-C and say what to try")
	flag.Parse()
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer release()
	out := newPrinter(os.Stdout)
	tell, dir := tellStory, "story"
	if *keep {
		tell, dir = runGuide, "run"
	}
	o := system.Options{Dir: filepath.Join(".demo", dir), LogLevel: "debug", FixedPorts: *keep}
	if err := tell(ctx, out, o); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("interrupted: %w", err)
		}
		out.failure(err)
		os.Exit(1)
	}
}

// begin starts the system on empty databases and prints where it is.
func begin(ctx context.Context, out *printer, o system.Options) (*system.System, error) {
	if err := os.RemoveAll(o.Dir); err != nil {
		return nil, fmt.Errorf("what an earlier run left behind: %w", err)
	}
	sys, err := system.Start(ctx, o)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w (make build makes the binaries)", err)
	case err != nil:
		return nil, err
	}
	for _, service := range sys.Services() {
		out.row(service.Name, "pid %-8d HTTP/JSON %-16s gRPC %-16s admin %s", service.PID(), service.HTTP, service.GRPC, service.Admin)
	}
	out.row("files", "%s: one log and one database for each", o.Dir)
	return sys, nil
}
