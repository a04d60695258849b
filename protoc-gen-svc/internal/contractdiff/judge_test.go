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
		{"(svc.v1.method).map_errors.from", "", "LOST", Safe},
		{"(svc.v1.method).map_errors.to", "", "LOST", Breaking},
		{"(svc.v1.method).idempotency_key", "", "id", Look},
		{"(svc.v1.method).idempotency_key", "id", "key", Breaking},
	}
	for _, test := range tests {
		if got := judge(test.option, test.old, test.now); got.level != test.want || strings.TrimSpace(got.reason) == "" {
			t.Errorf("%s from %q to %q is %v, want %s", test.option, test.old, test.now, got, test.want)
		}
	}
}

// TestMapErrors: a mapping matters to callers as long as the method calls somebody.
func TestMapErrors(t *testing.T) {
	const to = "(svc.v1.method).map_errors[GONE].to"
	tests := []struct {
		calls, to [2]string // before and after
		want      Level
	}{
		{[2]string{"a.B/C", "a.B/C"}, [2]string{"LOST", "FOUND"}, Breaking},
		{[2]string{"a.B/C", "a.B/C"}, [2]string{"LOST", ""}, Breaking},
		{[2]string{"a.B/C", ""}, [2]string{"LOST", ""}, Safe},
		{[2]string{"", "a.B/C"}, [2]string{"", "LOST"}, Safe},
		{[2]string{"", ""}, [2]string{"LOST", "FOUND"}, Safe},
	}
	for _, test := range tests {
		var sides [2][]settings.Group
		for i := range sides {
			sides[i] = []settings.Group{{Kind: "method", Name: "s/M", Settings: []settings.Setting{
				{Option: "(svc.v1.method).calls", Value: test.calls[i]}, {Option: to, Value: test.to[i]},
			}}}
		}
		changes := Compare(sides[0], sides[1])
		i := slices.IndexFunc(changes, func(c Change) bool { return c.Option == to })
		if i < 0 || changes[i].Level != test.want {
			t.Errorf("calls %q, mapping %q: changes are %v, want %s", test.calls, test.to, changes, test.want)
		}
	}
}

// TestHandled: who gets hurt when a handler begins, or ceases, to deal with an error.
func TestHandled(t *testing.T) {
	const mapping = "(svc.v1.method).map_errors[GONE]"
	none, to, handled := []string{"", "", ""}, []string{"GONE", "LOST", "false"}, []string{"GONE", "", "true"}
	tests := []struct {
		name        string
		before, now []string // from, to and handled
		want        []Level  // of those that change
	}{
		{"a new mapping that is handled", none, handled, []Level{Safe, Look}},
		{"one that is gone", handled, none, []Level{Safe, Look}},
		{"a new mapping to an error", none, to, []Level{Safe, Breaking, Safe}},
		{"one that is gone too", to, none, []Level{Safe, Breaking, Safe}},
		{"mapped before", to, handled, []Level{Breaking, Look}},
		{"mapped now", handled, to, []Level{Breaking, Look}},
	}
	for _, test := range tests {
		sides := [2]settings.Group{}
		for i, values := range [][]string{test.before, test.now} {
			sides[i] = settings.Group{Kind: "method", Name: "s/M", Settings: []settings.Setting{{Option: "(svc.v1.method).calls", Value: "a.B/C"}}}
			for j, field := range []string{".from", ".to", ".handled"} {
				sides[i].Settings = append(sides[i].Settings, settings.Setting{Option: mapping + field, Value: values[j]})
			}
		}
		var got []Level
		for _, c := range Compare(sides[:1], sides[1:]) {
			got = append(got, c.Level)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: changes are %q, want %q", test.name, got, test.want)
		}
	}
}
