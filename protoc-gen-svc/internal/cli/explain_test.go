package cli

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protosvc/protosvc/internal/testbuf"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/settings"
)

// flagship writes the contract of this repository as a descriptor set, and leaves the
// test at its root.
func flagship(t *testing.T) string {
	t.Helper()
	buf := testbuf.Find(t, "../../..")
	t.Chdir("../../..")
	set := filepath.Join(t.TempDir(), "set.binpb")
	if out, err := exec.Command(buf, "build", "proto", "--exclude-path", "proto/svc", "-o", set).CombinedOutput(); err != nil {
		t.Fatalf("buf: %v\n%s", err, out)
	}
	return set
}

// TestExplain: each flag prints more or less of the same.
func TestExplain(t *testing.T) {
	set := flagship(t)
	explain := func(args ...string) string {
		var out, errors bytes.Buffer
		if exit := Main(append([]string{"explain", "order.v1.OrderService.GetOrder", "--descriptor-set=" + set}, args...), &out, &errors); exit != exitOK {
			t.Fatalf("exit code %d: %s", exit, &errors)
		}
		return out.String()
	}
	const title = "method order.v1.OrderService/GetOrder\n"
	const only = title + `  timeout            300ms                      proto/order/v1/order.proto:101:7
  errors             ORDER_ERROR_NOT_FOUND      proto/order/v1/order.proto:102:7
  (google.api.http)  GET /v1/orders/{order_id}  proto/order/v1/order.proto:99:12
  idempotency_level  NO_SIDE_EFFECTS            proto/order/v1/order.proto:98:5
`
	if got := explain("--set"); got != only {
		t.Errorf("--set prints\n%s\nwant\n%s", got, only)
	}
	const file = "\n      deploy/index.html deploy/order/README.md order/v1/orderv1svc/order_service_service.go\n"
	if got := explain(); !strings.Contains(got, "\n  retry.attempts         3                          by idempotency_level\n") || strings.Contains(got, file) || strings.Contains(got, "hedge") {
		t.Errorf("without flags it prints\n%s", got)
	}
	if got := explain("-v"); !strings.Contains(got, "by idempotency_level"+file) || !strings.Contains(got, "\n  hedge                  -                          default"+file) {
		t.Errorf("-v prints\n%s", got)
	}
	var groups []settings.Group
	if err := json.Unmarshal([]byte(explain("--json")), &groups); err != nil || len(groups) != 1 || len(groups[0].Settings) < 15 {
		t.Errorf("--json has %d groups (%v)", len(groups), err)
	}
	if err := json.Unmarshal([]byte(explain("--json", "--set")), &groups); err != nil || len(groups) != 1 || len(groups[0].Settings) != 4 {
		t.Errorf("--json --set has %d groups (%v)", len(groups), err)
	}
}
