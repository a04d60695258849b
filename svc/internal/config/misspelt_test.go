package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/protosvc/protosvc/svc/internal/config"
)

// A variable that looks like a misspelt key is a fault. What Kubernetes puts there
// never is, nor what belongs to somebody else.
func TestMisspeltVariables(t *testing.T) {
	for variable, want := range map[string]string{
		"ORDER_DATABASE_URLL=x":                   "ORDER_DATABASE_URL",
		"ORDER_DATABSE_URL=x":                     "ORDER_DATABASE_URL",
		"ORDER_DATABASEURL=x":                     "ORDER_DATABASE_URL",
		"ORDER_GRPC_PROT=1":                       "ORDER_GRPC_PORT",
		"ORDER_CALLEES_USER_SERVICE_TARGETS=x":    "ORDER_CALLEES_USER_SERVICE_TARGET",
		"ORDER_SERVICE_MAX_ITEM=1":                "ORDER_SERVICE_MAX_ITEMS",
		"ORDER_PROT=tcp://10.0.0.1:80":            "",
		"ORDER_ZDOTDIR=/home":                     "",
		"ORDER_SERVICE_HOST=10.0.0.1":             "",
		"ORDER_SERVICE_HOST=fd00::1":              "",
		"ORDER_SERVICE_PORT=80":                   "",
		"ORDER_SERVICE_PORT_GRPC=80":              "",
		"ORDER_PORT=tcp://10.0.0.1:80":            "",
		"ORDER_PORT=tcp://[fd00::1]:80":           "",
		"ORDER_PORT_80_TCP=tcp://10.0.0.1:80":     "",
		"ORDER_PORT_80_TCP_PROTO=tcp":             "",
		"ORDER_PORT_80_TCP_PORT=80":               "",
		"ORDER_PORT_53_UDP_ADDR=10.0.0.1":         "",
		"ORDER_GRPCS_PORT=tcp://10.0.0.1:80":      "", // of a Service "order-grpcs"
		"ORDER_GRPCS_PORT=80":                     "ORDER_GRPC_PORT",
		"ORDER_CACHE_SERVICE_PORT_GRPC_WEB=80":    "",
		"ORDER_DB_0_PORT_5432_TCP_ADDR=10.0.0.10": "",
	} {
		err := config.Load(config.Source{Prefix: "ORDER", Environ: []string{variable}}, defaults(), newConfig(t))
		name, _, _ := strings.Cut(variable, "=")
		text := ""
		if want != "" {
			text = fmt.Sprintf("environment variable %s: there is no such setting (did you mean %s)", name, want)
		}
		if got := fmt.Sprint(err); got != text && !(want == "" && err == nil) {
			t.Errorf("%s: %v, want %q", variable, err, text)
		}
	}
}

// A message that contains itself has keys without end; looking for one ends.
func TestMisspeltInRecursion(t *testing.T) {
	began := time.Now()
	err := config.Load(config.Source{Prefix: "X", Environ: []string{"X_SERVICE_NAMEE=x"}}, nil, new(descriptorpb.DescriptorProto))
	if err == nil || !strings.Contains(err.Error(), "did you mean X_SERVICE_NAME)") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// A file of nothing but faults is read to its end, and not all of them are said.
func TestManyFaults(t *testing.T) {
	var text strings.Builder
	const keys = 20_000
	for i := range keys {
		fmt.Fprintf(&text, "unknown_key_%d: 1\n", i)
	}
	in(t, map[string]string{"config.yaml": text.String()})
	err := config.Load(config.Source{Path: "config.yaml"}, defaults(), nil)
	if err == nil {
		t.Fatal("no fault")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 101 || lines[100] != "and 19900 more faults" {
		t.Errorf("%d lines, the last one is %q", len(lines), lines[len(lines)-1])
	}
}

// A file that is no config may have a line of any length for a key.
func TestLongKeysAreCut(t *testing.T) {
	long := strings.Repeat("x", 1000) // YAML takes no more
	for _, text := range []string{long + ": 1\n", "service:\n  " + long + ": 1\n", long + ": 1\n" + long + ": 2\n"} {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := config.Load(config.Source{Path: path}, defaults(), newConfig(t))
		if err == nil || len(err.Error()) > 600 || !strings.Contains(err.Error(), "xxx…") {
			t.Errorf("the error has %d bytes: %.200v", len(fmt.Sprint(err)), err)
		}
	}
}
