package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// testProcess runs the binary of the case "bare" as an operator would: it is
// healthy, answers UNIMPLEMENTED, and exits with 0 on SIGTERM.
func testProcess(t *testing.T, binary, config string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, binary, "--config="+config)
	command.Env = append(os.Environ(), "BARE_LISTEN_GRPC=127.0.0.1:0", "BARE_LISTEN_ADMIN=127.0.0.1:0", "BARE_STOP_DRAIN_DELAY=10ms")
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	at := waitReady(t, log)
	logged := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, log)
		close(logged)
	}()

	askHTTP(ctx, t, "http://"+at.Admin+"/readyz")
	askHTTP(ctx, t, "http://"+at.Admin+"/metrics")
	askGRPC(ctx, t, at.GRPC)

	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-logged
	if err := command.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v, want exit code 0", err)
	}
}

type addresses struct{ Msg, GRPC, Admin string }

// waitReady reads the log until the line that says where the service listens.
func waitReady(t *testing.T, log io.Reader) addresses {
	t.Helper()
	var all string
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		all += lines.Text() + "\n"
		var at addresses
		if err := json.Unmarshal(lines.Bytes(), &at); err == nil && at.Msg == "ready" {
			return at
		}
	}
	t.Fatalf("the service ended before it was ready:\n%s", all)
	return addresses{}
}

func askHTTP(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", url, response.Status)
	}
}

func askGRPC(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, service := range []string{"", "bare.v1.BareService"} {
		health, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: service})
		if err != nil || health.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("health of %q: %v, %v", service, health.GetStatus(), err)
		}
	}
	err = conn.Invoke(ctx, "/bare.v1.BareService/Greet", &emptypb.Empty{}, &emptypb.Empty{})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("Greet without a handler: %v, want Unimplemented", err)
	}
}
