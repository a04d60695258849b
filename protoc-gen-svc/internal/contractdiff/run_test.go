package contractdiff

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/protos"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
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

const wanted = `method shop.v1.ShopService/Browse
  breaking  gone  callers get UNIMPLEMENTED
service shop.v1.ShopService
  look  (svc.v1.service).scale.min: 3 -> 2  less capacity
method shop.v1.ShopService/Buy
  look      (svc.v1.method).retry.attempts: 3 -> none            how often a failing callee is called
  look      (svc.v1.method).retry.initial_backoff: 50ms -> none  how often a failing callee is called
  look      (svc.v1.method).retry.max_backoff: 1s -> none        how often a failing callee is called
  look      (svc.v1.method).retry.codes: Unavailable -> none     how often a failing callee is called
  look      (svc.v1.method).timeout: 2s -> 1s                    calls that took longer are cut
  breaking  (svc.v1.method).idempotency_key: request_id -> none  a repeated call has a second effect
method shop.v1.ShopService/Pay
  safe  new  nobody calls it yet
error shop.v1.ShopError.SHOP_ERROR_SOLD_OUT
  breaking  (svc.v1.error).code: FailedPrecondition -> ResourceExhausted  callers, retries and alerts go by the code
  breaking  (svc.v1.error).http_status: 400 -> 429                        HTTP callers go by the status
wire, by buf breaking
  breaking  shop/v1/shop.proto:32:3: Field "2" with name "sku" on message "BuyRequest" changed type from "string" to "int32". See https://developers.google.com/protocol-buffers/docs/proto3#updating for wire compatibility rules and https://developers.google.com/protocol-buffers/docs/proto3#json for JSON compatibility rules. (FIELD_WIRE_JSON_COMPATIBLE_TYPE)

5 breaking, 6 to look at, 1 safe
`

// TestRun compares a commit with the work tree, and with an image, by the real buf
// and the real git. The third-party protos are not in the commit, as usual.
func TestRun(t *testing.T) {
	buf := buildBuf(t)
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(".gitignore", "/third_party/\n")
	write("buf.yaml", "version: v2\nmodules:\n  - path: proto\n  - path: third_party\n")
	write("buf.gen.yaml", "version: v2\ninputs:\n  - directory: proto\nplugins:\n  - local: protoc-gen-svc\n    out: generated\n    strategy: all\n    opt:\n      - root=example.com/shop/generated\n")
	write("proto/shop/v1/shop.proto", contract)
	if err := protos.Write(context.Background(), protos.Options{Dir: "third_party"}, io.Discard); err != nil {
		t.Fatal(err)
	}
	command(t, "git", "init", "-q")
	command(t, "git", "add", "-A")
	command(t, "git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "old")
	command(t, buf.Command[0], "build", "proto", "-o", "old.binpb")
	write("proto/shop/v1/shop.proto", edits.Replace(contract))

	for _, old := range []string{"HEAD", "old.binpb"} {
		if got, err := diff(Options{Old: old, New: ".", Buf: buf}); err != nil || got != wanted {
			t.Errorf("%s: %v\n%s\nwant\n%s", old, err, got, wanted)
		}
	}
	if got, err := diff(Options{Old: "HEAD", New: "HEAD", Buf: buf, Fail: true}); err != nil || got != "nothing differs\n" {
		t.Errorf("the same commit: %v\n%s", err, got)
	}
	got, err := diff(Options{Old: "HEAD", New: ".", Buf: buf, JSON: true, Fail: true})
	var report Report
	if !errors.Is(err, ErrBreaking) || json.Unmarshal([]byte(got), &report) != nil || len(report.Changes) != 11 || len(report.Wire) != 1 {
		t.Errorf("JSON: %v\n%s", err, got)
	}
	if _, err := diff(Options{Old: "nowhere", New: ".", Buf: buf}); err == nil || err.Error() != `"nowhere" is neither a folder, nor a file, nor a commit of the repository here` {
		t.Errorf("a word that means nothing: %v", err)
	}
	write("proto/shop/v1/shop.proto", strings.Replace(contract, "2s", "soon", 1))
	if _, err := diff(Options{Old: "HEAD", New: ".", Buf: buf}); err == nil || !strings.Contains(err.Error(), `shop/v1/shop.proto:18:7: ShopService.Buy: duration-format: timeout "soon" is not a duration`) {
		t.Errorf("a contract with a fault: %v", err)
	}
	if dirty := command(t, "git", "status", "--porcelain"); dirty != " M proto/shop/v1/shop.proto\n?? old.binpb\n" {
		t.Errorf("the work tree has changed:\n%s", dirty)
	}
}

func diff(o Options) (string, error) {
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

// buildBuf builds the pinned buf, with this program as the plugin.
func buildBuf(t *testing.T) sync.Buf {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "buf")
	build := exec.Command("go", "build", "-modfile=tools/buf/go.mod", "-o", bin, "github.com/bufbuild/buf/cmd/buf")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(capture, "1")
	return sync.Buf{Command: []string{bin}, Plugin: []string{self}}
}
