package contractdiff

import (
	"maps"
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

// judged are the levels of the four changes between two values: from none to the
// first, from the first to none, from the first to the second, and back.
type judged struct{ isNew, isGone, forth, back Level }

// TestJudgements: every judgement, in every direction.
func TestJudgements(t *testing.T) {
	all := func(level Level) judged { return judged{level, level, level, level} }
	// more harms nobody, by the rule of what is ordered or listed.
	less := func(level Level) judged { return judged{isNew: Safe, isGone: level, forth: Safe, back: level} }
	tests := []struct {
		option        string
		first, second string
		want          judged
	}{
		{"(svc.v1.service).name", "shop", "store", all(Breaking)},
		{"(svc.v1.service).team", "sales", "web", all(Safe)},
		{"(svc.v1.service).system", "shop", "web", all(Look)},
		{"(svc.v1.service).config", "a.Config", "b.Config", all(Look)},
		{"(svc.v1.service).database", "true", "false", all(Look)},
		{"(svc.v1.service).database.secret", "shop-database", "shop-db", judged{Look, Safe, Breaking, Breaking}},
		{"(svc.v1.service).database.migrations", "MIGRATIONS_AT_START", "MIGRATIONS_JOB", all(Look)},
		{"(svc.v1.service).database.migrations_secret", "shop-owner", "shop-admin", judged{Look, Safe, Breaking, Breaking}},
		{"(svc.v1.service).secret", "shop-settings", "shop-keys", judged{Look, Safe, Breaking, Breaking}},
		{"(svc.v1.service).database.network", "5432", "6432", all(Look)},
		{"(svc.v1.service).network", "a=b", "a=c", judged{Safe, Breaking, Breaking, Breaking}},
		{"(svc.v1.service).callees", "1s", "2s", all(Look)},
		{"(svc.v1.service).callees.gates_readiness", "true", "false", all(Look)},
		{"(svc.v1.service).propagate", "tenant", "tenant, locale", less(Breaking)},
		{"(svc.v1.service).propagate.max_bytes", "128", "256", less(Breaking)},
		{"(svc.v1.service).error_contract", "STRICT", "LENIENT", all(Look)},
		{"(svc.v1.service).limits", "64", "128", less(Look)},
		{"(svc.v1.service).limits.adaptive", "true", "false", all(Look)},
		{"(svc.v1.service).http_callees", "maps", "rates", all(Look)},
		{"(svc.v1.service).http.cors", "true", "false", all(Look)},
		{"(svc.v1.service).http.cors.origins", "https://a.example", "https://a.example, https://b.example", judged{isNew: Look, isGone: Breaking, forth: Look, back: Breaking}},
		{"(svc.v1.service).http.cors.max_age", "10m", "1h", all(Safe)},
		{"(svc.v1.service).metrics", "sales_total", "orders_total", judged{Safe, Breaking, Breaking, Breaking}},
		{"(svc.v1.service).metrics.labels.name", "channel", "source", all(Look)},
		{"(svc.v1.service).metrics.help", "Sales.", "Orders.", all(Safe)},
		{"(svc.v1.service).metrics.buckets", "1, 2", "1, 2, 3", all(Look)},
		{"(svc.v1.service).metrics.labels.values", "web, app", "app, shop, web", less(Look)},
		{"(svc.v1.service).scale", "3", "20", less(Look)},
		{"(svc.v1.service).scale.in_flight", "50", "80", all(Look)},
		{"(svc.v1.service).scale.priority_class", "critical", "batch", judged{Look, Look, Breaking, Breaking}},
		{"(svc.v1.service).probes", "2", "3", all(Look)},
		{"(svc.v1.service).probes.startup", "1m", "5m", less(Look)},
		{"(svc.v1.service).go_runtime", "100", "200", all(Look)},
		{"(svc.v1.service).go_runtime.profiles", "true", "false", all(Look)},
		{"(svc.v1.service).monitoring", "MONITOR_SERVICE", "MONITOR_POD", all(Look)},
		{"(svc.v1.service).monitoring.interval", "30s", "1m", all(Look)},
		{"(svc.v1.service).ports", "9090", "9000", judged{Look, Breaking, Breaking, Breaking}},
		{"(svc.v1.service).stop", "5s", "1m", less(Look)},
		{"(svc.v1.service).trace_sample_ratio", "0.1", "1", all(Safe)},

		{"(svc.v1.method).timeout", "800ms", "1s", judged{isNew: Look, isGone: Safe, forth: Safe, back: Look}},
		{"(svc.v1.method).calls", "a.B/C", "a.B/C, a.B/D", judged{isNew: Look, isGone: Safe, forth: Look, back: Safe}},
		{"(svc.v1.method).errors", "GONE", "GONE, LOST", judged{isNew: Look, isGone: Safe, forth: Look, back: Safe}},
		{"(svc.v1.method).idempotency_key", "id", "key", judged{Look, Breaking, Breaking, Breaking}},
		{"(svc.v1.method).retry", "3", "5", all(Look)},
		{"(svc.v1.method).concurrency", "8", "16", judged{Look, Safe, Look, Look}},
		{"(svc.v1.method).rate_limit", "10", "20", judged{Look, Safe, Look, Look}},
		{"(svc.v1.method).stream", "1h", "2h", judged{isNew: Look, isGone: Safe, forth: Safe, back: Look}},
		{"(svc.v1.method).stream.max_messages", "100", "200", judged{Look, Safe, Look, Look}},
		{"(svc.v1.method).hedge", "50ms", "80ms", all(Look)},
		{"(svc.v1.method).handler_is_idempotent", "true", "false", all(Look)},
		{"(svc.v1.method).idempotency_scope", "x-tenant-id", "x-user-id", all(Breaking)},
		{"(svc.v1.method).defers", "a.B/C", "a.B/C, a.B/D", all(Look)},
		{"(svc.v1.method).map_errors.from", "GONE", "LOST", all(Safe)},
		{"(svc.v1.method).map_errors.to", "GONE", "LOST", all(Breaking)},
		{"(svc.v1.method).map_errors.handled", "false", "true", judged{Safe, Safe, Look, Look}},

		{"(google.api.http)", "GET /v1/a", "GET /v1/a, GET /v2/a", less(Breaking)},
		{"idempotency_level", "NO_SIDE_EFFECTS", "IDEMPOTENT", all(Look)},
		{"deprecated", "true", "false", all(Look)},

		{"(svc.v1.field).default", "10", "20", all(Look)},
		{"(svc.v1.field).reload", "RELOAD_HOT", "RELOAD_RESTART", all(Look)},
		{"(svc.v1.field).secret_key", "api_key", "key", all(Breaking)},

		{"(svc.v1.errors).domain", "shop", "store", all(Breaking)},
		{"(svc.v1.error).code", "NotFound", "Aborted", all(Breaking)},
		{"(svc.v1.error).http_status", "404", "410", all(Breaking)},
		{"(svc.v1.error).message", "It is gone.", "It was sold.", all(Safe)},
		{"(svc.v1.error).trips_breaker", "true", "false", all(Look)},
		{"(svc.v1.error).retry_delay", "1s", "2s", all(Safe)},
		{"(svc.v1.error).translations", "de", "fr", all(Safe)},
		{"(svc.v1.error).retryable", "true", "false", all(Look)},
	}
	untested := maps.Clone(judgements)
	for _, test := range tests {
		delete(untested, test.option)
		for _, change := range []struct {
			old, now string
			want     Level
		}{
			{"", test.first, test.want.isNew}, {test.first, "", test.want.isGone},
			{test.first, test.second, test.want.forth}, {test.second, test.first, test.want.back},
		} {
			if got := judge(test.option, change.old, change.now); got.level != change.want || strings.TrimSpace(got.reason) == "" {
				t.Errorf("%s from %q to %q is %v, want %s", test.option, change.old, change.now, got, change.want)
			}
		}
	}
	for option := range untested {
		t.Errorf("%s has a judgement and no row in the test", option)
	}
}

// TestWhole: what it means that a whole thing is new, or gone, by its kind.
func TestWhole(t *testing.T) {
	want := map[string]struct{ isNew, isGone Level }{
		"service": {Look, Breaking},
		"method":  {Safe, Breaking},
		"error":   {Safe, Breaking},
		"config":  {Look, Breaking},
	}
	if kinds := slices.Sorted(maps.Keys(want)); !slices.Equal(slices.Sorted(maps.Keys(added)), kinds) || !slices.Equal(slices.Sorted(maps.Keys(gone)), kinds) {
		t.Errorf("kinds are %v and %v, want %v", added, gone, kinds)
	}
	for kind, want := range want {
		group := []settings.Group{{Kind: kind, Name: "shop"}}
		isNew, isGone := Compare(nil, group), Compare(group, nil)
		if len(isNew) != 1 || isNew[0].Level != want.isNew || isNew[0].Reason == "" {
			t.Errorf("a new %s is %+v, want %s", kind, isNew, want.isNew)
		}
		if len(isGone) != 1 || isGone[0].Level != want.isGone || isGone[0].Reason == "" {
			t.Errorf("a %s that is gone is %+v, want %s", kind, isGone, want.isGone)
		}
	}
}

// TestJudge: how values are measured, and whose judgement an annotation without one
// of its own has.
func TestJudge(t *testing.T) {
	tests := []struct {
		option, old, now string
		want             Level
	}{
		{"(svc.v1.method).timeout", "0s", "1h", Look}, // there was none
		{"(svc.v1.method).timeout", "1h", "0s", Safe},
		{"(svc.v1.service).stop.grace", "0s", "5s", Safe}, // none is the shortest
		{"(svc.v1.service).stop.grace", "5s", "0s", Look},
		{"(svc.v1.service).scale.memory", "1Gi", "512Mi", Look},
		{"(svc.v1.service).scale.memory", "512Mi", "1Gi", Safe},
		{"(svc.v1.service).scale.cpu", "1", "250m", Look},
		{"(svc.v1.service).scale.cpu", "250m", "1", Safe},
		{"(svc.v1.service).callees.balance", "BALANCE_ROUND_ROBIN", "BALANCE_PICK_FIRST", Look},
		{"(svc.v1.service).metrics.labels.values", "web, app", "web, shop", Look}, // one more, and one less
		{"(svc.v1.service).ports.http", "8080", "", Breaking},
		{"(svc.v1.service).metrics.name", "sales_total", "", Breaking},
		{"(svc.v1.method).idempotency_key", "id", "", Breaking},
		{"(google.api.http)", "GET /v1/a, GET /v2/a", "GET /v2/a", Breaking},
		{"(svc.v1.method).unheard_of", "1", "2", Look},
	}
	for _, test := range tests {
		if got := judge(test.option, test.old, test.now); got.level != test.want || strings.TrimSpace(got.reason) == "" {
			t.Errorf("%s from %q to %q is %v, want %s", test.option, test.old, test.now, got, test.want)
		}
	}
}

// TestMessages: words may change; what code makes and reads of an error, its
// placeholders, may not.
func TestMessages(t *testing.T) {
	tests := []struct {
		old, now string
		want     Level
	}{
		{"{id} is gone", "gone: {id}", Safe},
		{"{id} is gone", "{id:string} is gone", Safe},
		{"{n:int64} gone", "{n} gone, {n:int64}", Safe},
		{"{id} is gone", "gone", Breaking},
		{"{id} is gone", "{key} is gone", Breaking},
		{"{n} gone", "{n:int64} gone", Breaking},
		{"{n:int64} gone", "{n} gone", Breaking},
		{"{at:timestamp} {n:int64}", "{n:double} {at:timestamp}", Breaking},
		{"gone", "{id} is gone", Look},
		{"{a} {b}", "{c} {b} {a}", Look},
		{"{a} {b}", "{b} {a}", Look},
		{"{a} {b} {c}", "{c} {b} {a}", Safe}, // fields of a struct
		{"", "{id} is gone", Safe},
		{"{id} is gone", "", Safe},
	}
	for _, test := range tests {
		if got := judge("(svc.v1.error).message", test.old, test.now); got.level != test.want || got.reason == "" {
			t.Errorf("from %q to %q is %v, want %s", test.old, test.now, got, test.want)
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
