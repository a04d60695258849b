package svc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/grpclog"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/logging"
)

// inProcess makes the test binary the program whose log the tests below read or not.
// It is the program's flag.
const inProcess = "SVC_TEST_TALKATIVE"

// ownLoggers is the text that has talkative use the loggers of the process.
const ownLoggers = "loggers of the process"

// talkative logs 4 KiB with each call.
func talkative(t *testing.T) Service {
	t.Helper()
	s := greeter(t, func(app *App) (greet, error) {
		log := app.Deps().Log
		return func(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			if in.Value == ownLoggers {
				slog.Warn("by slog")
				stdlog.Print("by log")
				grpclog.Error("by grpclog")
				return in, nil
			}
			log.InfoContext(ctx, "called", "text", strings.Repeat("x", 4<<10))
			return in, nil
		}, nil
	})
	s.Name = "talkative"
	return s
}

func TestTalkativeProcess(t *testing.T) {
	if os.Getenv(inProcess) == "" {
		t.Skip("is a part of the tests below")
	}
	os.Exit(run(talkative(t), Options{isProcess: true}, []string{os.Getenv(inProcess)}, os.Stdout, os.Stderr))
}

// process runs the service as a process, with its standard error at the writing end
// of a real pipe.
func process(t *testing.T, at Addresses, config string) (cmd *exec.Cmd, log *os.File) {
	t.Helper()
	log, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), self, "-test.run=^TestTalkativeProcess$")
	cmd.Env = append(os.Environ(), inProcess+"=--config="+config, "TALKATIVE_LISTEN_GRPC="+at.GRPC, "TALKATIVE_LISTEN_ADMIN="+at.Admin)
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close() // the process has its own
	return cmd, log
}

// waitReady waits for a service that is another process.
func (r *running) waitReady(t *testing.T) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if resp, err := client.Get("http://" + r.Admin + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatal("the service is not ready")
}

// A service whose log nobody reads answers, says so, and stops as fast as any other.
func TestUnreadLog(t *testing.T) {
	r := &running{Addresses: Addresses{GRPC: free(t), Admin: free(t)}}
	cmd, _ := process(t, r.Addresses, "")
	r.waitReady(t)
	called := make(chan error, 1)
	go func() {
		for range 500 { // 2 MiB
			if _, err := r.call(t, "x"); err != nil {
				called <- err
				return
			}
		}
		called <- nil
	}()
	select {
	case err := <-called:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("calls hang")
	}
	if _, body := r.admin(t, http.MethodGet, "/metrics"); !strings.Contains(body, "\nsvc_log_lines_dropped_total ") ||
		strings.Contains(body, "\nsvc_log_lines_dropped_total 0\n") {
		t.Error("/metrics does not say that lines were dropped")
	}
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// The end of whoever read the log is not the end of the service.
func TestLogReaderEnds(t *testing.T) {
	r := &running{Addresses: Addresses{GRPC: free(t), Admin: free(t)}}
	cmd, log := process(t, r.Addresses, "")
	r.waitReady(t)
	_ = log.Close()
	for range 3 {
		if _, err := r.call(t, "x"); err != nil {
			t.Error(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
}

// The error of a start that fails is there in full and comes last.
func TestFatalErrorIsWritten(t *testing.T) {
	taken := start(t, greeter(t, hello), Options{})
	var stderr bytes.Buffer
	s := talkative(t)
	s.Settings.Listen.GRPC = taken.GRPC
	if code := run(s, Options{}, []string{"--config="}, nil, &stderr); code != exitFault {
		t.Errorf("exit code %d", code)
	}
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	want := fmt.Sprintf("talkative: gRPC port: listen tcp %s: bind: address already in use", taken.GRPC)
	if got := lines[len(lines)-1]; got != want {
		t.Errorf("the last line is %q, want %q", got, want)
	}
}

// What libraries write is in the log too, a JSON object per line.
func TestLoggersOfTheProcess(t *testing.T) {
	r := &running{Addresses: Addresses{GRPC: free(t), Admin: free(t)}}
	cmd, log := process(t, r.Addresses, "")
	r.waitReady(t)
	if _, err := r.call(t, ownLoggers); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	want := map[string]string{"by slog": "WARN", "by log": "INFO", "by grpclog": "ERROR"}
	for line := range strings.Lines(string(text)) {
		var fields struct{ Level, Service, Msg string }
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if level, ok := want[fields.Msg]; ok && fields.Level == level && fields.Service == "talkative" {
			delete(want, fields.Msg)
		}
	}
	if len(want) > 0 {
		t.Errorf("without a line: %v\n%s", want, text)
	}
}

func TestErrorLogOfHTTP(t *testing.T) {
	var out bytes.Buffer
	a := &App{log: logging.New(&out, logging.Options{})}
	a.httpServer(nil).ErrorLog.Print("http: panic serving")
	if got := out.String(); !strings.Contains(got, `"level":"WARN","msg":"http: panic serving"`) {
		t.Errorf("got %q", got)
	}
}
