package svc

import (
	"context"
	stderrors "errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/httpclient"
	"github.com/protosvc/protosvc/svc/internal/load"
)

// outside is a greeter that asks an external service.
func outside(t *testing.T) Service {
	t.Helper()
	names := &HTTPCallee{
		Name: "names",
		URL:  "https://names.invalid", Timeout: 200 * time.Millisecond,
		Attempts: 2,
	}
	s := greeter(t, nil)
	s.HTTPCallees = []*HTTPCallee{names}
	dial := func(app *App) *httpclient.Client { return app.DialHTTP(names) }
	s.Start = Start(&greeterDesc, dial, func(c *httpclient.Client) (greet, error) {
		return func(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			req, err := c.NewRequest(ctx, http.MethodGet, "/"+in.GetValue(), nil)
			if err != nil {
				return nil, err
			}
			res, err := c.Do(req)
			if err != nil {
				return nil, err
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			return wrapperspb.String(string(text)), err
		}, nil
	}, newGreetServer)
	return s
}

func TestHTTPCallee(t *testing.T) {
	names := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "named "+r.URL.Path)
	}))
	defer names.Close()
	r := start(t, outside(t), Options{Environ: []string{"GREETER_HTTP_CALLEES_NAMES_URL=" + names.URL + "/v1"}})
	if got, err := r.call(t, "ada"); err != nil || got != "named /v1/ada" {
		t.Errorf("Greet = %q, %v", got, err)
	}
	if _, body := r.admin(t, "GET", "/metrics"); !strings.Contains(body, `http_client_request_duration_seconds_count{callee="names",http_request_method="GET",http_response_status_code="200"} 1`) {
		t.Error("/metrics lacks the request")
	}

	names.Close()
	_, err := r.call(t, "ada")
	if err := errors.FromStatus(err, nil); !stderrors.Is(err, errors.Unavailable) {
		t.Errorf("Greet without the external service = %v, want Unavailable", err)
	}
	if code, body := r.admin(t, "GET", "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz without the external service = %d %s", code, body)
	}
}

func TestHTTPCalleeSettings(t *testing.T) {
	for variable, want := range map[string]string{
		"GREETER_HTTP_CALLEES_NAMES_URL=names":  `client of names: its URL is not one of http or https`,
		"GREETER_HTTP_CALLEES_NAMES_TIMEOUT=0s": "http_callees.names.timeout 0s is not above zero",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := Run(ctx, outside(t), Options{Environ: []string{variable}})
		cancel()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run with %s = %v, want %q", variable, err, want)
		}
	}
}

// A service tells whoever asks how busy it is, and a stop does not wait for them.
func TestReports(t *testing.T) {
	r := start(t, greeter(t, hello), Options{})
	conn, err := grpc.NewClient(r.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reports, ended := make(chan load.Report, 100), make(chan error, 1)
	go func() {
		ended <- load.Watch(t.Context(), conn, 100*time.Millisecond, func(r load.Report) { reports <- r })
	}()
	for deadline := time.Now().Add(5 * time.Second); ; {
		if _, err := r.call(t, "world"); err != nil {
			t.Fatal(err)
		}
		if report := next(reports); report.Calls > 0 && report.Utilization > 0 && report.Failures == 0 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("report = %+v, want calls and a use of the CPU", report)
		}
	}
	begin := time.Now()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took >= 5*time.Second { // the budget
		t.Errorf("the stop took %v", took)
	}
	if err := <-ended; err == nil {
		t.Error("the reports ended without an error")
	}
}

func next(reports <-chan load.Report) load.Report {
	select {
	case r := <-reports:
		return r
	case <-time.After(time.Second):
		return load.Report{}
	}
}
