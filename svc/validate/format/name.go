package format

import "strings"

// UUID reports whether s is a UUID: 32 hex digits in groups of 8, 4, 4, 4 and
// 12 with hyphens between.
func UUID(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' &&
		only(s[:8], hex) && only(s[9:13], hex) && only(s[14:18], hex) && only(s[19:23], hex) && only(s[24:], hex)
}

// TUUID reports whether s is a UUID without hyphens.
func TUUID(s string) bool { return len(s) == 32 && only(s, hex) }

// ULID reports whether s is a ULID: 26 letters and digits of Crockford's base
// 32, in either case. The first one is at most 7, since a ULID has 128 bits.
func ULID(s string) bool {
	return len(s) == 26 && s[0] >= '0' && s[0] <= '7' &&
		only(s, alpha|digit) && !strings.ContainsAny(s, "ILOUilou")
}

// ProtobufName reports whether s is a full name in protobuf: "order.v1.Order".
func ProtobufName(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if !isIdentifier(part) {
			return false
		}
	}
	return true
}

// ProtobufDotName reports whether s is a full name with a dot before it.
func ProtobufDotName(s string) bool {
	name, found := strings.CutPrefix(s, ".")
	return found && ProtobufName(name)
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && !only(s[i:i+1], alpha) && (i == 0 || !only(s[i:i+1], digit)) {
			return false
		}
	}
	return s != ""
}

// HeaderName reports whether s is the name of an HTTP header, or of a pseudo
// header: ":path".
func HeaderName(s string) bool {
	s = strings.TrimPrefix(s, ":")
	return s != "" && only(s, token)
}

// HeaderValue reports whether s may be the value of an HTTP header: no control
// characters but the tab.
func HeaderValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// LooseHeaderName reports whether s can do no harm as the name of an HTTP
// header: it is not empty and does not end the line.
func LooseHeaderName(s string) bool { return s != "" && LooseHeaderValue(s) }

// LooseHeaderValue reports whether s can do no harm as the value of an HTTP
// header: it does not end the line.
func LooseHeaderValue(s string) bool { return !strings.ContainsAny(s, "\x00\n\r") }
