package wire

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Fields travel by an Empty, and are seen in order up to where they are none.
func TestEach(t *testing.T) {
	const whole = "\x08\x96\x01\x12\x02hi\x08\x01" // 1: 150, 2: "hi", 1: 1
	for fields, want := range map[string]string{
		"":                 "",
		whole:              `1/0="\x96\x01" 2/2="\x02hi" 1/0="\x01" `,
		whole + "\xff":     `1/0="\x96\x01" 2/2="\x02hi" 1/0="\x01" `,
		"\x08\x01\x12\x05": `1/0="\x01" `,
		"\x00":             "",
	} {
		sent, err := proto.Marshal(Carry([]byte(fields)))
		if err != nil {
			t.Fatal(err)
		}
		if string(sent) != fields {
			t.Errorf("%q travels as %q", fields, sent)
		}
		got := ""
		Each([]byte(fields), func(number protowire.Number, kind protowire.Type, value []byte) {
			got += fmt.Sprintf("%d/%d=%q ", number, kind, value)
		})
		if got != want {
			t.Errorf("%q has %s, want %s", fields, got, want)
		}
	}
	received := new(emptypb.Empty)
	if err := proto.Unmarshal([]byte(whole), received); err != nil || string(Fields(received)) != whole {
		t.Errorf("%q came as %q, %v", whole, Fields(received), err)
	}
}
