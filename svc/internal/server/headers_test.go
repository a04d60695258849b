package server_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	svcerrors "github.com/protosvc/protosvc/svc/errors"

	"github.com/protosvc/protosvc/svc/internal/server"
	"github.com/protosvc/protosvc/svc/metrics"
	"github.com/protosvc/protosvc/svc/validate"
)

// small serves the echo service to a client that accepts 8 KiB of headers.
func small(t *testing.T, handle func() error) *grpc.ClientConn {
	t.Helper()
	b := server.New(server.Options{Metrics: metrics.New(metrics.BuildInfo{}), TracerProvider: newProvider(t, 1, tracetest.NewInMemoryExporter()).TracerProvider()})
	impl := decorate(b, echo{unary: func(context.Context, *text) (*text, error) { return nil, handle() }}, 0, nil)
	s := b.NewGRPC(server.GRPCOptions{})
	b.Register(s, &echoDesc, impl)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, s, listener, listener.Addr().String(), grpc.WithMaxHeaderListSize(8192))
}

// placeholders returns a code with n placeholders in its message and its
// translation, and metadata for it.
func placeholders(n int, value string) (*svcerrors.Code, []any) {
	template, pairs := "gone", []any(nil)
	for i := range n {
		template += fmt.Sprintf(" {key%d}", i)
		pairs = append(pairs, fmt.Sprintf("key%d", i), value)
	}
	return &svcerrors.Code{
		Domain: "echo", Reason: "GONE", GRPC: codes.NotFound, Message: template, Retryable: true,
		Translations: []svcerrors.Translation{{Locale: "ja", Message: strings.Repeat("失", 100) + template}},
	}, pairs
}

// What an error says is cut, so that it arrives where 8 KiB of headers do.
func TestErrorsFitIntoHeaders(t *testing.T) {
	long := map[string]string{
		"ascii":     strings.Repeat("k", 10_000),
		"japanese":  strings.Repeat("失", 4_000),
		"emoji":     strings.Repeat("😀", 3_000),
		"no UTF-8":  strings.Repeat("\xff", 10_000),
		"control":   strings.Repeat("\x00", 10_000),
		"percent":   strings.Repeat("%", 10_000),
		"megabytes": strings.Repeat("k", 5<<20),
	}
	for kind, value := range long {
		shapes := map[string]error{}
		for _, n := range []int{1, 3, 20, 100, 10_000} {
			if n > 100 && len(value) > 10_000 {
				continue
			}
			code, pairs := placeholders(n, value)
			shapes[fmt.Sprintf("%d placeholders", n)] = code.New(pairs...)
		}
		if len(value) > 1<<20 {
			value = value[:10_000]
		}
		code, _ := placeholders(1, value)
		pairs := []any{}
		for i := range 50 {
			pairs = append(pairs, fmt.Sprint(i, value), value)
		}
		shapes["keys"] = code.New(pairs...)
		shapes["message"] = (&svcerrors.Code{Domain: "echo", Reason: "GONE", GRPC: codes.NotFound, Retryable: true, Message: value}).New()
		var rules validate.Violations
		bad := &errdetails.BadRequest{}
		var many []proto.Message
		for i := range 200 {
			var root validate.Path
			path := root.StringKey("prices", value)
			rules.Add(path.StringKey("prices", value), "string.min_len", "must be at least 1 characters")
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
				Field: fmt.Sprint(i, value), Description: strings.ToValidUTF8(value, "?"), Reason: "r",
			})
			many = append(many, &errdetails.Help{Links: []*errdetails.Help_Link{{Description: strings.ToValidUTF8(value, "?")}}})
		}
		shapes["violations"] = rules.Err()
		shapes["violations of the handler"] = code.New("key0", value).WithDetails(bad)
		shapes["details"] = code.New("key0", value).WithDetails(many[:min(len(many), 60)]...)
		for name, err := range shapes {
			t.Run(kind+"/"+name, func(t *testing.T) { assertArrives(t, err) })
		}
	}
}

func assertArrives(t *testing.T, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "accept-language", "ja"), 20*time.Second)
	defer cancel()
	got := small(t, func() error { return err }).Invoke(ctx, unaryName, &text{}, &text{})
	want := typed(t, err)
	var arrived *svcerrors.Error
	if !stderrors.As(svcerrors.FromStatus(got, nil), &arrived) || !arrived.Is(want) {
		t.Fatalf("the error is lost: %.200v", got)
	}
	if arrived.RequestID() == "" || arrived.Retryable() != want.Retryable() {
		t.Errorf("small details are lost: request id %q, retryable %t", arrived.RequestID(), arrived.Retryable())
	}
	if !utf8.ValidString(arrived.Message()) {
		t.Error("the message is not UTF-8")
	}
	if len(want.Metadata) > 0 && len(arrived.Metadata) == 0 {
		t.Error("no metadata is left")
	}
}

func typed(t *testing.T, err error) *svcerrors.Error {
	t.Helper()
	var typed *svcerrors.Error
	if !stderrors.As(err, &typed) {
		t.Fatalf("%v is no typed error", err)
	}
	return typed
}

// A status of the handler's own making and a name of a method are cut as well.
func TestStatusesFitIntoHeaders(t *testing.T) {
	long := strings.Repeat("失", 4_000)
	conn := small(t, func() error { return status.Error(codes.NotFound, long) })
	for name, want := range map[string]codes.Code{
		unaryName: codes.NotFound,
		"/" + strings.Repeat("k", 10_000) + "/Get": codes.Unimplemented,
		"/echo/" + strings.Repeat("\x80", 2_000):   codes.Unimplemented,
	} {
		err := conn.Invoke(t.Context(), name, &text{}, &text{})
		if got := status.Convert(err); got.Code() != want || len(got.Message()) > 256+len("…") {
			t.Errorf("%.20q: %v with a message of %d bytes", name, got.Code(), len(got.Message()))
		}
	}
}
