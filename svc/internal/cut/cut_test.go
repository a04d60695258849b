package cut_test

import (
	"testing"

	"github.com/protosvc/protosvc/svc/internal/cut"
)

func TestText(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{"12345678", "12345678"},
		{"123456789", "12345678…"},
		{"1234567é9", "1234567…"},
		{"123ééé", "123éé…"},
		{"日本語日本語", "日本…"},
		{"1\x80\x80\x80\x80\x80\x80\x80\x80", "1\x80\x80\x80…"},
	}
	for _, test := range tests {
		got := cut.Text(test.text, 8)
		if got != test.want {
			t.Errorf("Text(%q, 8) = %q, want %q", test.text, got, test.want)
		}
		if again := cut.Text(got, 8); again != got {
			t.Errorf("Text(%q, 8) = %q, want the same", got, again)
		}
	}
}
