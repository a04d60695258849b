package system_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/internal/system"
	"github.com/protosvc/protosvc/svc/client"
	"github.com/protosvc/protosvc/svc/metrics"
)

func TestHealthPages(t *testing.T) {
	sys := start(t, nil)
	for _, service := range sys.Services() {
		for _, page := range []string{"/livez", "/readyz", "/healthz"} {
			if got := get(t, service.Admin, page); got.code != http.StatusOK || got.body != "ok" {
				t.Errorf("%s of %s: %d %q", page, service.Name, got.code, got.body)
			}
		}
	}
	if got := get(t, sys.Order.Admin, "/readyz?verbose").body; !strings.Contains(got, "[+]database ok") {
		t.Errorf("readiness of order does not look at its database: %s", got)
	}
	if err := sys.Payment.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "order notices that payment is gone", func() bool {
		got := get(t, sys.Order.Admin, "/healthz", "Accept", "application/json")
		return got.field(t, "status") == "degraded"
	})
	began := time.Now()
	if got := get(t, sys.Order.Admin, "/readyz"); got.code != http.StatusOK {
		t.Errorf("without payment, order is not ready: %d %s", got.code, got.body)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("/readyz waits for payment, which order can do without: %v", took)
	}
	if got := get(t, sys.Order.Admin, "/livez"); got.code != http.StatusOK {
		t.Errorf("without payment, order is not alive: %d %s", got.code, got.body)
	}
}

func TestMetricsPage(t *testing.T) {
	s := openShop(t, nil)
	before := get(t, s.Order.Admin, "/metrics").body
	if want := `grpc_server_handled_total{grpc_code="OK",grpc_method="CreateOrder",grpc_service="order.v1.OrderService",grpc_type="unary"} 0`; !strings.Contains(before, want) {
		t.Errorf("before the first call there is no %s", want)
	}
	s.newOrder(t)
	for _, test := range []struct {
		service *system.Service
		series  string
	}{
		{s.User, `users_created_total`},
		{s.User, `grpc_server_handled_total{grpc_code="OK",grpc_method="GetUser",grpc_service="user.v1.UserService",grpc_type="unary"}`},
		{s.Order, `orders_created_total{channel="web"}`},
		{s.Order, `order_amount_minor_sum`},
		{s.Order, `grpc_client_handled_total{grpc_code="OK",grpc_method="Authorize",grpc_service="payment.v1.PaymentService",grpc_type="unary"}`},
		{s.Order, `grpc_server_handling_seconds_count{grpc_method="CreateOrder",grpc_service="order.v1.OrderService",grpc_type="unary"}`},
		{s.Order, `go_goroutines`},
		{s.Order, `process_resident_memory_bytes`},
		{s.Payment, `payments_total{outcome="authorized"}`},
	} {
		if got := metric(t, test.service, test.series); got <= 0 {
			t.Errorf("%s of %s is %v", test.series, test.service.Name, got)
		}
	}
	open := get(t, s.Order.Admin, "/metrics", "Accept", "application/openmetrics-text; version=1.0.0")
	if kind := open.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/openmetrics-text") || !strings.HasSuffix(open.body, "# EOF\n") {
		t.Errorf("asked for OpenMetrics, got %s", kind)
	}
}

