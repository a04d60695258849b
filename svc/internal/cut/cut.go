// Package cut shortens texts that callers have sent.
package cut

import "unicode/utf8"

// Mark stands at the end of a text that was cut.
const Mark = "…"

// Text returns the text, or its first limit bytes and the mark. It cuts between
// two characters, and what it has cut stays as it is when it is cut again.
func Text(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return Prefix(text, limit) + Mark
}

// Prefix returns the longest start of a text that has at most limit bytes and
// ends between two characters.
func Prefix(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > max(limit-utf8.UTFMax, 0) && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
