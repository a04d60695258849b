package lint

import (
	"strings"
	"unicode"
)

// split cuts a name in PascalCase, camelCase or snake_case into its words:
// "GetHTTPStatus" is Get, HTTP, Status. Digits belong to the word before them.
func split(name string) []string {
	var words []string
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '_' }) {
		runes, begin := []rune(part), 0
		for i := 1; i < len(runes); i++ {
			if unicode.IsUpper(runes[i]) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
				words, begin = append(words, string(runes[begin:i])), i
			}
		}
		words = append(words, string(runes[begin:]))
	}
	return words
}
