package reload

import "testing"

func TestHash(t *testing.T) {
	if h := (Hash{0, 0, 0, 0, 1, 2, 255}); h.String() != "000000000102" || h.Float() != 258 {
		t.Errorf("%v is %v", h, h.Float())
	}
	seen := map[Hash]int{}
	for i, files := range [][][]byte{
		nil, {nil}, {{}}, {nil, nil}, {[]byte("ab")}, {[]byte("a"), []byte("b")}, {[]byte("b"), []byte("a")}, {[]byte("ab"), nil},
	} {
		h := HashOf(files...)
		if other, taken := seen[h]; taken {
			t.Errorf("%q has the hash of case %d", files, other)
		}
		seen[h] = i
	}
}

func TestFault(t *testing.T) {
	for want, f := range map[string]Fault{
		"config.yaml:2:1: unknown key":                       {File: "config.yaml", Line: 2, Column: 1, Message: "unknown key"},
		"config.yaml: no such file":                          {File: "config.yaml", Message: "no such file"},
		"environment variable ORDER_GRPC_PORT: not a number": {Variable: "ORDER_GRPC_PORT", Message: "not a number"},
		"the handler does not want it":                       {Message: "the handler does not want it"},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
