package system_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/svc"
)

// reserve is what the grace periods add for what comes after the budget.
const reserve = 5 * time.Second

// Everything that says how long a stop may take says the same: the binary, its
// config.yaml and the ConfigMap, and the two that kill the process, Kubernetes
// and systemd.
func TestStopTimesAgree(t *testing.T) {
	for _, s := range []svc.Service{
		orderv1svc.OrderService(nil, nil),
		paymentv1svc.PaymentService(nil, nil),
		userv1svc.UserService(nil, nil),
	} {
		t.Run(s.Name, func(t *testing.T) {
			deploy := filepath.Join(root, "generated", "deploy", s.Name)
			want := s.Settings.Stop
			if want.Budget <= 0 || want.DrainDelay < 0 {
				t.Fatalf("the binary has %v", want)
			}
			var config struct{ Stop configStop }
			decode(t, read(t, deploy, "config.yaml"), &config)
			if got := config.Stop.parse(t); got != want {
				t.Errorf("config.yaml has %v, the binary %v", got, want)
			}
			var configMap struct{ Data map[string]string }
			decode(t, read(t, deploy, "k8s", "configmap.yaml"), &configMap)
			var mounted struct{ Stop configStop }
			decode(t, []byte(configMap.Data["config.yaml"]), &mounted)
			if got := mounted.Stop.parse(t); got != want {
				t.Errorf("the ConfigMap has %v, the binary %v", got, want)
			}
			whole := want.DrainDelay + want.Budget + reserve
			if got := time.Duration(gracePeriod(t, deploy)) * time.Second; got < whole || got > whole+time.Second {
				t.Errorf("the pod has %v, a stop may take %v", got, whole)
			}
			unit := regexp.MustCompile(`(?m)^TimeoutStopSec=(.*)$`).FindSubmatch(read(t, deploy, "systemd", s.Name+".service"))
			if unit == nil {
				t.Fatal("the unit has no TimeoutStopSec")
			}
			if got, err := time.ParseDuration(string(unit[1])); err != nil || got < whole || got > whole+time.Second {
				t.Errorf("systemd waits %v (%v), a stop may take %v", got, err, whole)
			}
		})
	}
}

type configStop struct {
	DrainDelay string `yaml:"drain_delay"`
	Budget     string `yaml:"budget"`
}

func (c configStop) parse(t *testing.T) (out svc.Stop) {
	t.Helper()
	var err error
	if out.DrainDelay, err = time.ParseDuration(c.DrainDelay); err != nil {
		t.Error(err)
	}
	if out.Budget, err = time.ParseDuration(c.Budget); err != nil {
		t.Error(err)
	}
	return out
}

func gracePeriod(t *testing.T, deploy string) int {
	t.Helper()
	var deployment struct {
		Spec struct {
			Template struct {
				Spec struct {
					Grace      int `yaml:"terminationGracePeriodSeconds"`
					Containers []struct {
						Lifecycle any // a preStop hook would take its time from the grace period
					}
				}
			}
		}
	}
	decode(t, read(t, deploy, "k8s", "deployment.yaml"), &deployment)
	for i, c := range deployment.Spec.Template.Spec.Containers {
		if c.Lifecycle != nil {
			t.Errorf("container %d has hooks that no time is reckoned for: %v", i, c.Lifecycle)
		}
	}
	return deployment.Spec.Template.Spec.Grace
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatal(fmt.Errorf("%w in %s", err, data))
	}
}
