package size_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The runtime serves HTTP/JSON itself. The module would come back unseen with the package of
// OpenTelemetry's collector, which has code of grpc-gateway in it.
func TestNoGateway(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./generated/deploy/...")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.Lines(string(out)) {
		if strings.Contains(pkg, "grpc-gateway") {
			t.Errorf("the services import %s", strings.TrimSpace(pkg))
		}
	}
}
