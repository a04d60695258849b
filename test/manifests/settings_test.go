package manifests

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/svc"
	"github.com/protosvc/protosvc/svc/config"
)

// flagship are the services with the defaults of their contracts and the message
// of their own settings.
var flagship = map[string]struct {
	service func() svc.Service
	message proto.Message
}{
	"order":   {func() svc.Service { return orderv1svc.OrderService(nil, nil) }, &orderv1.Config{}},
	"payment": {func() svc.Service { return paymentv1svc.PaymentService(nil, nil) }, &paymentv1.Config{}},
	"user":    {func() svc.Service { return userv1svc.UserService(nil, nil) }, &userv1.Config{}},
}

// TestSettings loads the sample and the ConfigMap as the service does. Both name
// only keys that exist, and both say what the contract says.
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
			want := flagship[s.Name].service().Settings
			var messages []proto.Message
			for _, file := range []string{filepath.Join(deploy, s.Name, settingsFile), deployed} {
				settings, message := load(t, s.Name, file)
				if diff := cmp.Diff(want, settings); diff != "" {
					t.Errorf("%s: the contract's defaults and the file's differ (-contract +file):\n%s", file, diff)
				}
				messages = append(messages, message)
			}
			if diff := cmp.Diff(messages[0], messages[1], protocmp.Transform()); diff != "" {
				t.Errorf("sample and ConfigMap differ (-sample +ConfigMap):\n%s", diff)
			}
		})
	}
}

func load(t *testing.T, service, file string) (svc.Settings, proto.Message) {
	t.Helper()
	known := flagship[service]
	settings, message := known.service().Settings, proto.Clone(known.message)
	if err := config.Load(config.Source{Path: file}, &settings, message); err != nil {
		t.Fatal(err)
	}
	return settings, message
}

// TestSettingsFromEnvironment sets one variable of each section, named as in the
// files.
func TestSettingsFromEnvironment(t *testing.T) {
	settings, message := flagship["order"].service().Settings, &orderv1.Config{}
	err := config.Load(config.Source{
		Path:   filepath.Join(deploy, "order", settingsFile),
		Prefix: "ORDER",
		Environ: []string{
			"ORDER_LISTEN_GRPC=:1", "ORDER_STOP_DRAIN_DELAY=7s", "ORDER_DATABASE_URL=postgres://db",
			"ORDER_CALLEES_USER_SERVICE_TARGET=dns:///elsewhere:1", "ORDER_SERVICE_DEFAULT_PAGE_SIZE=7",
		},
	}, &settings, message)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{settings.Listen.GRPC, settings.Stop.DrainDelay.String(), settings.Database.URL, settings.Callees["user_service"].Target, message.GetDefaultPageSize()}
	if diff := cmp.Diff([]any{":1", "7s", "postgres://db", "dns:///elsewhere:1", int32(7)}, got); diff != "" {
		t.Error(diff)
	}
}
