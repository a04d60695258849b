package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/protosvc/protosvc/internal/system"
)

// bin holds the binaries that TestMain builds.
var bin string

const root = "../.."

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "demo-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	build := exec.Command("go", "build", "-o", dir, "./generated/deploy/user/cmd/user",
		"./generated/deploy/order/cmd/order", "./generated/deploy/payment/cmd/payment")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func options(t *testing.T) system.Options {
	return system.Options{
		Bin:      bin,
		Configs:  filepath.Join(root, "generated", "deploy"),
		Dir:      filepath.Join(t.TempDir(), "demo"),
		LogLevel: "debug",
	}
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestStory(t *testing.T) {
	var text bytes.Buffer
	if err := tellStory(limited(t), &printer{w: &text}, options(t)); err != nil {
		t.Fatalf("%v after:\n%s", err, &text)
	}
	for _, want := range []string{"CONFIRMED", "REFUNDED", "402 Payment Required", "items[1].quantity", "exit code 0", "as promised"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in:\n%s", want, &text)
		}
	}
	if strings.Contains(text.String(), "\x1b") {
		t.Error("the story has colours, but nobody asked for them")
	}
}

// A step whose promise does not hold ends the story with an error that names it,
// and no process is left.
func TestStoryThatIsNotTrue(t *testing.T) {
	var text bytes.Buffer
	o := options(t)
	o.Environ = []string{"PAYMENT_SERVICE_MAX_AMOUNT_MINOR=1000"}
	err := tellStory(limited(t), &printer{w: &text}, o)
	if err == nil || !strings.Contains(err.Error(), "Place an order, over gRPC") || !strings.Contains(err.Error(), "amount_above_limit") {
		t.Errorf("got %v", err)
	}
	log, fault := os.ReadFile(filepath.Join(o.Dir, "order.log"))
	if fault != nil || !strings.Contains(string(log), `"phase":"resources"`) {
		t.Errorf("order was not stopped: %v\n%s", fault, log)
	}
}

// TestGuide runs what people are told to run. The commands of grpcurl need the
// network to build it, so they are only looked at.
func TestGuide(t *testing.T) {
	for _, tool := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	sys, err := system.Start(limited(t), options(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Stop(); err != nil {
			t.Error(err)
		}
	})
	chapters, err := guide(limited(t), sys)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range chapters[:3] {
		lines = append(lines, c.lines...)
	}
	want := []string{ // in the answers, in the order of the lines
		"ada@example.com", "ORDER_STATE_CONFIRMED", `"orders":[{`, "ORDER_STATE_CANCELLED", "ORDER_STATE_CANCELLED",
		"402 Payment Required", "400 Bad Request", "404 Not Found",
		"/config/reload", "[+]database ok", "grpc_server_handled_total", "default_page_size", "reloaded",
	}
	if len(lines) != len(want) {
		t.Fatalf("%d commands, want %d", len(lines), len(want))
	}
	for i, line := range lines {
		out, err := exec.CommandContext(limited(t), "sh", "-c", line).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want[i]) {
			t.Errorf("%s\n%v, want %q in:\n%s", line, err, want[i], out)
		}
	}
}

func TestCurlCommand(t *testing.T) {
	for _, test := range []struct {
		request curl
		want    string
	}{
		{curl{url: "http://a/b"}, "curl http://a/b"},
		{curl{flags: "-i", url: "http://a/b?c"}, "curl -i 'http://a/b?c'"},
		{curl{url: "http://a", header: "k: v", body: "{}"}, "curl http://a -H 'k: v' -d '{}'"},
		{curl{url: "http://a", body: "it's"}, `curl http://a -d 'it'\''s'`},
		{curl{url: "http://a", body: strings.Repeat("x", 120)}, "curl http://a \\\n      -d " + strings.Repeat("x", 120)},
	} {
		if got := test.request.String(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}
