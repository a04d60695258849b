package rules_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// askMore are the rules whose outcome depends on more than the value, and those of
// types that have no values here.
var askMore = []string{"timestamp.lt_now", "timestamp.gt_now", "timestamp.within", "any.", "field_mask.", "map."}

// texts are of each format that a string can have, and of none.
var texts = []string{
	"", "a", "aa", "aaaa", "b", "/", "%", "A:", "a b", "\n", "1.2.3.4", "::1", "1.2.3.0/24", "1.2.3.4/24", "::/8", "a@b.cc", "a:1", ".a", "http://a",
	"0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "0123456789abcdef",
}

// candidates are values of a kind, of which some break each rule that set sets, and
// others keep it.
var candidates = map[string][][]protoreflect.Value{
	"bool":     each(true, false),
	"string":   each(texts...),
	"bytes":    each(bytesOf(texts)...),
	"enum":     each[protoreflect.EnumNumber](0, 1, 3),
	"float":    each(0, 2, 3, 4, float32(math.Inf(1))),
	"double":   each(0, 2, 3, 4, math.Inf(1)),
	"int32":    each[int32](0, 2, 3, 4),
	"sint32":   each[int32](0, 2, 3, 4),
	"sfixed32": each[int32](0, 2, 3, 4),
	"int64":    each[int64](0, 2, 3, 4),
	"sint64":   each[int64](0, 2, 3, 4),
	"sfixed64": each[int64](0, 2, 3, 4),
	"uint32":   each[uint32](0, 2, 3, 4),
	"fixed32":  each[uint32](0, 2, 3, 4),
	"uint64":   each[uint64](0, 2, 3, 4),
	"fixed64":  each[uint64](0, 2, 3, 4),
	"duration": each(durationpb.New(0).ProtoReflect(), durationpb.New(1).ProtoReflect(), durationpb.New(2).ProtoReflect()),
	"timestamp": each(timestamppb.New(time.Unix(0, 0)).ProtoReflect(), timestamppb.New(time.Unix(1, 0)).ProtoReflect(),
		timestamppb.New(time.Unix(2, 0)).ProtoReflect()),
	"repeated": {{}, listOf("a"), listOf(""), listOf("a", "a"), listOf("a", "b", "c", "d")},
}

func listOf(texts ...string) []protoreflect.Value { return slices.Concat(each(texts...)...) }

func each[T any](values ...T) [][]protoreflect.Value {
	var out [][]protoreflect.Value
	for _, v := range values {
		out = append(out, []protoreflect.Value{protoreflect.ValueOf(v)})
	}
	return out
}

func bytesOf(texts []string) [][]byte {
	var out [][]byte
	for _, text := range texts {
		out = append(out, []byte(text))
	}
	return out
}

// TestBreaches holds values against each rule that buf.validate has, one at a time,
// and compares with testdata/breaches.txt which of them break it. Some must, and
// others must not: a rule that a later version adds must not be taken for kept in
// silence.
func TestBreaches(t *testing.T) {
	const golden = "testdata/breaches.txt"
	var got strings.Builder
	types := (&validate.FieldRules{}).ProtoReflect().Descriptor().Oneofs().ByName("type").Fields()
	for i := range types.Len() {
		kind := types.Get(i)
		settings := kind.Message().Fields()
		for j := range settings.Len() {
			name := fmt.Sprintf("%s.%s", kind.Name(), settings.Get(j).Name())
			asksMore := slices.ContainsFunc(askMore, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
			if asksMore || noChecks[string(settings.Get(j).Name())] {
				continue
			}
			kept, broken := keepAndBreak(t, kind, settings.Get(j))
			if len(kept) == 0 || len(broken) == 0 {
				t.Errorf("%s: %q keep the rule and %q break it, want some of both", name, kept, broken)
			}
			fmt.Fprintf(&got, "%s\n  keep it: %s\n  break it: %s\n", name, strings.Join(kept, " "), strings.Join(broken, " "))
		}
	}
	if *update {
		write(t, golden, []byte(got.String()))
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("other than %s (-update rewrites it; -want +got):\n%s", golden, diff)
	}
}

// keepAndBreak returns the values that keep a rule, and those that break it.
func keepAndBreak(t *testing.T, kind, setting protoreflect.FieldDescriptor) (kept, broken []string) {
	t.Helper()
	options := &validate.FieldRules{}
	set(options.ProtoReflect().Mutable(kind).Message(), setting)
	messages := messageWith(t, string(kind.Name()), options)
	validators, _ := rules.Build(messages, "Test", nil)
	for _, value := range candidates[string(kind.Name())] {
		if len(validators.Breaches(messages[0].Fields[0], value)) == 0 {
			kept = append(kept, shown(value))
		} else {
			broken = append(broken, shown(value))
		}
	}
	return kept, broken
}

func shown(values []protoreflect.Value) string {
	var out []string
	for _, v := range values {
		switch x := v.Interface().(type) {
		case protoreflect.Message:
			out = append(out, strconv.FormatInt(x.Get(x.Descriptor().Fields().Get(0)).Int(), 10)+"s"+
				strconv.FormatInt(x.Get(x.Descriptor().Fields().Get(1)).Int(), 10)+"ns")
		case string, []byte:
			out = append(out, fmt.Sprintf("%q", x))
		default:
			out = append(out, fmt.Sprint(x))
		}
	}
	if len(out) != 1 {
		return "[" + strings.Join(out, ", ") + "]"
	}
	return out[0]
}
