package svctest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	paymentv1 "github.com/protosvc/protosvc/generated/payment/v1"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svctest"
	"github.com/protosvc/protosvc/services/order"
	"github.com/protosvc/protosvc/services/user"
	"github.com/protosvc/protosvc/svc"
	"github.com/protosvc/protosvc/svc/database"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/server"
	"github.com/protosvc/protosvc/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func orders() svc.Service { return orderv1svc.OrderService(order.New, order.Migrations) }

func users() svc.Service { return userv1svc.UserService(user.New, user.Migrations) }

// handled is the user service with this handler.
func handled(handler func(userv1svc.UserServiceDeps) userv1.UserServiceServer) svc.Service {
	return userv1svc.UserService(func(d userv1svc.UserServiceDeps) (userv1.UserServiceServer, error) { return handler(d), nil }, nil)
}

func getUser(t testing.TB, s *svctest.Service, id string) error {
	_, err := userv1.NewUserServiceClient(s.Conn).GetUser(t.Context(), &userv1.GetUserRequest{UserId: id})
	return err
}

// answering is a user service that knows everybody, unless its function has an error.
func answering(f func(context.Context) error) *userv1svctest.UserService {
	return &userv1svctest.UserService{
		GetUserFunc: func(ctx context.Context, req *userv1.GetUserRequest) (*userv1.GetUserResponse, error) {
			return &userv1.GetUserResponse{User: &userv1.User{UserId: req.GetUserId()}}, f(ctx)
		},
	}
}

func TestErrorsOfTheContract(t *testing.T) {
	t.Parallel()
	s := svctest.Start(t, users())
	if err := getUser(t, s, nobody); !errors.Is(err, userv1svc.UserErrorNotFound) {
		t.Errorf("GetUser of nobody: %v", err)
	}
	if err := getUser(t, s, "x"); !errors.Is(err, svcerrors.InvalidRequest) {
		t.Errorf("GetUser of no id: %v", err)
	}
}

// A fake stands behind the real service: it gets no request that is not valid, a
// deadline, and its errors are held to the contract.
func TestFakesAreServices(t *testing.T) {
	t.Parallel()
	var left time.Duration
	fault := errors.New("not of the contract")
	s := svctest.Start(t, orders(), svctest.Fake(paymentv1svc.PaymentService)(bank()),
		svctest.Fake(userv1svc.UserService)(answering(func(ctx context.Context) error {
			end, _ := ctx.Deadline()
			left = time.Until(end)
			return fault
		})))
	_, err := orderv1.NewOrderServiceClient(s.Conn).CreateOrder(t.Context(), request(ada))
	if status.Code(err) != codes.Internal || strings.Contains(err.Error(), fault.Error()) {
		t.Errorf("an unknown error of a fake is %v to the caller", err)
	}
	if most := orderv1svc.OrderServicePolicies.CreateOrder.Timeout; left <= 0 || left > most {
		t.Errorf("a fake has a deadline in %v, want one below %v", left, most)
	}
}

