package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// YAML's own types, as they stand in a node's tag.
const (
	tagString = "!!str"
	tagInt    = "!!int"
	tagFloat  = "!!float"
	tagBool   = "!!bool"
	tagNull   = "!!null"

	tagTimestamp = "!!timestamp"
)

// scalar is one value as written. An environment variable has no tag: it takes
// the type that is wanted.
type scalar struct{ text, tag string }

func (s scalar) is(tags ...string) bool {
	if s.tag == "" {
		return true
	}
	for _, tag := range tags {
		if s.tag == tag {
			return true
		}
	}
	return false
}

// String is how an error shows the value.
func (s scalar) String() string {
	switch s.tag {
	case tagNull:
		return "nothing"
	case tagInt, tagFloat, tagBool:
		return s.text
	}
	return strconv.Quote(s.text)
}

// maxExact is the largest number up to which a double holds each whole one.
const maxExact = 1 << 53

var (
	errBool     = errors.New("want true or false")
	errNumber   = errors.New("want a number")
	errExact    = fmt.Errorf("want a number from -%d to %d (in quotes it is a string)", maxExact, maxExact)
	errString   = errors.New("want a string (in quotes)")
	errBytes    = errors.New("want a string in base64")
	errDuration = errors.New(`want a duration such as "5s"`)
	errTime     = errors.New(`want a time such as "2006-01-02T15:04:05Z"`)
)

func (s scalar) string() (string, error) {
	if !s.is(tagString) {
		return "", errString
	}
	return s.text, nil
}

func (s scalar) bytes() ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(s.text)
	if err != nil || !s.is(tagString) {
		return nil, errBytes
	}
	return b, nil
}

func (s scalar) bool() (bool, error) {
	if !s.is(tagBool) || s.text != "true" && s.text != "false" {
		return false, errBool
	}
	return s.text == "true", nil
}

func (s scalar) int(bits int) (int64, error) {
	n, err := strconv.ParseInt(s.text, 10, bits)
	if err != nil || !s.is(tagInt) {
		highest := int64(math.MaxInt64) >> (64 - bits)
		return 0, fmt.Errorf("want a whole number from %d to %d", -highest-1, highest)
	}
	return n, nil
}

func (s scalar) uint(bits int) (uint64, error) {
	n, err := strconv.ParseUint(s.text, 10, bits)
	if err != nil || !s.is(tagInt) {
		return 0, fmt.Errorf("want a whole number from 0 to %d", uint64(math.MaxUint64)>>(64-bits))
	}
	return n, nil
}

// float takes no infinity and no NaN: as settings they are accidents.
func (s scalar) float(bits int) (float64, error) {
	n, err := strconv.ParseFloat(s.text, bits)
	if err != nil || !s.is(tagFloat, tagInt) || math.IsInf(n, 0) || math.IsNaN(n) {
		return 0, errNumber
	}
	return n, nil
}

// duration and time look at the text only: YAML has no type of its own for the
// one, and takes an unquoted one of the other for its timestamp.
func (s scalar) duration() (time.Duration, error) {
	d, err := time.ParseDuration(s.text)
	if err != nil {
		return 0, errDuration
	}
	return d, nil
}

func (s scalar) time() (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s.text)
	if err != nil {
		return time.Time{}, errTime
	}
	return t, nil
}

func ofString(text string) scalar { return scalar{text, tagString} }
func ofBool(b bool) scalar        { return scalar{strconv.FormatBool(b), tagBool} }
func ofInt(n int64) scalar        { return scalar{strconv.FormatInt(n, 10), tagInt} }
func ofUint(n uint64) scalar      { return scalar{strconv.FormatUint(n, 10), tagInt} }
func ofBytes(b []byte) scalar     { return ofString(base64.StdEncoding.EncodeToString(b)) }

// ofFloat writes a whole number as one; it reads back the same.
func ofFloat(n float64, bits int) scalar {
	if n == math.Trunc(n) && math.Abs(n) <= maxExact {
		return scalar{strconv.FormatFloat(n, 'f', -1, bits), tagInt}
	}
	text := strconv.FormatFloat(n, 'g', -1, bits)
	if strings.ContainsAny(text, ".e") {
		return scalar{text, tagFloat}
	}
	return scalar{text, tagInt}
}
