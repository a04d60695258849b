package logging

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/grpc/grpclog"

	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// linesOf are the lines of a JSON log, each as "LEVEL library: msg".
func linesOf(t *testing.T, log string) (lines []string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var fields struct{ Level, Library, Msg string }
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		lines = append(lines, fields.Level+" "+fields.Library+": "+fields.Msg)
	}
	return lines
}

// TestGRPC writes with every method of grpc-go's interface.
func TestGRPC(t *testing.T) {
	all := func(l grpclog.LoggerV2) {
		l.Info("a", 1)
		l.Infoln("b", 2)
		l.Infof("c%d", 3)
		l.Warning("d", 4)
		l.Warningln("e", 5)
		l.Warningf("f%d", 6)
		l.Error("g", 7)
		l.Errorln("h", 8)
		l.Errorf("i%d", 9)
	}
	infos := []string{"INFO grpc: a1", "INFO grpc: b 2", "INFO grpc: c3"}
	warnings := []string{"WARN grpc: d4", "WARN grpc: e 5", "WARN grpc: f6"}
	errors := []string{"ERROR grpc: g7", "ERROR grpc: h 8", "ERROR grpc: i9"}
	for severity, want := range map[string][][]string{
		"": {errors}, "error": {errors}, "WARNING": {warnings, errors}, "info": {infos, warnings, errors}, "loud": {errors},
	} {
		t.Setenv("GRPC_GO_LOG_SEVERITY_LEVEL", severity)
		var out bytes.Buffer
		all(GRPC(New(&out, Options{Level: slog.LevelDebug})))
		var flat []string
		for _, some := range want {
			flat = append(flat, some...)
		}
		if got := linesOf(t, out.String()); strings.Join(got, "\n") != strings.Join(flat, "\n") {
			t.Errorf("severity %q: got %q, want %q", severity, got, flat)
		}
	}
	for _, verbosity := range []string{"", "2"} {
		t.Setenv("GRPC_GO_LOG_VERBOSITY_LEVEL", verbosity)
		if got := GRPC(slog.New(slog.DiscardHandler)).V(2); got != (verbosity == "2") {
			t.Errorf("verbosity %q: level 2 is %v", verbosity, got)
		}
	}
	var out bytes.Buffer
	l := GRPC(New(&out, Options{}))
	l.Fatal("a")
	l.Fatalln("b")
	l.Fatalf("c%d", 3)
	if got := linesOf(t, out.String()); strings.Join(got, " ") != "ERROR grpc: a ERROR grpc: b ERROR grpc: c3" {
		t.Errorf("fatal lines: %q", got)
	}
}

func TestHTTP(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := HTTP(New(&out, Options{}).With("service", "order"))
		for range 30 {
			l.Printf("http: TLS handshake error from %s", "192.0.2.1")
		}
		got := linesOf(t, out.String())
		if len(got) != 10 || got[0] != "WARN net/http: http: TLS handshake error from 192.0.2.1" {
			t.Errorf("%d lines: %q", len(got), got)
		}
		if !strings.Contains(out.String(), `"service":"order"`) {
			t.Error("the attributes of the logger are not there")
		}
	})
}
