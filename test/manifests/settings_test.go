package manifests

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/internal/testservice"
	"github.com/protosvc/protosvc/services/order"
	"github.com/protosvc/protosvc/services/payment"
	"github.com/protosvc/protosvc/services/user"
	"github.com/protosvc/protosvc/svc"
)

var flagship = map[string]svc.Service{
	"order":   orderv1svc.OrderService(order.New, order.Migrations),
	"payment": paymentv1svc.PaymentService(payment.New, payment.Migrations),
	"user":    userv1svc.UserService(user.New, user.Migrations),
}

// TestSettings starts every service with no file, with the sample, and with what the
// ConfigMap holds. Both name only keys that exist, or it would not start, and say what
// the contract says.
func TestSettings(t *testing.T) {
	services, err := Services(generated(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(services) != len(flagship) {
		t.Errorf("%d services are generated, %d known here", len(services), len(flagship))
	}
	for _, s := range services {
		t.Run(s.Name, func(t *testing.T) {
			deployed := filepath.Join(t.TempDir(), settingsFile)
			if err := os.WriteFile(deployed, []byte(s.ConfigMap.Data[settingsFile]), 0o644); err != nil {
				t.Fatal(err)
			}
			want := inForce(t, s.Name, "")
			for _, file := range []string{filepath.Join(deploy, s.Name, settingsFile), deployed} {
				if diff := cmp.Diff(want, inForce(t, s.Name, file)); diff != "" {
					t.Errorf("%s: the contract's defaults and the file's differ (-contract +file):\n%s", file, diff)
				}
			}
		})
	}
}

// TestSettingsFromEnvironment sets one variable of each section, named as in the
// files.
func TestSettingsFromEnvironment(t *testing.T) {
	file := filepath.Join(deploy, "order", settingsFile)
	got := inForce(t, "order", file,
		"ORDER_STOP_DRAIN_DELAY=7ms", "ORDER_CALLEES_USER_SERVICE_TARGET=dns:///elsewhere:1", "ORDER_SERVICE_DEFAULT_PAGE_SIZE=7")
	was := inForce(t, "order", file)
	var changed []string
	for _, line := range got {
		if !slices.Contains(was, line) {
			changed = append(changed, strings.TrimSpace(line))
		}
	}
	slices.Sort(changed)
	want := []string{"default_page_size: 7", "drain_delay: 7ms", "target: dns:///elsewhere:1"}
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Errorf("the environment changes something else (-want +got):\n%s", diff)
	}
}

// inForce runs a service with a file, if any, and returns the lines of its settings.
func inForce(t *testing.T, service, file string, environ ...string) []string {
	t.Helper()
	at := testservice.Start(t, flagship[service], svc.Options{Config: file, Environ: environ})
	text, err := read("http://" + at.Admin + "/config")
	if err != nil {
		t.Fatal(err)
	}
	comment := func(line string) bool { return strings.HasPrefix(line, "#") } // since when, and of which files
	return slices.DeleteFunc(strings.Split(text, "\n"), comment)
}

func read(url string) (string, error) {
	res, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET %s: %s", url, res.Status)
	}
	text, err := io.ReadAll(res.Body)
	return string(text), err
}
