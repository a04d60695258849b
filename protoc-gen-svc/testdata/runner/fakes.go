package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	streamsv1 "example.com/golden/generated/streams/v1"
	"example.com/golden/generated/streams/v1/streamsv1svc"
	"example.com/golden/generated/streams/v1/streamsv1svctest"

	"github.com/protosvc/protosvc/svc"
)

func init() { further = fakes }

// fakes calls each kind of RPC of a generated fake behind its generated service.
func fakes() error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	f := &streamsv1svctest.StreamsService{
		DownFunc: func(req *streamsv1.StreamsRequest, stream grpc.ServerStreamingServer[streamsv1.StreamsResponse]) error {
			defer func() { req.Text = "changed" }()
			return errors.Join(stream.Send(answer(req)), stream.Send(answer(req)))
		},
		UpFunc: func(stream grpc.ClientStreamingServer[streamsv1.StreamsRequest, streamsv1.StreamsResponse]) error {
			for {
				if _, err := stream.Recv(); err != nil {
					return stream.SendAndClose(&streamsv1.StreamsResponse{})
				}
			}
		},
		BothFunc: func(stream grpc.BidiStreamingServer[streamsv1.StreamsRequest, streamsv1.StreamsResponse]) error {
			for {
				req, err := stream.Recv()
				if err != nil {
					return nil
				}
				if err := stream.Send(answer(req)); err != nil {
					return err
				}
			}
		},
	}
	service := streamsv1svc.StreamsService(func(streamsv1svc.StreamsServiceDeps) (streamsv1.StreamsServiceServer, error) { return f, nil })
	called := errors.New("never ready")
	err := svc.Run(ctx, service, svc.Options{
		Environ: []string{"STREAMS_LISTEN_GRPC=127.0.0.1:0", "STREAMS_LISTEN_ADMIN=127.0.0.1:0", "STREAMS_STOP_DRAIN_DELAY=0s"},
		Ready: func(at svc.Addresses) {
			called = callAll(ctx, at.GRPC)
			stop()
		},
	})
	return errors.Join(err, called, recorded(f))
}

func answer(req *streamsv1.StreamsRequest) *streamsv1.StreamsResponse {
	return &streamsv1.StreamsResponse{Text: "re: " + req.GetText()}
}

func ask(text string) *streamsv1.StreamsRequest { return &streamsv1.StreamsRequest{Text: text} }

func callAll(ctx context.Context, address string) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	c := streamsv1.NewStreamsServiceClient(conn)
	_, one := c.One(ctx, ask("one"))
	if got := status.Convert(one); got.Code() != codes.Unimplemented || got.Message() != "streamsv1svctest: One is called, and has no answer" {
		return fmt.Errorf("One, which is not answered: %w", one)
	}
	return errors.Join(down(ctx, c), up(ctx, c), both(ctx, c))
}

func down(ctx context.Context, c streamsv1.StreamsServiceClient) error {
	stream, err := c.Down(ctx, ask("down"))
	if err != nil {
		return err
	}
	for range 2 {
		if res, err := stream.Recv(); err != nil || res.GetText() != "re: down" {
			return fmt.Errorf("Down: %v, %w", res, err)
		}
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("Down at its end: %w", err)
	}
	return nil
}

func up(ctx context.Context, c streamsv1.StreamsServiceClient) error {
	stream, err := c.Up(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(stream.Send(ask("up")), stream.Send(ask("and up"))); err != nil {
		return err
	}
	_, err = stream.CloseAndRecv()
	return err
}

func both(ctx context.Context, c streamsv1.StreamsServiceClient) error {
	stream, err := c.Both(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(ask("both")); err != nil {
		return err
	}
	if res, err := stream.Recv(); err != nil || res.GetText() != "re: both" {
		return fmt.Errorf("Both: %v, %w", res, err)
	}
	return stream.CloseSend()
}

// recorded checks what the fake says of its calls.
func recorded(f *streamsv1svctest.StreamsService) error {
	got := fmt.Sprintf("%s %s %d %s %d %s",
		texts(f.OneCalls()), texts(f.DownCalls()),
		len(f.UpCalls()), texts(f.UpCalls()[0]),
		len(f.BothCalls()), texts(f.BothCalls()[0]))
	if want := `["one"] ["down"] 1 ["up" "and up"] 1 ["both"]`; got != want {
		return fmt.Errorf("the fake has recorded %s, want %s", got, want)
	}
	return nil
}

func texts(requests []*streamsv1.StreamsRequest) string {
	var all []string
	for _, r := range requests {
		all = append(all, r.GetText())
	}
	return fmt.Sprintf("%q", all)
}
