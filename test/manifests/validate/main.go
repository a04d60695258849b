// Validate renders every overlay of the generated manifests and gives the objects
// to programs that know Kubernetes better than the project does: kubectl-validate,
// with the schemas of Kubernetes and of prometheus-operator, and kube-score. Then it
// breaks an object of each kind and wants it refused.
//
//	go run ./manifests/validate -root ..
//
// Nothing reaches a cluster or needs one. The programs are built once, into the
// build cache; the schemas of prometheus-operator lie in the module cache.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	root := flag.String("root", "..", "root of the repository")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string) error {
	began := time.Now()
	if err := os.Chdir(root); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "manifests-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	t, err := prepare(ctx, scratch)
	if err != nil {
		return err
	}
	renderings, err := renderAll()
	if err != nil {
		return err
	}
	mutants, err := mutate(renderings)
	if err != nil {
		return err
	}
	faults, err := judge(ctx, t, renderings, mutants)
	if err != nil {
		return err
	}
	printTable(renderings, mutants)
	fmt.Printf("%d renderings, %d mutants, %d exceptions, %d faults, in %v\n", len(renderings), len(mutants), len(exceptions), len(faults),
		time.Since(began).Round(100*time.Millisecond))
	return errors.Join(faults...)
}

func printTable(renderings []*rendering, mutants []*mutant) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer func() { _ = w.Flush() }()
	_, _ = fmt.Fprintln(w, "RENDERING\tOBJECTS\tINVALID\tCRITICAL\tEXCEPTED")
	for _, r := range renderings {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", r.Name, len(r.Objects), r.invalid, r.critical, r.excepted)
	}
	_, _ = fmt.Fprintln(w, "\nEXCEPTION\tIN\tREASON\t\t")
	for _, e := range exceptions {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t\t\n", e.summary, cmp.Or(e.in, "all"), e.reason)
	}
	_, _ = fmt.Fprintln(w, "\nMUTANT\tWHAT\tREFUSED BY\t\t")
	for _, m := range mutants {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t\t\n", m.kind, m.what, m.refusal())
	}
}
