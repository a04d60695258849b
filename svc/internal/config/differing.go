package config

import "slices"

// Differing returns the keys whose values differ between two settings, pointers to
// structs of one type: "stop.budget". Of a list that differs it is the key of the list.
func Differing(a, b any) (keys []string) {
	differ("", newSettings(a), newSettings(b), func(key string) { keys = append(keys, key) })
	return keys
}

// differ reports the places that differ.
func differ(key string, a, b place, report func(string)) {
	switch a := a.(type) {
	case mapping:
		b := b.(mapping)
		for _, name := range union(a.keys(), b.keys()) {
			inner := name
			if key != "" {
				inner = key + "." + name
			}
			one, missing := a.child(name)
			other, absent := b.child(name)
			if missing != nil || absent != nil {
				report(inner)
				continue
			}
			differ(inner, one, other, report)
		}
	case list:
		if !sameItems(a.items(), b.(list).items()) {
			report(key)
		}
	case value:
		if a.get() != b.(value).get() {
			report(key)
		}
	}
}

func sameItems(a, b []place) bool {
	return slices.EqualFunc(a, b, func(one, other place) bool {
		same := true
		differ("", one, other, func(string) { same = false })
		return same
	})
}

// union keeps the order of a, and then of b.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, key := range b {
		if !slices.Contains(all, key) {
			all = append(all, key)
		}
	}
	return all
}
