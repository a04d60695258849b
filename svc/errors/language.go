package errors

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// maxLanguages is how many languages of a caller are looked at. Browsers send a
// handful; a longer list is somebody's joke.
const maxLanguages = 16

// translation returns the translation for a caller who reads these languages,
// or nil. It is the lookup of RFC 4647, section 3.4: each language by falling
// weight, and each with less and less behind it, "de-CH-1996", "de-CH", "de".
// golang.org/x/text would match more cleverly, for a quarter of a megabyte.
func (c *Code) translation(languages string) *Translation {
	if len(c.Translations) == 0 || languages == "" {
		return nil
	}
	for _, language := range byWeight(languages) {
		for ; language != ""; language = shorter(language) {
			for i, t := range c.Translations {
				if strings.EqualFold(t.Locale, language) {
					return &c.Translations[i]
				}
			}
		}
	}
	return nil
}

// shorter takes the last subtag off. RFC 4647 does not stop at a single letter
// either; a translation into one does not exist, so stopping finds nothing.
func shorter(language string) string { return language[:max(strings.LastIndexByte(language, '-'), 0)] }

// byWeight splits an Accept-Language into its languages, the heaviest first. It
// leaves out what the caller does not want, and the "*": no translation is
// better than another to somebody who reads all of them.
func byWeight(languages string) []string {
	type weighted struct {
		language string
		weight   float64
	}
	var all []weighted
	for part := range strings.SplitSeq(languages, ",") {
		language, parameter, _ := strings.Cut(part, ";")
		language = strings.TrimSpace(language)
		if w := weightOf(parameter); w > 0 && language != "" && language != "*" {
			all = append(all, weighted{language, w})
		}
		if len(all) == maxLanguages {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b weighted) int { return cmp.Compare(b.weight, a.weight) })
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = w.language
	}
	return out
}

// weightOf reads "q=0.8". Without a weight it is 1, with one that makes no sense
// not above 0.
func weightOf(parameter string) float64 {
	parameter = strings.TrimSpace(parameter)
	if parameter == "" {
		return 1
	}
	name, value, _ := strings.Cut(parameter, "=")
	weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !strings.EqualFold(strings.TrimSpace(name), "q") || !(weight <= 1) {
		return 0
	}
	return weight
}
