package contractdiff

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
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
	for option := range left {
		t.Errorf("%s has a judgement and is no annotation", option)
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
		{"(svc.v1.method).idempotency_key", "", "id", Look},
		{"(svc.v1.method).idempotency_key", "id", "key", Breaking},
	}
	for _, test := range tests {
		if got := judge(test.option, test.old, test.now); got.level != test.want || strings.TrimSpace(got.reason) == "" {
			t.Errorf("%s from %q to %q is %v, want %s", test.option, test.old, test.now, got, test.want)
		}
	}
}
