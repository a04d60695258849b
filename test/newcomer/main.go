// Command newcomer plays the first day of somebody who has read README.md and the guide:
// a module of their own, a new project, services whose handlers are those of the guide,
// their tests on both databases, calls over both protocols, and a change of a contract.
// What is typed and written comes out of the two texts as far as they have it, and what
// they show is compared.
//
//	go run ./newcomer -root ..
//
// It wants what a newcomer has, bin/buf of the repository (make bin/buf), Debian and root
// for PostgreSQL, and the ports of the services' contracts on the loopback. It prints how
// long each part took, with how many commands and how much written by hand. Nothing is
// left of it in the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/protosvc/protosvc/internal/testfolder"
)

func main() {
	root := flag.String("root", "..", "root of the repository")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root); err != nil {
		fmt.Fprintln(os.Stderr, "newcomer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string) (err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return err
	}
	folder, err := testfolder.Make("newcomer")
	if err != nil {
		return fmt.Errorf("%w (of another run; it may be removed if there is none)", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	d := &day{ctx: ctx, root: root, folder: folder}
	if err := d.equip(); err != nil {
		return err
	}
	if err := d.play(parts); err != nil {
		return err
	}
	fmt.Print("\n", d.report())
	return nil
}
