package system_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/internal/system"
)

// A call that is in flight when SIGTERM comes ends as if nothing had happened.
func TestGracefulStop(t *testing.T) {
	for _, test := range []struct {
		name string
		// begin begins a call; what it returns ends it and says what is wrong.
		begin func(*testing.T, shop) (finish func() error)
	}{
		{"stream over gRPC", importInFlight},
		{"call over HTTP/JSON", orderInFlight},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := openShop(t, nil)
			finish := test.begin(t, s)
			terminate(t, s.Order, "graceful stop")
			if got := get(t, s.Order.Admin, "/readyz"); got.code != http.StatusServiceUnavailable {
				t.Errorf("while it stops, /readyz says %d %s", got.code, got.body)
			}
			if err := finish(); err != nil {
				t.Errorf("the call in flight: %v", err)
			}
			if err := s.Order.Wait(limited(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// importInFlight has an order created and one to come.
func importInFlight(t *testing.T, s shop) func() error {
	userID := s.newUser(t)
	stream, err := s.orders.ImportOrders(limited(t))
	if err != nil {
		t.Fatal(err)
	}
	send := func() error { return stream.Send(&orderv1.ImportOrdersRequest{Order: orderOf(userID, 1500)}) }
	if err := send(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first order is created", func() bool { return len(s.list(limited(t), t, userID)) == 1 })
	return func() error {
		if err := send(); err != nil {
			return err
		}
		res, err := stream.CloseAndRecv()
		if err == nil && res.GetCreated() != 2 {
			err = fmt.Errorf("created %d orders, want 2", res.GetCreated())
		}
		return err
	}
}

// orderInFlight has sent half of a request.
func orderInFlight(t *testing.T, s shop) func() error {
	body := fmt.Sprintf(`{"requestId": %q, "userId": %q, "items": [{"sku": "TEA-1", "quantity": 1,
		"unitPrice": {"currencyCode": "EUR", "amountMinor": 1500}}]}`, newUUID(), s.newUser(t))
	rest, remaining := io.Pipe()
	req := request(t, http.MethodPost, s.Order.HTTP, "/v1/orders", io.MultiReader(strings.NewReader(body[:40]), rest))
	answered := make(chan error, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				err = fmt.Errorf("status %s", res.Status)
			}
		}
		answered <- err
	}()
	// The pipe accepts what the transport reads, after what it read before.
	if _, err := io.WriteString(remaining, body[40:50]); err != nil {
		t.Fatal(err)
	}
	return func() error {
		if _, err := io.WriteString(remaining, body[50:]); err != nil {
			return err
		}
		remaining.Close()
		return <-answered
	}
}

// A second SIGTERM ends the wait for calls in flight.
func TestSecondSignal(t *testing.T) {
	s := openShop(t, nil)
	finish := importInFlight(t, s)
	terminate(t, s.Order, "graceful stop")
	began := time.Now()
	terminate(t, s.Order, "hard stop")
	if err := s.Order.Wait(limited(t)); err != nil {
		t.Error(err)
	}
	if err := finish(); err == nil {
		t.Error("the stream was not cut")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the hard stop took %v", took)
	}
}

// terminate sends SIGTERM and returns when the log says that the phase has begun.
func terminate(t *testing.T, service *system.Service, phase string) {
	t.Helper()
	if err := service.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, phase, func() bool { return len(logLines(t, service, `"phase":"`+phase+`"`)) > 0 })
}

func TestSystemNoticesTheEndOfAProcess(t *testing.T) {
	sys := start(t, nil)
	ctx, cancel := context.WithCancel(limited(t))
	if err := syscall.Kill(sys.User.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	err := sys.Wait(ctx)
	if err == nil || !strings.Contains(err.Error(), "service user: ended by itself (signal: killed)") {
		t.Errorf("got %v", err)
	}
	if err := sys.Stop(); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("stop does not report the process that was killed: %v", err)
	}
	cancel()
	if err := sys.Wait(ctx); err != nil {
		t.Errorf("after the stop: %v", err)
	}
}

func TestStartFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*testing.T, *system.Options)
		want   []string
	}{
		{"no binaries", func(t *testing.T, o *system.Options) { o.Bin = t.TempDir() }, []string{"service user", "no such file"}},
		{"bad setting", func(_ *testing.T, o *system.Options) { o.Environ = []string{"ORDER_STOP_BUDGET=soon"} },
			[]string{"service order", "exit status 1", "ORDER_STOP_BUDGET", "soon"}},
		{"bad folder", func(_ *testing.T, o *system.Options) { o.Dir = os.Args[0] }, []string{"not a directory"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options(t.TempDir())
			test.change(t, &o)
			sys, err := system.Start(limited(t), o)
			if err == nil {
				t.Fatal(sys.Stop(), "it started")
			}
			if !containsAll(err.Error(), test.want) {
				t.Errorf("got %v, want all of %q", err, test.want)
			}
		})
	}
}

func TestFixedPortIsTaken(t *testing.T) {
	if listener, err := net.Listen("tcp", "127.0.0.1:8110"); err == nil { // else somebody else has it: just as well
		defer listener.Close()
	}
	o := options(t.TempDir())
	o.FixedPorts = true
	sys, err := system.Start(limited(t), o)
	if err == nil {
		t.Fatal(sys.Stop(), "it started")
	}
	if want := []string{"port of service user", "127.0.0.1:8110", "in use"}; !containsAll(err.Error(), want) {
		t.Errorf("got %v, want all of %q", err, want)
	}
}
