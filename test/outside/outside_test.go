// Package outside_test uses the project as its users do: from a module of their
// own, with the commands that README.md and docs/own-module.md show.
package outside_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/protosvc/protosvc/internal/testreadme"
)

// TestOutside follows the recipe step by step in one module.
func TestOutside(t *testing.T) {
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := testreadme.ReadOwnModule(root)
	if err != nil {
		t.Fatal(err)
	}
	m := newModule(t)
	m.follow(t, recipe.Begin)

	t.Run("without handlers", func(t *testing.T) {
		m.follow(t, recipe.Generate)
		if !m.exists("third_party/svc/v1/svc.proto") || !m.exists("third_party/buf/validate/validate.proto") {
			t.Error("third_party does not have the annotations")
		}
		command(t, m.dir, filepath.Join(m.bin, "buf"), "lint")
		command(t, m.dir, "go", "vet", "./...")
		if m.exists("services") {
			t.Error("there is a folder services, although no handlers are wanted")
		}
		wantUnimplemented(t, m)
	})
	t.Run("with handlers", func(t *testing.T) {
		m.edit(t, "buf.gen.yaml", recipe.WithHandlers)
		if said := m.follow(t, recipe.Handlers); !strings.Contains(said, "services/stock/") {
			t.Errorf("sync does not name the files it writes:\n%s", said)
		}
		command(t, m.dir, "go", "vet", "./...")
		wantUnimplemented(t, m)
	})
}

// wantUnimplemented starts the service and checks that it is healthy in every
// way and answers that its methods are not implemented.
func wantUnimplemented(t *testing.T, m module) {
	at := start(t, m.build(t), filepath.Join(m.dir, "generated/deploy/stock/config.yaml"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := grpc.NewClient("passthrough:///"+at.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	for _, path := range []string{"/livez", "/readyz", "/healthz"} {
		if code, body := get(ctx, t, "http://"+at.Admin+path); code != http.StatusOK {
			t.Errorf("GET %s: %d %s, want 200", path, code, body)
		}
	}
	for _, service := range []string{"", "stock.v1.StockService"} {
		res, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: service})
		if err != nil || res.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("gRPC health of %q: %v, %v, want SERVING", service, res.GetStatus(), err)
		}
	}
	err = conn.Invoke(ctx, "/stock.v1.StockService/GetLevel", named("A-1"), new(emptypb.Empty))
	if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "GetLevel") {
		t.Errorf("GetLevel: %v, want Unimplemented", err)
	}
	err = conn.Invoke(ctx, "/stock.v1.StockService/GetLevel", named(""), new(emptypb.Empty))
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("GetLevel without an article: %v, want InvalidArgument", err)
	}
	if code, body := get(ctx, t, "http://"+at.HTTP+"/v1/levels/A-1"); code != http.StatusNotImplemented {
		t.Errorf("GET /v1/levels/A-1: %d %s, want 501", code, body)
	}
}

// named is a GetLevelRequest on the wire: this module does not have its type.
func named(sku string) *emptypb.Empty {
	m := new(emptypb.Empty)
	m.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), sku))
	return m
}

func get(ctx context.Context, t *testing.T, url string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