// TestClientSeries: before the first call there are series of the methods that a service
// declares to call or defer, and of no other. Who makes a client by hand has all.
func TestClientSeries(t *testing.T) {
	sys := start(t, nil)
	called := regexp.MustCompile(`(?m)^grpc_client_started_total\{grpc_method="(\w+)",grpc_service="([\w.]+)",`)
	of := func(page string) (methods []string) {
		for _, m := range called.FindAllStringSubmatch(page, -1) {
			methods = append(methods, m[2]+"/"+m[1])
		}
		slices.Sort(methods)
		return methods
	}
	want := []string{"payment.v1.PaymentService/Authorize", "payment.v1.PaymentService/Refund", "user.v1.UserService/GetUser"}
	if got := of(get(t, sys.Order.Admin, "/metrics").body); !slices.Equal(got, want) {
		t.Errorf("order has series of calls of %q, want %q", got, want)
	}

	registry := metrics.New(metrics.BuildInfo{})
	d := &client.Dialer{Options: client.Options{Target: sys.User.Target(), Metrics: registry}}
	defer d.Close()
	users, err := userv1svc.DialUserService(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := users.ListUsers(limited(t), &userv1.ListUsersRequest{}); err != nil {
		t.Fatal(err)
	}
	page := httptest.NewRecorder()
	registry.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if got := of(page.Body.String()); len(got) != len(userv1svc.UserServiceSpec.Methods) || !slices.Contains(got, "user.v1.UserService/ListUsers") {
		t.Errorf("a client by hand has series of calls of %q, want all of the service", got)
	}
}

func TestConfigPageHidesSecrets(t *testing.T) {
	var secret string // of the URL: the password, of SQLite all but the scheme
	sys := start(t, func(o *system.Options) {
		at, err := url.Parse(o.Databases["order"])
		if err != nil {
			t.Fatal(err)
		}
		password, _ := at.User.Password()
		secret = cmp.Or(password, at.Path)
	})
	got := get(t, sys.Order.Admin, "/config")
	if got.code != http.StatusOK || !strings.Contains(got.body, "***") || secret == "" || strings.Contains(got.body, secret) {
		t.Errorf("%d, with the secret %q:\n%s", got.code, secret, got.body)
	}
	for _, want := range []string{"watch_interval: 1s", sys.User.Target(), sys.Order.GRPC} {
		if !strings.Contains(got.body, want) {
			t.Errorf("no %q in:\n%s", want, got.body)
		}
	}
}

func TestConfigReload(t *testing.T) {
	file := newConfig(t, "order", "service: {default_page_size: 1}\n")
	s := openShop(t, func(o *system.Options) { o.Configs = file.folder })
	ctx, first := limited(t), s.newOrder(t)
	userID := first.GetUserId()
	if _, err := s.orders.CreateOrder(ctx, orderOf(userID, 1500)); err != nil {
		t.Fatal(err)
	}
	if got := len(s.list(ctx, t, userID)); got != 1 {
		t.Fatalf("the page has %d orders, want 1", got)
	}

	t.Run("service and log", func(t *testing.T) {
		file.write(t, "log: {level: debug}\nservice: {default_page_size: 2}\n")
		if got := post(t, s.Order.Admin, "/config/reload", ""); got.code != http.StatusOK {
			t.Fatalf("%d %s", got.code, got.body)
		}
		if got := len(s.list(ctx, t, userID)); got != 2 {
			t.Errorf("the page has %d orders, want 2", got)
		}
		if len(logLines(t, s.Order, `"level":"DEBUG"`, `"msg":"call"`)) == 0 {
			t.Error("no call is logged at level debug")
		}
	})
	for _, test := range []struct {
		name, config string
		want         []string // texts of the answer
	}{
		{"unknown key", "service:\n  default_page_sise: 3\n", []string{"config.yaml\"", `"line": 2`, `"column": 3`, "default_page_sise", "default_page_size"}},
		{"wrong type", "log: {level: loud}\n", []string{"log.level", "loud"}},
		{"broken rule", "service: {default_page_size: 5000}\n", []string{"service.default_page_size"}},
		{"bound at start", "stop: {budget: 3s}\n", []string{"restart"}},
		{"several faults", "a: 1\nb: 2\n", []string{`unknown key \"a\"`, `unknown key \"b\"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			file.write(t, test.config)
			got := post(t, s.Order.Admin, "/config/reload", "")
			if got.code != http.StatusUnprocessableEntity || !containsAll(got.body, test.want) {
				t.Errorf("got %d %s, want all of %q", got.code, got.body, test.want)
			}
			if got := len(s.list(ctx, t, userID)); got != 2 {
				t.Errorf("after a refused reload the page has %d orders, want 2", got)
			}
		})
	}
	if got := get(t, s.Order.Admin, "/config/reload"); got.code != http.StatusOK || !containsAll(got.body, []string{`"generation": 2`, `"refusal"`}) {
		t.Errorf("GET /config/reload: %d %s", got.code, got.body)
	}
}

// configFile is the configuration of one service in a folder where the others
// have an empty one.
type configFile struct{ folder, path string }

func newConfig(t *testing.T, service, text string) configFile {
	t.Helper()
	c := configFile{folder: t.TempDir()}
	for _, name := range []string{"user", "payment", "order"} {
		c.path = filepath.Join(c.folder, name, "config.yaml")
		if err := os.Mkdir(filepath.Dir(c.path), 0o755); err != nil {
			t.Fatal(err)
		}
		c.write(t, "")
	}
	c.path = filepath.Join(c.folder, service, "config.yaml")
	c.write(t, text)
	return c
}

func (c configFile) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(c.path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
