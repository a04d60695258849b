package transcode_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/transcode"
)

// holds fails unless a message that was accepted survives being encoded, and an error
// being sent.
func holds(t *testing.T, m *dynamicpb.Message, err error) {
	t.Helper()
	if err != nil {
		text := violations(t, err)
		if _, err := proto.Marshal(errors.ToStatus(err).Proto()); err != nil || text == "" {
			t.Fatalf("error %q: %v", text, err)
		}
		if strings.Contains(text, "\u00a0") || strings.Contains(text, "proto:") && !strings.Contains(text, `"`) {
			t.Fatalf("error %q", text)
		}
		return
	}
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	again := dynamicpb.NewMessage(m.Descriptor())
	if err := proto.Unmarshal(data, again); err != nil {
		t.Fatal(err)
	}
	if len(again.GetUnknown()) == 0 && !proto.Equal(m, again) && !strings.Contains(m.String(), "nan") {
		t.Fatalf("%v is not %v", again, m)
	}
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "int32=1&money.amount_minor=2", "labels[a]=b&counts[1]=2", "node.next.name=%ff&;", "updateMask=a,b_c&time=2024-01-01T00:00:00Z",
		"duration=1.5s&bytes=YQ&double=NaN&float=1e3&uint64=1e400000000", "left=a&right=1&cash.amountMinor=3", "color=7&shade=1&int64Value=1"} {
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, raw string, lenient bool) {
		m := message("Kinds")
		err := plan(t, m, transcode.Rule{Variables: []string{"string"}, Body: "items", Lenient: lenient}).Request(m, []string{"x"}, raw, transcode.Body{})
		holds(t, m, err)
	})
}

// A body is accepted where protojson accepts it, as the message or as the field alone.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"money":{"amountMinor":"1"}}`, `[{"amountMinor":1}]`, `[],"int32":1`, "[]\n[]", `{"a":"b"}`, "null", "\"\xff\"",
		`{"time":"2024-01-01T00:00:00Z","updateMask":"a"}`, `{"items":[{},{"x":1}]}`, "\n\n{\"é\":1}", `{"struct":{"a":[1,null,{}]}}`} {
		f.Add(seed, uint8(0))
		f.Add(seed, uint8(1))
	}
	fields := []string{"*", "items", "labels", "money", "string", "color", "struct", "time", "node"}
	f.Fuzz(func(t *testing.T, raw string, which uint8) {
		field := fields[int(which)%len(fields)]
		m := message("Kinds")
		p := plan(t, m, transcode.Rule{Body: field, Patch: true})
		body, err := p.Read(strings.NewReader(raw), int64(len(raw)), "")
		if err != nil {
			t.Fatal(err)
		}
		err = p.Request(m, nil, "", body)
		holds(t, m, err)
		want := message("Kinds")
		whole := raw
		if field != "*" {
			whole = `{"` + field + `":` + raw + "\n}"
		}
		if wantErr := protojson.Unmarshal([]byte(whole), want); err == nil && wantErr != nil && strings.TrimSpace(raw) != "" {
			t.Fatalf("accepted, %v", wantErr)
		} else if err == nil && wantErr == nil && field == "*" && !strings.Contains(raw, "n") && !proto.Equal(m, want) {
			t.Fatalf("%v, want %v", m, want)
		}
	})
}
