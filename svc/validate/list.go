package validate

import (
	"bytes"
	"strings"
)

// small is the length up to which comparing all pairs beats a map, and needs no
// memory.
const small = 32

// Unique reports whether no element of the list occurs twice.
func Unique[T comparable](list []T) bool {
	if len(list) > small {
		return uniqueByMap(list, func(element T) T { return element })
	}
	for i, element := range list {
		for _, other := range list[:i] {
			if element == other {
				return false
			}
		}
	}
	return true
}

// UniqueBytes is [Unique] for byte strings.
func UniqueBytes(list [][]byte) bool {
	if len(list) > small {
		return uniqueByMap(list, func(element []byte) string { return string(element) })
	}
	for i, element := range list {
		for _, other := range list[:i] {
			if bytes.Equal(element, other) {
				return false
			}
		}
	}
	return true
}

func uniqueByMap[T any, K comparable](list []T, key func(T) K) bool {
	seen := make(map[K]struct{}, len(list))
	for _, element := range list {
		seen[key(element)] = struct{}{}
	}
	return len(seen) == len(list)
}

// Count returns how many of the conditions hold: of several fields, how many
// are set.
func Count(conditions ...bool) int {
	n := 0
	for _, holds := range conditions {
		if holds {
			n++
		}
	}
	return n
}

// Is reports whether a oneof holds the member with the wrapper type T.
func Is[T any](oneof any) bool {
	_, ok := oneof.(T)
	return ok
}

// MaskWithin reports whether each path of a field mask is one of the allowed
// ones, or lies below one: "price" allows "price.currency".
func MaskWithin(paths []string, allowed ...string) bool {
	for _, path := range paths {
		if !covered(path, allowed) {
			return false
		}
	}
	return true
}

// MaskTouches reports whether some path of a field mask is one of the given
// ones, or lies below one.
func MaskTouches(paths []string, given ...string) bool {
	for _, path := range paths {
		if covered(path, given) {
			return true
		}
	}
	return false
}

func covered(path string, by []string) bool {
	for _, above := range by {
		rest, found := strings.CutPrefix(path, above)
		if found && (rest == "" || rest[0] == '.') {
			return true
		}
	}
	return false
}
