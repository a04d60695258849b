package objects

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWith(t *testing.T) {
	service := Object{"kind": "Service", "metadata": map[string]any{"name": "order"}, "spec": map[string]any{"ports": []any{map[string]any{"port": 80.0}}}}
	changed, err := service.With("spec/ports/0/port", "grpc")
	if err != nil {
		t.Fatal(err)
	}
	port := func(o Object) any { return o["spec"].(map[string]any)["ports"].([]any)[0].(map[string]any)["port"] }
	if diff := cmp.Diff([]any{80.0, "grpc"}, []any{port(service), port(changed)}); diff != "" {
		t.Errorf("before and after (-want +got):\n%s", diff)
	}
	if removed, err := service.With("spec", Absent); err != nil || removed["spec"] != nil || service["spec"] == nil {
		t.Errorf("got %v, %v", removed, err)
	}
	for path, want := range map[string]string{
		"spec/ports/1/port": "there is no 1", "spec/type/x": "there is no type", "spec/ports": "", "status": "there is no status to remove",
		"spec/ports/0": "is not a field",
	} {
		if _, err := service.With(path, Absent); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}