func TestServicesCallEachOther(t *testing.T) {
	t.Parallel()
	u := svctest.Start(t, users())
	created, err := userv1.NewUserServiceClient(u.Conn).CreateUser(t.Context(), &userv1.CreateUserRequest{Email: "ada@example.org", DisplayName: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	s := svctest.Start(t, orders(), u, svctest.Fake(paymentv1svc.PaymentService)(bank()))
	if _, err := orderv1.NewOrderServiceClient(s.Conn).CreateOrder(t.Context(), request(created.GetUser().GetUserId())); err != nil {
		t.Error(err)
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	s := svctest.Start(t, users())
	res, err := s.Client.Get(s.HTTP + "/v1/users/" + nobody)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusNotFound || !strings.Contains(string(body), "USER_ERROR_NOT_FOUND") {
		t.Errorf("GET of nobody: %d %s", res.StatusCode, body)
	}
}

// Settings are the contract's, and Config changes them.
func TestConfig(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]int32{"": 20, "service: {default_page_size: 3}": 3} {
		deps := svctest.Deps(t, orderv1svc.OrderService, order.Migrations, svctest.Config(config),
			svctest.Fake(userv1svc.UserService)(people()), svctest.Fake(paymentv1svc.PaymentService)(bank()))
		if got := deps.Config.Load().GetDefaultPageSize(); got != want {
			t.Errorf("with %q pages have %d orders, want %d", config, got, want)
		}
	}
}

func TestReplicasShareADatabase(t *testing.T) {
	t.Parallel()
	first := svctest.Start(t, users())
	second := svctest.Start(t, users(), svctest.Config(fmt.Sprintf("database: {url: %q}", first.Database)))
	created, err := userv1.NewUserServiceClient(first.Conn).CreateUser(t.Context(), &userv1.CreateUserRequest{Email: "ada@example.org", DisplayName: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	if err := getUser(t, second, created.GetUser().GetUserId()); err != nil {
		t.Error(err)
	}
	if second.Database != first.Database {
		t.Errorf("replicas have the databases %s and %s", first.Database, second.Database)
	}
	if other := svctest.Start(t, users()); getUser(t, other, created.GetUser().GetUserId()) == nil {
		t.Error("another service has the same user")
	}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	s := svctest.Start(t, handled(func(d userv1svc.UserServiceDeps) userv1.UserServiceServer {
		return answering(func(ctx context.Context) error {
			d.Log.InfoContext(ctx, "asked", slog.Int("times", 3))
			return nil
		})
	}))
	if err := getUser(t, s, ada); err != nil {
		t.Fatal(err)
	}
	if line := s.Log("asked"); line["times"] != 3.0 || line["trace_id"] == nil {
		t.Errorf("line of the log is %v", line)
	}
	if lines := s.Logs(); len(lines) < 2 {
		t.Errorf("the log is %v", lines)
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	s := svctest.Start(t, orders(), svctest.Fake(userv1svc.UserService)(people()), svctest.Fake(paymentv1svc.PaymentService)(bank()))
	if _, err := orderv1.NewOrderServiceClient(s.Conn).CreateOrder(t.Context(), request(ada)); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"user.v1.UserService/GetUser": true, "payment.v1.PaymentService/Authorize": true, "order.v1.OrderService/CreateOrder": true}
	var got []string
	for _, span := range s.Spans() {
		got = append(got, span.Name())
		delete(want, span.Name())
	}
	if len(want) > 0 {
		t.Errorf("spans are %v, without %v", got, want)
	}
}

func TestMetric(t *testing.T) {
	t.Parallel()
	s := svctest.Start(t, users())
	for range 2 {
		_ = getUser(t, s, nobody)
	}
	_ = getUser(t, s, "x")
	for series, want := range map[string]float64{
		`grpc_server_handled_total{grpc_method="GetUser",grpc_code="NotFound"}`:                                     2,
		`grpc_server_handled_total{grpc_code="NotFound", grpc_service="user.v1.UserService",grpc_method="GetUser"}`: 2,
		`grpc_server_handled_total{grpc_method="GetUser"}`:                                                          3,
		`grpc_server_handled_total{grpc_method="GetUser",grpc_code="Aborted"}`:                                      0,
		`users_created_total`: 0,
	} {
		if got := s.Metric(series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
}

// bare is a service without HTTP, database and callees.
func bare(handler func(svc.Deps) (userv1.UserServiceServer, error)) svc.Service {
	return svc.Service{
		Name: "bare", FullName: userv1svc.UserServiceName, Settings: userSettings(),
		Start: svc.Start(&userv1.UserService_ServiceDesc, func(a *svc.App) svc.Deps { return a.Deps() }, handler,
			func(_ *server.Binder, h userv1.UserServiceServer, _ svc.Deps) userv1.UserServiceServer { return h }),
	}
}

func userSettings() svc.Settings {
	settings := users().Settings
	settings.Database = nil
	return settings
}

func TestBareService(t *testing.T) {
	t.Parallel()
	s := svctest.Start(t, bare(func(svc.Deps) (userv1.UserServiceServer, error) { return people(), nil }))
	if err := getUser(t, s, ada); err != nil {
		t.Error(err)
	}
	if s.HTTP != "" || s.Database != "" {
		t.Errorf("bare service has HTTP at %q and a database at %q", s.HTTP, s.Database)
	}
	// As what others call, and as what gives its Deps.
	o := svctest.Start(t, orders(), svctest.Fake(svctest.NoDatabase(bare))(people()), svctest.Fake(paymentv1svc.PaymentService)(bank()))
	if _, err := orderv1.NewOrderServiceClient(o.Conn).CreateOrder(t.Context(), request(ada)); err != nil {
		t.Error(err)
	}
	svctest.Deps(t, svctest.NoDatabase(bare), nil).Log.Info("works")
}

// Everything in Deps can be used.
func TestDeps(t *testing.T) {
	t.Parallel()
	ran := make(chan struct{})
	deps := svctest.Deps(t, orderv1svc.OrderService, order.Migrations,
		svctest.Fake(userv1svc.UserService)(people()), svctest.Fake(paymentv1svc.PaymentService)(bank()))
	deps.Log.Info("works")
	deps.Metrics.OrdersCreatedTotal("web").Inc()
	deps.AddReadinessCheck("check", func(context.Context) error { return nil })
	deps.Go("work", func(context.Context) error { close(ran); return nil })
	_, span := deps.TracerProvider.Tracer("test").Start(t.Context(), "span")
	span.End()
	select {
	case <-deps.Stopping():
		t.Error("the service stops")
	case <-ran:
		t.Error("background work runs")
	default:
	}
	if _, err := deps.UserService.GetUser(t.Context(), &userv1.GetUserRequest{UserId: nobody}); !errors.Is(err, userv1svc.UserErrorNotFound) {
		t.Errorf("GetUser of nobody: %v", err)
	}
	if _, err := deps.PaymentService.Authorize(t.Context(), &paymentv1.AuthorizeRequest{}); !errors.Is(err, svcerrors.InvalidRequest) {
		t.Errorf("Authorize of nothing: %v", err)
	}
	handler, err := order.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	res, err := handler.CreateOrder(t.Context(), request(ada))
	if err != nil || res.GetOrder().GetState() != orderv1.OrderState_ORDER_STATE_CONFIRMED {
		t.Errorf("CreateOrder of the handler: %v, %v", res, err)
	}
}

// A stop is quick, although the contract has a drain delay and a stream is open.
func TestStop(t *testing.T) {
	t.Parallel()
	s := svctest.Start(t, orders(), svctest.Fake(userv1svc.UserService)(people()), svctest.Fake(paymentv1svc.PaymentService)(bank()))
	client := orderv1.NewOrderServiceClient(s.Conn)
	stream, err := client.ImportOrders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(s.Target, "passthrough:///")
	begin := time.Now()
	s.Stop()
	s.Stop()
	if took, delay := time.Since(begin), orders().Settings.Stop.DrainDelay; took >= delay {
		t.Errorf("the stop took %v, want less than the drain delay, %v", took, delay)
	}
	if _, err := stream.CloseAndRecv(); err == nil {
		t.Error("a stream outlives its service")
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("the service still listens")
	}
}

// Migrations are applied although, in production, another process does that.
func TestAwaitedMigrations(t *testing.T) {
	t.Parallel()
	s := users()
	s.AwaitMigrations = true
	if err := getUser(t, svctest.Start(t, s), nobody); !errors.Is(err, userv1svc.UserErrorNotFound) {
		t.Errorf("GetUser of nobody: %v", err)
	}
}

// A fake needs none of what its service calls, even where that gates its readiness.
func TestFakeOfACaller(t *testing.T) {
	t.Parallel()
	gated := func(newHandler func(orderv1svc.OrderServiceDeps) (orderv1.OrderServiceServer, error), migrations fs.FS) svc.Service {
		s := orderv1svc.OrderService(newHandler, migrations)
		for _, c := range s.Callees {
			c.GatesReadiness = true
		}
		return s
	}
	callee := &svc.Callee{Key: "order_service", Spec: orderv1svc.OrderServiceSpec, Balance: "round_robin"}
	s, conn := users(), grpc.ClientConnInterface(nil)
	s.Callees = []*svc.Callee{callee}
	inner := s.Start
	s.Start = func(a *svc.App) error { conn = a.Dial(callee); return inner(a) }
	svctest.Start(t, s, svctest.Fake(gated)(orderv1.UnimplementedOrderServiceServer{}))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := orderv1.NewOrderServiceClient(conn).GetOrder(ctx, &orderv1.GetOrderRequest{OrderId: nobody}, grpc.WaitForReady(true)); status.Code(err) != codes.Unimplemented {
		t.Errorf("GetOrder of a fake: %v, want Unimplemented", err)
	}
	if callee.Spec.Target != orderv1svc.OrderServiceSpec.Target {
		t.Errorf("the target of the caller's own service has become %s", callee.Spec.Target)
	}
}

func TestFailures(t *testing.T) {
	type failing struct {
		name string
		test func(t *fakeT)
		want []string
	}
	fail := func(s svc.Service, opts ...svctest.Option) func(*fakeT) {
		return func(t *fakeT) { svctest.Start(t, s, opts...) }
	}
	external := users()
	external.HTTPCallees = []*svc.HTTPCallee{{Name: "maps", URL: "https://maps.example.com", Timeout: time.Second}}
	broken := fs.FS(fstest.MapFS{"0001_one.sql": {Data: []byte("CREATE NONSENSE")}})
	for _, c := range []failing{
		{"callees are missing", fail(orders()), []string{
			"order cannot start:", "it calls user.v1.UserService, which is not faked: add Fake(….UserService)(handler)", "it calls payment.v1.PaymentService"}},
		{"a fake is not called", fail(users(), svctest.Fake(paymentv1svc.PaymentService)(bank())), []string{
			"user cannot start:", "it does not call payment.v1.PaymentService: remove its fake"}},
		{"callee over HTTP is missing", fail(external), []string{`it calls maps over HTTP, which is not faked: add FakeHTTP("maps", handler)`}},
		{"fake over HTTP is not called", fail(users(), svctest.FakeHTTP("maps", http.NotFoundHandler())), []string{"it does not call maps over HTTP"}},
		{"config is wrong", fail(users(), svctest.Config("limits: {concurrency: none}")), []string{"user does not start:", "limits.concurrency"}},
		{"config is no YAML", fail(users(), svctest.Config("{")), []string{"svctest: Config: yaml:"}},
		{"two configs", fail(users(), svctest.Config("a: b"), svctest.Config("a: b")), []string{"Config is given twice"}},
		{"migrations are wrong", fail(userv1svc.UserService(user.New, broken)), []string{"user does not start: database:", "0001_one.sql"}},
		{"handler is not made", fail(bare(func(svc.Deps) (userv1.UserServiceServer, error) { return nil, errors.New("no handler") })),
			[]string{"bare does not start: service: no handler"}},
		{"work fails", fail(bare(func(d svc.Deps) (userv1.UserServiceServer, error) {
			d.Go("work", func(context.Context) error { return errors.New("broken") })
			return people(), nil
		})), []string{"bare ended with: work: broken"}},
		{"no such metric", func(t *fakeT) { svctest.Start(t, users()).Metric("user_created_total") }, []string{"user has no metric user_created_total"}},
		{"no series", func(t *fakeT) { svctest.Start(t, users()).Metric(`a{b=}c`) }, []string{"a{b=}c is not a series"}},
		{"handler of Deps", func(t *fakeT) { svctest.Deps(t, orderv1svc.OrderService, nil) }, []string{"it calls user.v1.UserService"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, logs := failures(c.test)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("the test fails with %q, want %q", got, want)
				}
			}
			if strings.Contains(got, "start:") && !strings.Contains(got, "cannot") && !strings.Contains(logs, "log of ") {
				t.Errorf("the log is not shown: %q", logs)
			}
		})
	}
}

// A goroutine that a handler leaves is shown with its stack, by its own service.
func TestGoroutines(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	leaking := func() svc.Service {
		return handled(func(userv1svc.UserServiceDeps) userv1.UserServiceServer {
			return answering(func(context.Context) error { go linger(end); return nil })
		})
	}
	call := func(opts ...svctest.Option) func(*fakeT) {
		return func(t *fakeT) {
			svctest.Start(t, users()) // leaves nothing
			_ = getUser(t, svctest.Start(t, leaking(), opts...), ada)
		}
	}
	got, _ := failures(call())
	if strings.Count(got, "has stopped, but left goroutines") != 1 || !strings.Contains(got, "svctest_test.linger") {
		t.Errorf("a service that leaves a goroutine fails with %q", got)
	}
	if got, _ := failures(call(svctest.IgnoreGoroutine("github.com/protosvc/protosvc/svctest_test.linger"))); got != "" {
		t.Errorf("a service that may leave a goroutine fails with %q", got)
	}
}

func linger(end <-chan struct{}) { <-end }

func TestFakeHTTP(t *testing.T) {
	s := users()
	s.HTTPCallees = []*svc.HTTPCallee{{Name: "maps", URL: "https://maps.example.com", Timeout: time.Second}}
	maps := s.HTTPCallees[0]
	var status int
	inner := s.Start
	s.Start = func(a *svc.App) error {
		client := a.DialHTTP(maps)
		req, err := client.NewRequest(t.Context(), http.MethodGet, "/", nil)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		status = res.StatusCode
		return errors.Join(res.Body.Close(), inner(a))
	}
	svctest.Start(t, s, svctest.FakeHTTP("maps", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })))
	if status != http.StatusTeapot || maps.URL != "https://maps.example.com" {
		t.Errorf("fake answered %d, the service's own URL is %s", status, maps.URL)
	}
}

func TestEngines(t *testing.T) {
	server := os.Getenv("PROTOSVC_TEST_POSTGRES_URL")
	for _, c := range []struct{ engine, own, shared, want string }{
		{"mysql", "", "", `SVCTEST_DATABASE is "mysql", want sqlite or postgres`},
		{"postgres", "", "", "SVCTEST_DATABASE is postgres, but neither SVCTEST_POSTGRES_URL nor PROTOSVC_TEST_POSTGRES_URL is set"},
		{"postgres", "s3cret", "", "SVCTEST_POSTGRES_URL is not a URL"},
		{"postgres", "postgres://127.0.0.1:1/x?sslmode=disable", server, "no database on the PostgreSQL server of SVCTEST_POSTGRES_URL: dial tcp 127.0.0.1:1"},
	} {
		t.Setenv("SVCTEST_DATABASE", c.engine)
		t.Setenv("SVCTEST_POSTGRES_URL", c.own)
		t.Setenv("PROTOSVC_TEST_POSTGRES_URL", c.shared)
		if got, _ := failures(func(t *fakeT) { svctest.Start(t, users()) }); !strings.Contains(got, c.want) || strings.Contains(got, "s3cret") {
			t.Errorf("with %+v the test fails with %q", c, got)
		}
	}
}

func TestPostgresIsDropped(t *testing.T) {
	if os.Getenv("PROTOSVC_TEST_POSTGRES_URL") == "" {
		t.Skip("PROTOSVC_TEST_POSTGRES_URL is not set")
	}
	t.Setenv("SVCTEST_DATABASE", "postgres")
	var url string
	if got, _ := failures(func(t *fakeT) { url = svctest.Start(t, users()).Database }); got != "" {
		t.Fatal(got)
	}
	db, err := database.Open(t.Context(), database.Options{URL: url})
	if err == nil {
		err = errors.Join(db.PingContext(t.Context()), db.Close())
	}
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("the database after the test: %v", err)
	}
}
