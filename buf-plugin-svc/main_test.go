package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/internal/testbuf"
)

const order = `syntax = "proto3";
package order.v1;

message Order {
  double total = 1;
}
message GetOrderRequest {}
message GetOrderResponse {
  Order order = 1;
}
message OrderCancelRequest {}
message OrderCancelResponse {}

service OrderService {
  rpc GetOrder(GetOrderRequest) returns (GetOrderResponse);
  rpc OrderCancel(OrderCancelRequest) returns (OrderCancelResponse);
}
`

// What is said of it.
const (
	total  = `proto/order/v1/order.proto:5:3:field "total" is double, in which money ("total") loses cents: want a whole number of minor units with a currency, or google.type.Money (buf-plugin-svc)`
	cancel = `proto/order/v1/order.proto:16:3:RPC "OrderCancel" begins with "Order", which is no known verb (want for example "CancelOrder", or add the word to the option rpc_verbs) (buf-plugin-svc)`
	limit  = `proto/order/v1/order.proto:14:1:service "OrderService" has 2 RPCs, more than 1: split it by what belongs together (or set the option service_rpc_limit) (buf-plugin-svc)`
)

// TestBuf lints a project with the real buf, as its users do.
func TestBuf(t *testing.T) {
	bin := programs(t)
	on := config{use: "[STANDARD, SVC]"}
	for _, c := range []struct {
		name     string
		config   config
		contract string
		want     []string
	}{
		{"findings", on, order, []string{total, cancel}},
		{"by default", config{}, order, []string{total, cancel}},
		{"one rule", config{use: "[SVC_FIELD_MONEY_FLOAT]"}, order, []string{total}},
		{"except", config{use: on.use, lint: "except: [SVC_RPC_VERB_FIRST]"}, order, []string{total}},
		{"ignore", config{use: on.use, lint: "ignore: [proto/order]"}, order, nil},
		{"ignore_only", config{use: on.use, lint: "ignore_only: {SVC_FIELD_MONEY_FLOAT: [proto/order]}"}, order, []string{cancel}},
		{"comment on the field", on, strings.Replace(order, "  double", "  // buf:lint:ignore SVC_FIELD_MONEY_FLOAT\n  double", 1),
			[]string{strings.Replace(cancel, ":16:", ":17:", 1)}},
		{"comment on the service", on, strings.Replace(order, "service", "// buf:lint:ignore SVC_RPC_VERB_FIRST\nservice", 1), []string{total}},
		{"limit", config{use: on.use, options: "{service_rpc_limit: 1}"}, order, []string{total, limit, cancel}},
		{"verbs", config{use: on.use, options: "{rpc_verbs: [order]}"}, order, []string{total}},
		{"wrong option", config{use: on.use, options: "{service_rpc_limt: 1}"}, order, []string{
			`Failure: plugin "buf-plugin-svc" failed: Failed with code invalid_argument: option "service_rpc_limt" is unknown (want one of service_rpc_limit, message_nesting_limit, rpc_verbs, money_words)`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "buf.yaml", c.config.yaml())
			write(t, dir, "proto/order/v1/order.proto", c.contract)
			if got := runBuf(t, bin, dir); got != strings.Join(c.want, "\n") {
				t.Errorf("buf lint says\n%s\nwant\n%s", got, strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestByHand checks that people who run the plugin are told what it is for.
func TestByHand(t *testing.T) {
	output, err := exec.Command("go", "run", ".").CombinedOutput()
	if err == nil || !strings.HasPrefix(string(output), "buf-plugin-svc is run by buf, not by hand: ") {
		t.Errorf("said %q (%v)", output, err)
	}
}

// config is what differs between the cases.
type config struct{ use, lint, options string }

func (c config) yaml() string {
	text := "version: v2\nmodules:\n  - path: proto\nlint:\n"
	if c.use != "" {
		text += "  use: " + c.use + "\n"
	}
	text += "  " + c.lint + "\nplugins:\n  - plugin: buf-plugin-svc\n"
	if c.options != "" {
		text += "    options: " + c.options + "\n"
	}
	return text
}

// programs puts buf and the plugin into one folder.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	testbuf.Link(t, "..", dir)
	goCommand(t, "build", "-o", dir+"/", "./buf-plugin-svc")
	return dir
}

func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = ".."
	var problems bytes.Buffer
	cmd.Stderr = &problems
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &problems)
	}
	return string(output)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// runBuf returns what buf says, which is something when it fails and only then.
func runBuf(t *testing.T, bin, dir string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "buf"), "lint")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "BUF_CACHE_DIR="+t.TempDir())
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	if failed := err != nil; failed != (output.Len() > 0) {
		t.Fatalf("buf lint: %v\n%s", err, &output)
	}
	return strings.TrimSpace(output.String())
}
