package model

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// duration reads an annotation such as "800ms", or takes the default when it
// is empty. Negative values are refused. What is refused becomes zero, which takes
// no part in relations to other values.
func duration(s string, byDefault time.Duration) (time.Duration, error) {
	if s == "" {
		return byDefault, nil
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, reject(durationForm, s, "5s")
	case d < 0:
		return 0, reject(durationNegative, s, "5s")
	}
	return d, nil
}

// positive is duration where zero means nothing.
func positive(s string, byDefault time.Duration) (time.Duration, error) {
	d, err := duration(s, byDefault)
	if err == nil && d == 0 {
		return 0, reject(durationZero, s, byDefault)
	}
	return d, err
}

var (
	quantityText = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(m|k|Ki|M|Mi|G|Gi|T|Ti)?$`)

	// quantityScale is what the suffixes of a Kubernetes quantity multiply by.
	quantityScale = map[string]float64{
		"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
		"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
	}
)

// quantity reads a Kubernetes quantity such as "250m" or "128Mi".
func quantity(s, example string) (float64, error) {
	m := quantityText.FindStringSubmatch(s)
	if m == nil {
		return 0, reject(quantityForm, s, example)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n == 0 || math.IsInf(n, 0) {
		return 0, reject(quantityZero, s, example)
	}
	return n * quantityScale[m[2]], nil
}

// Quantity is the value of a Kubernetes quantity; zero if the text is none.
func Quantity(s string) float64 {
	n, _ := quantity(s, "")
	return n
}

// looseSize is how people write sizes besides: "4MB", "4 mib".
var looseSize = regexp.MustCompile(`(?i)^\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)i?b?\s*$`)

// nearestSize is the size that a text which is none most likely means, within
// bounds; the default where it means nothing.
func nearestSize(text, byDefault, least, most string) string {
	m := looseSize.FindStringSubmatch(text)
	if m == nil {
		return byDefault
	}
	meant := m[1]
	if m[2] != "" {
		meant += strings.ToUpper(m[2]) + "i"
	}
	switch {
	case compareSizes(meant, least) < 0:
		return least
	case compareSizes(meant, most) > 0:
		return most
	}
	return meant
}

// compareSizes compares quantities; one that is refused is zero.
func compareSizes(a, b string) int { return cmp.Compare(Quantity(a), Quantity(b)) }

// orDefault is v unless it is the zero value.
func orDefault[T comparable](v, byDefault T) T {
	var zero T
	if v == zero {
		return byDefault
	}
	return v
}
