package contractdiff

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/settings"
)

// TestEveryAnnotation: a change of any annotation has a meaning.
func TestEveryAnnotation(t *testing.T) {
	left := map[string]bool{}
	for option := range judgements {
		left[option] = true
	}
	var walk func(option string, above bool, m protoreflect.MessageDescriptor)
	walk = func(option string, above bool, m protoreflect.MessageDescriptor) {
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			option := option + "." + string(f.Name())
			_, own := judgements[option]
			delete(left, option)
			if f.Message() != nil {
				walk(option, above || own, f.Message())
			} else if !above && !own {
				t.Errorf("%s has no judgement in judge.go: say what it means when it changes", option)
			}
		}
	}
	extensions := svcv1.File_svc_v1_svc_proto.Extensions()
	for i := range extensions.Len() {
		x := extensions.Get(i)
		walk("("+string(x.FullName())+")", false, x.Message())
	}
	for _, option := range settings.Standards() {
		if _, own := judgements[option]; !own {
			t.Errorf("%s has no judgement in judge.go", option)
		}
		delete(left, option)
	}
	for option := range left {
		t.Errorf("%s has a judgement and is no annotation", option)
	}
}

// TestCompareOrder: what is gone stands where it was, and an error that two services
// return changes once.
func TestCompareOrder(t *testing.T) {
	group := func(kind, name, value string) settings.Group {
		return settings.Group{Kind: kind, Name: name, Settings: []settings.Setting{{Option: "(svc.v1.error).code", Value: value}}}
	}
	before := []settings.Group{
		group("service", "A", ""), group("method", "A/Gone", ""), group("method", "A/Stays", ""), group("error", "E", "NotFound"),
		group("service", "Z", ""), group("method", "Z/Only", ""),
		group("service", "B", ""), group("error", "E", "NotFound"),
	}
	after := []settings.Group{
		group("service", "A", ""), group("method", "A/Stays", ""), group("method", "A/New", ""), group("error", "E", "Aborted"),
		group("service", "B", ""), group("error", "E", "Aborted"),
	}
	var got []string
	for _, c := range Compare(before, after) {
		got = append(got, c.Name+" "+string(c.Level))
	}
	want := []string{"A/Gone breaking", "A/New safe", "E breaking", "Z breaking", "Z/Only breaking"}
	if !slices.Equal(got, want) {
		t.Errorf("changes are %q, want %q", got, want)
	}
}

func TestJudge(t *testing.T) {
	tests := []struct {
		option, old, now string
		want             Level
	}{
		{"(svc.v1.method).timeout", "2s", "1s", Look},
		{"(svc.v1.method).timeout", "800ms", "1s", Safe},
		{"(svc.v1.method).timeout", "0s", "1h", Look}, // there was none
		{"(svc.v1.method).timeout", "1h", "0s", Safe},
		{"(svc.v1.service).scale.memory", "1Gi", "512Mi", Look},
		{"(svc.v1.service).scale.memory", "512Mi", "1Gi", Safe},
		{"(svc.v1.service).scale.cpu", "1", "250m", Look},
		{"(svc.v1.service).scale.min", "3", "20", Safe},
		{"(svc.v1.service).callees.balance", "BALANCE_ROUND_ROBIN", "BALANCE_PICK_FIRST", Look},
		{"(svc.v1.service).metrics.labels.values", "web, app", "web", Look},
		{"(svc.v1.service).metrics.labels.values", "web, app", "app, shop, web", Safe},
		{"(svc.v1.method).calls", "", "a.B/C", Look},
		{"(svc.v1.method).calls", "a.B/C", "", Safe},
		{"(svc.v1.service).ports.http", "", "8080", Look},
		{"(svc.v1.service).ports.http", "8080", "", Breaking},
		{"(svc.v1.service).ports.grpc", "9090", "9000", Breaking},
		{"(svc.v1.service).metrics.name", "", "sales_total", Safe},
		{"(svc.v1.service).metrics.name", "sales_total", "", Breaking},
		{"(svc.v1.service).database.secret", "", "shop-database", Look},
		{"(svc.v1.service).database.secret", "shop-database", "", Safe},
		{"(svc.v1.service).database.secret", "shop-database", "shop-db", Breaking},
		{"(google.api.http)", "GET /v1/a", "GET /v1/a, GET /v2/a", Safe},
		{"(google.api.http)", "GET /v1/a, GET /v2/a", "GET /v2/a", Breaking},
		{"(svc.v1.method).idempotency_key", "", "id", Look},
		{"(svc.v1.method).idempotency_key", "id", "key", Breaking},
	}
	for _, test := range tests {
		if got := judge(test.option, test.old, test.now); got.level != test.want || strings.TrimSpace(got.reason) == "" {
			t.Errorf("%s from %q to %q is %v, want %s", test.option, test.old, test.now, got, test.want)
		}
	}
}
