// Command http measures how long a request over HTTP/JSON takes to the handler and back,
// beside grpc-gateway and kratos.
//
//	go run ./http [-rounds=N] [-slice=DURATION] [-o=FILE]
//
// All sides run in this process and have the same contract and handler. In each round
// they take turns, in random order; what is told is the ratio of each round: the machine
// cancels out.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/svc/bench/internal/page"
)

func main() {
	rounds := flag.Int("rounds", 21, "rounds of each measurement")
	slice := flag.Duration("slice", 50*time.Millisecond, "about how long a round measures ours")
	output := flag.String("o", "", "page whose section to write; standard output if empty")
	flag.Parse()
	if err := bench(*rounds, *slice, *output); err != nil {
		fmt.Fprintln(os.Stderr, "bench-http:", err)
		os.Exit(1)
	}
}

func bench(rounds int, slice time.Duration, output string) error {
	rows, err := measureAll(rounds, slice)
	if err != nil {
		return err
	}
	text := report(rows, rounds)
	if output == "" {
		_, err = fmt.Print(text)
		return err
	}
	return page.Write(output, "make bench-http", text)
}

const (
	inProcess      = "in process"
	overConnection = "over a connection"
)

// way prepares a call of a side.
type way func(context.Context, side, call) (exchange, error)

// ways are how a request comes to a side.
var ways = []struct {
	name string
	open way
}{
	{inProcess, direct},
	{overConnection, socket},
}

// row is what was measured of one side, in rounds, and of ours in the same rounds.
type row struct {
	way, call, side string
	own, all        []sample
}

func measureAll(rounds int, slice time.Duration) (rows []row, err error) {
	ctx, cancel := serverContext()
	defer cancel()
	handler := &orders{}
	sides, err := sides(handler)
	if err != nil {
		return nil, err
	}
	calls, err := calls()
	if err != nil {
		return nil, err
	}
	for _, way := range ways {
		for _, c := range calls {
			fmt.Fprintf(os.Stderr, "bench-http: %s, %s\n", c.name, way.name)
			handler.call = c
			exchanges, err := openAll(ctx, way.open, handler, sides)
			if err != nil {
				return nil, err
			}
			samples, err := measure(exchanges, rounds, slice)
			if err != nil {
				return nil, err
			}
			for i, s := range sides {
				rows = append(rows, row{way.name, c.name, s.name, samples[0], samples[i]})
			}
		}
	}
	return rows, nil
}

// openAll prepares the call of the handler on each side, and sees that all of them do the
// same.
func openAll(ctx context.Context, open way, handler *orders, sides []side) (out []exchange, err error) {
	handler.checking = true
	defer func() { handler.checking = false }()
	for _, s := range sides {
		x, err := open(ctx, s, handler.call)
		if err == nil {
			err = handler.call.verify(x)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", s.name, handler.call.name, err)
		}
		out = append(out, x)
	}
	return out, nil
}

// verify refuses an answer that is not the handler's response.
func (c call) verify(x exchange) error {
	status, body, err := x()
	if err != nil {
		return err
	}
	got := c.response.ProtoReflect().New().Interface()
	if err := protojson.Unmarshal(body, got); status != http.StatusOK || err != nil || !proto.Equal(got, c.response) {
		return fmt.Errorf("answered with %d: %s", status, body)
	}
	return nil
}
