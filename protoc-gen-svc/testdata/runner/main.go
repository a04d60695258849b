// Command runner starts every generated service with its generated config.yaml
// and no handler, asks it for its health and for an RPC, and stops it.
// The variable services is generated beside it.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/protosvc/protosvc/svc"
)

// generated is one service of one case.
type generated struct {
	service svc.Service
	config  string // its config.yaml
	unary   string // a unary method on the wire, empty without one
}

// further is what a file beside this one does with the code of a case.
var further = func() error { return nil }

func main() {
	var wait sync.WaitGroup
	failed := make(chan error, len(services)+1)
	wait.Go(func() {
		if err := further(); err != nil {
			failed <- err
		}
	})
	for _, g := range services {
		wait.Go(func() {
			if err := g.run(); err != nil {
				failed <- fmt.Errorf("%s: %w", g.service.FullName, err)
			}
		})
	}
	wait.Wait()
	close(failed)
	code := 0
	for err := range failed {
		fmt.Println(err)
		code = 1
	}
	fmt.Println(len(services), "services")
	os.Exit(code)
}

// run starts the service on free ports and stops it when it has answered.
func (g generated) run() error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	prefix := strings.ToUpper(strings.ReplaceAll(g.service.Name, "-", "_"))
	environ := []string{
		prefix + "_LISTEN_GRPC=127.0.0.1:0",
		prefix + "_LISTEN_ADMIN=127.0.0.1:0",
		prefix + "_STOP_DRAIN_DELAY=0s",
		prefix + "_DATABASE_URL=sqlite::memory:",
		// The secrets without which a case does not start.
		"KEEPER_SERVICE_SIGNING_KEY=secret",
		"KEEPER_SERVICE_BACKUP_USER=secret",
	}
	if g.service.HTTP != nil {
		environ = append(environ, prefix+"_LISTEN_HTTP=127.0.0.1:0")
	}
	answered := errors.New("never ready")
	err := svc.Run(ctx, g.service, svc.Options{
		Config:  g.config,
		Environ: environ,
		Ready: func(at svc.Addresses) {
			answered = errors.Join(healthy(ctx, at.Admin), unimplemented(ctx, at.GRPC, g.unary))
			stop()
		},
	})
	return errors.Join(err, answered)
}

func healthy(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/livez", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/livez answers %s", response.Status)
	}
	return nil
}

// unimplemented calls a method with an empty message. Where the contract has
// rules that the empty message breaks, the validator answers first.
func unimplemented(ctx context.Context, address, method string) error {
	if method == "" {
		return nil
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	err = conn.Invoke(ctx, method, &emptypb.Empty{}, &emptypb.Empty{})
	if code := status.Code(err); code != codes.Unimplemented && code != codes.InvalidArgument {
		return fmt.Errorf("%s answers %w", method, err)
	}
	return nil
}
