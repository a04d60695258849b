package format_test

import (
	"strings"
	"testing"

	"github.com/protosvc/protosvc/svc/validate/format"
)

// TestFormats has strings with and without each format. The differential test
// against protovalidate tries many more.
func TestFormats(t *testing.T) {
	long := strings.Repeat("a", 63)
	name253 := strings.Repeat(long+".", 3) + strings.Repeat("a", 61)
	for _, test := range []struct {
		name      string
		check     func(string) bool
		good, bad []string
	}{
		{"Email", format.Email,
			[]string{"a@b", "anna+x@example.com", "a@1.2", "!#$%&'*+/=?^_`{|}~-.@x"},
			[]string{"", "@", "a@", "@b", "a b@c", "a@b@c", "a@-b", "a@b.", "a@" + long + "a", "é@b", "\"a\"@b"}},
		{"Hostname", format.Hostname,
			[]string{"a", "a.b-c", "1.a", "example.com.", long, name253, name253 + "."},
			[]string{"", ".", "a..b", "-a", "a-", "a_b", "1.2.3", long + "a", name253 + "a", "a.com..", "é.com"}},
		{"Address", format.Address,
			[]string{"a", "::1", "1.2.3.4"},
			[]string{"", "1.2.3", "[::1]"}},
		{"HostAndPort", format.HostAndPort,
			[]string{"a:0", "1.2.3.4:80", "[::1]:65535", "[fe80::1%a]b]:1"},
			[]string{"", "a", "a:", ":1", "a:01", "a:65536", "::1:80", "[::1]", "[::1]80", "[1.2.3.4]:1", "a:+1"}},
		{"IP", format.IP,
			[]string{"1.2.3.4", "::", "fe80::1%eth0"},
			[]string{"", "1.2.3", "1.2.3.04", "1.2.3.256", ":", "%a"}},
		{"IPv4", format.IPv4,
			[]string{"0.0.0.0", "255.255.255.255"},
			[]string{"", "::1", "1.2.3.4.5", "1.2.3.4%a", " 1.2.3.4", "::ffff:1.2.3.4"}},
		{"IPv6", format.IPv6,
			[]string{"::", "1::", "::1.2.3.4", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::1%a b"},
			[]string{"", "1.2.3.4", ":::", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "::1%", "::1.2.3.4%a", ":1", "1:"}},
		{"IPWithPrefix", format.IPWithPrefix,
			[]string{"1.2.3.4/0", "1.2.3.4/32", "::1/128"},
			[]string{"", "1.2.3.4", "1.2.3.4/33", "1.2.3.4/01", "1.2.3.4/", "::1/129", "::1%a/64", "1.2.3.4/+1"}},
		{"IPPrefix", format.IPPrefix,
			[]string{"10.0.0.0/8", "0.0.0.0/0", "1.2.3.4/32", "2001:db8::/32", "::/0"},
			[]string{"", "10.0.0.1/8", "2001:db8::1/32"}},
		{"IPv4Prefix", format.IPv4Prefix, []string{"10.0.0.0/8"}, []string{"::/0", "10.0.0.1/8"}},
		{"IPv6Prefix", format.IPv6Prefix, []string{"::/0"}, []string{"10.0.0.0/8", "::1/0"}},
		{"IPv4WithPrefix", format.IPv4WithPrefix, []string{"10.0.0.1/8"}, []string{"::/0"}},
		{"IPv6WithPrefix", format.IPv6WithPrefix, []string{"::1/8"}, []string{"10.0.0.0/8"}},
		{"URI", format.URI,
			[]string{"a:", "http://", "http://u:p@h:1/p?q=/?#f/?", "urn:a:b", "mailto:a@b", "file:///x", "a:/", "a:b//c",
				"http://[::1]", "http://[fe80::1%25a%20]:", "http://[vF.a:b]", "http://%C3%A9", "x+1.-:%41"},
			[]string{"", ":", "1:", "a", "http://a b", "a:%4", "a:%zz", "a:#b#c", "http://h:p", "http://[::1", "http://[::1]x",
				"http://[1.2.3.4]", "http://[::1%a]", "http://[::1%25]", "http://[v.a]", "http://[vG.a]", "http://%FF", "http://a@b@c", "a:é", "http://a[b"}},
		{"URIRef", format.URIRef,
			[]string{"", "/", "a", "../a:b", "?q", "#f", "//h/p", "a:b", "./a:b", "@", "a/b:c"},
			[]string{"1:b", "%", "#a#b", "a b", "//[::1", ":"}},
		{"UUID", format.UUID,
			[]string{"123e4567-e89b-12d3-A456-426614174000"},
			[]string{"", "123e4567-e89b-12d3-a456-42661417400", "123e4567-e89b-12d3-a456-42661417400g", "123e4567ae89b-12d3-a456-426614174000"}},
		{"TUUID", format.TUUID,
			[]string{"123e4567e89b12d3A456426614174000"},
			[]string{"", "123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a45642661417400g"}},
		{"ULID", format.ULID,
			[]string{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "7zzzzzzzzzzzzzzzzzzzzzzzzz"},
			[]string{"", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAI", "01ARZ3NDEKTSV4RRFFQ69G5FAu", "01ARZ3NDEKTSV4RRFFQ69G5FA"}},
		{"ProtobufName", format.ProtobufName,
			[]string{"a", "_1.B_2"},
			[]string{"", ".a", "a.", "a..b", "1a", "a-b"}},
		{"ProtobufDotName", format.ProtobufDotName,
			[]string{".a", ".a.b"},
			[]string{"", "a", ".", "..a"}},
		{"HeaderName", format.HeaderName,
			[]string{"a", ":path", "X-1_~`|"},
			[]string{"", ":", "a b", "a,b", "a:b", "a\n", "é"}},
		{"HeaderValue", format.HeaderValue,
			[]string{"", "a\tb, é"},
			[]string{"a\nb", "\x00", "\x7f", "\r"}},
		{"LooseHeaderName", format.LooseHeaderName,
			[]string{"a b", "\x01"},
			[]string{"", "a\n", "\x00", "\r"}},
		{"LooseHeaderValue", format.LooseHeaderValue,
			[]string{"", "a b", "\x01"},
			[]string{"a\n", "\x00", "\r"}},
	} {
		for _, s := range test.good {
			if !test.check(s) {
				t.Errorf("%s(%q) = false", test.name, s)
			}
			if n := testing.AllocsPerRun(10, func() { test.check(s) }); n > 0 {
				t.Errorf("%s(%q) costs %v allocations", test.name, s, n)
			}
		}
		for _, s := range test.bad {
			if test.check(s) {
				t.Errorf("%s(%q) = true", test.name, s)
			}
		}
	}
}

// TestLongHost decodes a host that does not fit the buffer.
func TestLongHost(t *testing.T) {
	if host := strings.Repeat("%C3%A9", 500); !format.URI("http://" + host) {
		t.Error("a long host is refused")
	}
	if host := strings.Repeat("a", 500) + "%C3"; format.URI("http://" + host) {
		t.Error("half a character is accepted")
	}
}

// Each byte of a UUID counts.
func TestEachByteOfAUUID(t *testing.T) {
	const uuid = "123e4567-e89b-12d3-a456-426614174000"
	for i := range uuid {
		if s := uuid[:i] + "g" + uuid[i+1:]; format.UUID(s) {
			t.Errorf("%s is taken for a UUID", s)
		}
	}
}
