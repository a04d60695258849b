package contractdiff

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	textdiff "github.com/rogpeppe/go-internal/diff"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/internal/testbuf"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/protos"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
	"github.com/protosvc/protosvc/templates"
)

// capture makes the test program stand for the plugin.
const capture = "CONTRACTDIFF_TEST_CAPTURE"

func TestMain(m *testing.M) {
	if os.Getenv(capture) != "" {
		if err := sync.Capture(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

const contract = `syntax = "proto3";

package shop.v1;

import "buf/validate/validate.proto";
import "svc/v1/svc.proto";

option go_package = "example.com/shop/generated/shop/v1;shopv1";

service ShopService {
  option (svc.v1.service) = {
    name: "shop"
    database: {max_connections: 8}
    scale: {min: 3}
  };
  rpc Buy(BuyRequest) returns (BuyResponse) {
    option (svc.v1.method) = {
      timeout: "2s"
      idempotency_key: "request_id"
      errors: "SHOP_ERROR_SOLD_OUT"
    };
  }
  rpc Browse(BuyRequest) returns (stream BuyResponse);
}

enum ShopError {
  option (svc.v1.errors) = {domain: "shop.example.com"};
  SHOP_ERROR_UNSPECIFIED = 0;
  SHOP_ERROR_SOLD_OUT = 1 [(svc.v1.error) = {code: FAILED_PRECONDITION}];
}

message BuyRequest {
  string request_id = 1 [(buf.validate.field).string.min_len = 1];
  string sku = 2;
}

message BuyResponse {}
`

// edits turn the contract into the new one.
var edits = strings.NewReplacer(
	`timeout: "2s"`, `timeout: "1s"`,
	"    scale: {min: 3}\n", "",
	"      idempotency_key: \"request_id\"\n", "",
	"FAILED_PRECONDITION", "RESOURCE_EXHAUSTED",
	"  string sku = 2;\n", "  int32 sku = 2;\n",
	"  rpc Browse(BuyRequest) returns (stream BuyResponse);\n", "  rpc Pay(BuyRequest) returns (BuyResponse);\n",
)

// TestRun compares a commit with the work tree, and with an image, by the real buf
// and the real git. The third-party protos are not in the commit, as usual.
func TestRun(t *testing.T) {
	buf, source := pinnedBuf(t), here(t)
	t.Chdir(t.TempDir())
	command(t, "git", "init", "-q")
	if err := os.Mkdir("shop", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir("shop") // one project of several in the repository
	write := func(name, text string) { writeFile(t, name, text) }
	write(".gitignore", "/third_party/\n")
	write("buf.yaml", "version: v2\nmodules:\n  - path: proto\n  - path: third_party\n")
	write("buf.gen.yaml", "version: v2\ninputs:\n  - directory: proto\nplugins:\n  - local: protoc-gen-svc\n    out: generated\n    strategy: all\n    opt:\n      - root=example.com/shop/generated\n")
	write("proto/shop/v1/shop.proto", contract)
	if err := protos.Write(context.Background(), protos.Options{Dir: "third_party"}, io.Discard); err != nil {
		t.Fatal(err)
	}
	command(t, "git", "add", "-A")
	command(t, "git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "old")
	command(t, buf.Command[0], "build", "proto", "-o", "old.binpb")
	write("proto/shop/v1/shop.proto", edits.Replace(contract))

	for _, old := range []string{"HEAD", "old.binpb"} {
		got, err := diff(Options{Old: old, New: ".", Buf: buf})
		if err != nil {
			t.Fatalf("%s: %v", old, err)
		}
		golden(t, filepath.Join(source, "testdata", "shop.txt"), got)
	}
	if got, err := diff(Options{Old: "HEAD", New: "HEAD", Buf: buf, Fail: true}); err != nil || got != "nothing differs\n" {
		t.Errorf("the same commit: %v\n%s", err, got)
	}
	got, err := diff(Options{Old: "HEAD", New: ".", Buf: buf, JSON: true, Fail: true})
	var report Report
	if !errors.Is(err, ErrBreaking) || json.Unmarshal([]byte(got), &report) != nil || len(report.Changes) != 11 || len(report.Wire) != 1 || len(report.Files) == 0 {
		t.Errorf("JSON: %v\n%s", err, got)
	}
	if _, err := diff(Options{Old: "nowhere", New: ".", Buf: buf}); err == nil || err.Error() != `"nowhere" is neither a folder, nor a file, nor a commit of the repository here` {
		t.Errorf("a word that means nothing: %v", err)
	}
	write("proto/shop/v1/shop.proto", strings.Replace(contract, "2s", "soon", 1))
	if _, err := diff(Options{Old: "HEAD", New: ".", Buf: buf}); err == nil || !strings.Contains(err.Error(), `shop/v1/shop.proto:18:7: ShopService.Buy: duration-format: timeout "soon" is not a duration`) {
		t.Errorf("a contract with a fault: %v", err)
	}
	absent := sync.Buf{Command: []string{"no-such-buf"}, Plugin: buf.Plugin}
	if _, err := diff(Options{Old: "old.binpb", New: "old.binpb", Buf: absent}); err == nil || err.Error() != "no-such-buf is not in PATH: say how to run buf with --buf" {
		t.Errorf("no buf for the wire: %v", err)
	}
	if _, err := diff(Options{Old: "HEAD", New: ".", Buf: absent}); err == nil || err.Error() != "HEAD: no-such-buf is not in PATH: say how to run buf with --buf, or give the contract as a descriptor set" {
		t.Errorf("no buf for the contract: %v", err)
	}
	if dirty := command(t, "git", "status", "--porcelain"); dirty != " M shop/proto/shop/v1/shop.proto\n?? shop/old.binpb\n" {
		t.Errorf("the work tree has changed:\n%s", dirty)
	}
}

// changesOfOrders are made to the flagship's order service.
var changesOfOrders = strings.NewReplacer(
	`option (google.api.http) = {get: "/v1/orders/{order_id}"};`, `option (google.api.http) = {get: "/v2/orders/{order_id}"};`,
	`timeout: "300ms"`, `timeout: "200ms"`,
	"      max: 10\n", "      max: 20\n",
	"    balance: BALANCE_LEAST_REQUEST\n", "",
	`default: "20"`, `default: "50"`,
	`message: "page token is not valid"`, `message: "page token is not ours"`,
	"      calls: \"payment.v1.PaymentService/Refund\"\n", "",
)

// TestFlagship compares the contract of this repository with one that is changed here
// and there, as folders.
func TestFlagship(t *testing.T) {
	buf, source := pinnedBuf(t), here(t)
	root := filepath.Join(source, "..", "..", "..")
	t.Chdir(t.TempDir())
	for dir, edit := range map[string]func(string) string{"old": func(s string) string { return s }, "new": changesOfOrders.Replace} {
		for _, name := range []string{"buf.yaml", "buf.gen.yaml", "proto/svc/v1/svc.proto", "proto/user/v1/user.proto", "proto/payment/v1/payment.proto", "proto/order/v1/order.proto"} {
			text, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(dir, name), edit(string(text)))
		}
		if err := protos.Write(context.Background(), protos.Options{Dir: filepath.Join(dir, "third_party"), ThirdPartyOnly: true}, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	got, err := diff(Options{Old: "old", New: "new", Buf: buf})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join(source, "testdata", "flagship.txt"), got)
}

// ruled is a contract with rules in all that is sent: requests, responses, what is in
// both, and the configuration.
const ruled = `syntax = "proto3";

package shop.v1;

import "buf/validate/validate.proto";
import "google/protobuf/duration.proto";
import "svc/v1/svc.proto";

option go_package = "example.com/shop/generated/shop/v1;shopv1";

service ShopService {
  option (svc.v1.service) = {name: "shop" config: "Config"};
  rpc Buy(BuyRequest) returns (BuyResponse);
}

message Config {
  int32 page_size = 1 [(svc.v1.field).default = "20", (buf.validate.field).int32 = {gte: 1, lte: 100}];
}

message BuyRequest {
  string request_id = 1 [(buf.validate.field).string.max_len = 100];
  repeated string tags = 2 [(buf.validate.field).repeated = {
    max_items: 9
    items: {string: {min_len: 1}}
  }];
  int64 pence = 3 [(buf.validate.field).int64 = {gt: 0, lt: 100}];
  string kind = 4;
  Item item = 5;
  google.protobuf.Duration patience = 6 [(buf.validate.field).duration.lte.seconds = 9];
  Ignored ignored = 7 [(buf.validate.field).ignore = IGNORE_ALWAYS];
  oneof by {
    option (buf.validate.oneof).required = true;
    string card = 8;
    string cash = 9 [(buf.validate.field).string.pattern = "^[0-9]+$"];
  }
  map<string, Boxed> boxes = 11;
}

message Boxed {
  string label = 1 [(buf.validate.field).string.max_len = 7];
}

message Moved {
  string where = 1 [(buf.validate.field).string.max_len = 6];
}

message BuyResponse {
  Moved moved = 6;
  string order_id = 1 [(buf.validate.field).string.uuid = true];
  int32 place = 2 [(buf.validate.field).int32.lt = 5];
  Item item = 3;
  int32 old_rule = 4 [(buf.validate.field).cel = {id: "odd" expression: "this % 2 == 1"}];
}

message Item {
  string name = 1 [(buf.validate.field).string.in = "a", (buf.validate.field).string.in = "b"];
  string colour = 2 [(buf.validate.field).string.max_len = 9];
}

message Ignored {
  string text = 1 [(buf.validate.field).string.max_len = 9];
}

message Unsent {
  string text = 1 [(buf.validate.field).string.max_len = 9];
}
`

var changesOfRules = strings.NewReplacer(
	"string label = 1 [(buf.validate.field).string.max_len = 7]", "string title = 1 [(buf.validate.field).string.max_len = 6]",
	"string.max_len = 6", "string.max_len = 5",
	"  map<string, Boxed> boxes = 11;\n", "  map<string, Boxed> boxes = 11;\n  Moved moved = 12;\n  Fresh fresh = 13;\n",
	"message Boxed {", "message Fresh {\n  string text = 1 [(buf.validate.field).required = true];\n}\n\nmessage Boxed {",
	"lte: 100}", "lte: 50}",
	"message Config {\n", "message Config {\n  int32 pages = 2 [(svc.v1.field).default = \"5\", (buf.validate.field).int32.gte = 1];\n  string title = 3 [(buf.validate.field).string.min_len = 1];\n",
	"string.max_len = 100", "string.max_len = 5",
	"max_items: 9\n", "max_items: 10\n",
	"min_len: 1}", "min_len: 2}",
	"{gt: 0, lt: 100}", "{gte: 1, lte: 50}",
	"string kind = 4;", `string kind = 4 [(buf.validate.field).required = true];`,
	"lte.seconds = 9", "lte.seconds = 10",
	"string.max_len = 9];\n}\n\nmessage Unsent", "string.max_len = 8];\n}\n\nmessage Unsent",
	"    option (buf.validate.oneof).required = true;\n", "",
	`"^[0-9]+$"`, `"^[0-9]*$"`,
	"message BuyResponse {\n", "message BuyResponse {\n  string more = 5 [(buf.validate.field).required = true];\n",
	"    string card = 8;\n", "    string card = 8;\n    string voucher = 10 [(buf.validate.field).string.min_len = 4];\n",
	"string.uuid = true", "string.email = true",
	"int32.lt = 5", "int32.lt = 4",
	"% 2 == 1", "% 2 != 0",
	"message Item {\n", "message Item {\n  string size = 3 [(buf.validate.field).string.min_len = 1];\n  string weight = 4 [(buf.validate.field).string.max_len = 1];\n",
	`, (buf.validate.field).string.in = "b"`, "",
	"string colour = 2 [(buf.validate.field).string.max_len = 9]", "string colour = 2",
)

// TestRules compares contracts whose rules differ: who sends the message decides
// what that means.
func TestRules(t *testing.T) {
	buf, source := pinnedBuf(t), here(t)
	t.Chdir(t.TempDir())
	for dir, text := range map[string]string{"old": ruled, "new": changesOfRules.Replace(ruled)} {
		writeFile(t, filepath.Join(dir, "buf.yaml"), "version: v2\nmodules:\n  - path: proto\n  - path: third_party\n")
		writeFile(t, filepath.Join(dir, "buf.gen.yaml"), "version: v2\ninputs:\n  - directory: proto\nplugins:\n  - local: protoc-gen-svc\n    out: generated\n    strategy: all\n    opt:\n      - root=example.com/shop/generated\n      - proto_root=proto\n")
		writeFile(t, filepath.Join(dir, "proto/shop/v1/shop.proto"), text)
		if err := protos.Write(context.Background(), protos.Options{Dir: filepath.Join(dir, "third_party")}, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	got, err := diff(Options{Old: "old", New: "new", Buf: buf})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join(source, "testdata", "rules.txt"), got)
}

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		writeFile(t, file, got)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s wants something else (-update rewrites it):\n%s", filepath.Base(file), textdiff.Diff("want", want, "got", []byte(got)))
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func here(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func diff(o Options) (string, error) {
	o.Generate = func(r *pluginpb.CodeGeneratorRequest) ([]plugin.File, error) { return plugin.Files(r, templates.FS) }
	var out bytes.Buffer
	err := Run(context.Background(), o, &out)
	return out.String(), err
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// pinnedBuf is the buf of tools/buf, with this program as the plugin.
func pinnedBuf(t *testing.T) sync.Buf {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(capture, "1")
	return sync.Buf{Command: []string{testbuf.Find(t, "../../..")}, Plugin: []string{self}}
}
