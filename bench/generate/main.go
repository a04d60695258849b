// Command generate measures how long protoc-gen-svc takes for systems of many
// services, beside protoc-gen-go on the same contracts.
//
//	go run ./generate [-runs=N] [-o=FILE]
//
// Both run as a compiler runs them, with the same descriptors on standard input,
// one after the other in turn. What is told is the ratio of their times in each
// round: the machine cancels out.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/svc/bench/internal/page"
)

func main() {
	runs := flag.Int("runs", 5, "rounds of each measurement")
	output := flag.String("o", "", "page whose section to write; standard output if empty")
	root := flag.String("root", "..", "root of the repository, in which make third_party has run")
	services := flag.Int("services", 0, "print the request for so many services instead, with the parameter that is the argument")
	annotated := flag.Bool("annotated", true, "with -services: whether they have annotations")
	flag.Parse()
	var err error
	if *services > 0 {
		err = printRequest(*root, *services, *annotated, flag.Arg(0))
	} else {
		err = bench(*root, *runs, *output)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-generate:", err)
		os.Exit(1)
	}
}

func printRequest(root string, services int, annotated bool, parameter string) error {
	r, err := request(contracts(services, annotated), filepath.Join(root, "proto"), filepath.Join(root, "third_party"))
	if err != nil {
		return err
	}
	r.Parameter = &parameter
	text, err := proto.Marshal(r)
	if err == nil {
		_, err = os.Stdout.Write(text)
	}
	return err
}

func bench(root string, runs int, output string) error {
	text, err := measureAll(root, runs)
	if err != nil {
		return err
	}
	if output == "" {
		_, err = fmt.Print(text)
		return err
	}
	return page.Write(output, "make bench-generate", text)
}

// sizes are the systems that are measured, in services.
var sizes = []struct {
	services  int
	annotated bool
}{{100, true}, {1000, true}, {1000, false}}

func measureAll(root string, runs int) (string, error) {
	bin, err := os.MkdirTemp("", "bench-generate-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(bin)
	build := exec.Command("go", "build", "-o", bin+"/", "./protoc-gen-svc", "google.golang.org/protobuf/cmd/protoc-gen-go")
	build.Dir, build.Stderr = root, os.Stderr
	if err := build.Run(); err != nil {
		return "", err
	}
	var rows []row
	for _, size := range sizes {
		fmt.Fprintf(os.Stderr, "bench-generate: %d services, annotated %t\n", size.services, size.annotated)
		one := row{services: size.services, annotated: size.annotated}
		if err := one.measure(root, bin, runs); err != nil {
			return "", err
		}
		rows = append(rows, one)
	}
	return report(rows), nil
}

// row is one measurement.
type row struct {
	services  int
	annotated bool
	own, peer []run // in rounds
}

// run is one run of a plugin.
type run struct {
	took   time.Duration
	memory int64 // the most, in bytes
	bytes  int64 // of the response
}

// measure runs both plugins in turn. The request comes from a process of its own:
// Linux counts the memory of this one to what it starts.
func (r *row) measure(root, bin string, runs int) error {
	plugins := []*struct {
		name, parameter, request string
		runs                     *[]run
	}{
		{"protoc-gen-svc", "root=example.com/shop/generated,system=true", filepath.Join(bin, "svc.request"), &r.own},
		{"protoc-gen-go", "paths=source_relative", filepath.Join(bin, "go.request"), &r.peer},
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, p := range plugins {
		args := []string{"-root", root, "-services", fmt.Sprint(r.services), fmt.Sprintf("-annotated=%t", r.annotated), p.parameter}
		if _, err := start(self, args, os.DevNull, p.request); err != nil {
			return err
		}
	}
	for range runs {
		for _, p := range plugins {
			one, err := start(filepath.Join(bin, p.name), nil, p.request, filepath.Join(bin, "response"))
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			if one.bytes < int64(r.services)*1000 {
				return fmt.Errorf("%s: answered with %d bytes, which are faults and no files", p.name, one.bytes)
			}
			*p.runs = append(*p.runs, one)
		}
		slices.Reverse(plugins) // neither always follows the other
	}
	return nil
}

// start runs a program once, from one file to another.
func start(path string, args []string, from, to string) (r run, err error) {
	in, err := os.Open(from)
	if err != nil {
		return r, err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return r, err
	}
	defer out.Close()
	cmd := exec.Command(path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return r, err
	}
	r.took = time.Since(began)
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.memory = usage.Maxrss * 1024 // kilobytes on Linux
	}
	size, err := out.Stat()
	if err == nil {
		r.bytes = size.Size()
	}
	return r, err
}
