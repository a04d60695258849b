package protos

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

func write(t *testing.T, o Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(context.Background(), o, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWrite(t *testing.T) {
	// Neither the current directory nor the caller's flags may matter.
	t.Chdir(t.TempDir())
	t.Setenv("GOFLAGS", "-mod=vendor")
	t.Setenv("GOWORK", "/nowhere/go.work")

	if got, want := write(t, Options{Dir: "third_party"}), "third_party: wrote 7 of 7 proto files\n"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	for file, want := range map[string]string{
		"google/api/annotations.proto":   "HttpRule http = 72295728;",
		"google/api/http.proto":          "message HttpRule",
		"google/rpc/code.proto":          "UNAVAILABLE = 14;",
		"google/rpc/error_details.proto": "message BadRequest",
		"google/rpc/status.proto":        "message Status",
		"buf/validate/validate.proto":    "package buf.validate;",
		"svc/v1/svc.proto":               svcv1.Source,
	} {
		name := filepath.Join("third_party", file)
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s does not contain %.40q (%v)", file, want, err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: mode %v, want 0644 (%v)", file, info.Mode(), err)
		}
	}
}

func TestWriteOnlyWhatDiffers(t *testing.T) {
	dir := t.TempDir()
	write(t, Options{Dir: dir})
	right, edited := filepath.Join(dir, "google/api/http.proto"), filepath.Join(dir, "google/rpc/code.proto")
	other := filepath.Join(dir, "google/api/mine.proto")
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, name := range []string{edited, other} {
		if err := os.WriteFile(name, []byte("// mine\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(right, past, past); err != nil {
		t.Fatal(err)
	}

	if got, want := write(t, Options{Dir: dir, Verbose: true}), edited+"\n"+dir+": wrote 1 of 7 proto files\n"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	if info, err := os.Stat(right); err != nil || !info.ModTime().Equal(past) {
		t.Errorf("a file that was right was written again (%v)", err)
	}
	if text, err := os.ReadFile(other); err != nil || string(text) != "// mine\n" {
		t.Errorf("a file of others is now %q (%v)", text, err)
	}
	if got, want := write(t, Options{Dir: dir}), dir+": all 7 proto files are up to date\n"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "google/*/.protos-*")); left != nil {
		t.Errorf("temporary files are left: %v", left)
	}
}

func TestThirdPartyOnly(t *testing.T) {
	dir := t.TempDir()
	write(t, Options{Dir: dir, ThirdPartyOnly: true})
	if _, err := os.Stat(filepath.Join(dir, "svc")); !os.IsNotExist(err) {
		t.Errorf("folder svc: %v, want none", err)
	}
}

func TestDownloadFaults(t *testing.T) {
	cases := []struct{ name, variable, value, want string }{
		{"no go", "PATH", "/nowhere", "the go command is not in PATH"},
		{"no proxy", "GOPROXY", "off", "module istio.io/api@v1.31.1 cannot be had: "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(c.variable, c.value)
			if c.variable == "GOPROXY" {
				t.Setenv("GOMODCACHE", t.TempDir())
			}
			dir := filepath.Join(t.TempDir(), "out")
			err := Write(context.Background(), Options{Dir: dir}, &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q", err, c.want)
			}
			if _, err := os.Stat(dir); !os.IsNotExist(err) {
				t.Errorf("something was written: %v", err)
			}
		})
	}
}

// TestPins checks that no module is taken on trust: what pins.sum does not list,
// the go command would accept from any proxy that a user has set.
func TestPins(t *testing.T) {
	pins := pinned()
	if len(pins) != len(sources) {
		t.Fatalf("pins.mod has %v, want one for each of the %d sources", pins, len(sources))
	}
	for _, pin := range pins {
		if line := strings.Replace(pin, "@", " ", 1) + " h1:"; !strings.Contains(string(pinsSum), line) {
			t.Errorf("pins.sum has no line %q", line)
		}
	}
}
