package errors

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// placeholder is a type that a contract gives to the value of a placeholder.
type placeholder interface {
	string | bool | int64 | float64 | time.Time | time.Duration
}

// Value reads one value of an error's metadata, as the type that the contract gives
// to its placeholder. It is zero where the metadata does not have the key, and where
// its text is none of the type, because it was cut or comes from a service that has
// another version of the contract: that text is still in the metadata.
func Value[T placeholder](e *Error, key string) T {
	var value, zero T
	var err error
	text := e.Metadata[key]
	switch v := any(&value).(type) {
	case *string:
		*v = text
	case *bool:
		*v = text == "true"
	case *int64:
		*v, err = strconv.ParseInt(text, 10, 64)
	case *float64:
		*v, err = strconv.ParseFloat(text, 64)
	case *time.Duration:
		*v, err = time.ParseDuration(text)
	case *time.Time:
		*v, err = time.Parse(time.RFC3339, text)
		*v = v.UTC()
	}
	if err != nil {
		return zero // of a number that is too large there is the largest
	}
	return value
}

// textOf is a value as it travels: as in the JSON of protobuf, without the quotes.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case time.Duration:
		return seconds(v)
	case float64:
		return double(v)
	}
	return fmt.Sprint(value)
}

// seconds has no fraction that says nothing: 90s, 1.5s.
func seconds(d time.Duration) string {
	whole, nanos := d/time.Second, d%time.Second
	if nanos == 0 {
		return strconv.FormatInt(int64(whole), 10) + "s"
	}
	sign := ""
	if d < 0 {
		sign, whole, nanos = "-", -whole, -nanos
	}
	fraction := fmt.Sprintf("%09d", nanos)
	for fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	return fmt.Sprintf("%s%d.%ss", sign, whole, fraction)
}

// double has an exponent only where people would write one, which %g of fmt has
// from a million on.
func double(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case math.IsNaN(f):
		return "NaN"
	}
	text, _ := json.Marshal(f) // fails for the three above only
	return string(text)
}
