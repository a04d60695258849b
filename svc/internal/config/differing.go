package config

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	pr "google.golang.org/protobuf/reflect/protoreflect"
)

// Bound returns the keys whose values differ between two settings, pointers to structs of
// one type, and cannot change while the service runs: all but those with the tag
// `reload:"hot"`, on the field or on one around it. Of a list that differs it is the key of
// the list.
func Bound(a, b any) (keys []string) {
	differ("", newSettings(a), newSettings(b), func(key string, p place) {
		if p, ok := p.(interface{ changes() bool }); !ok || !p.changes() {
			keys = append(keys, key)
		}
	})
	return keys
}

// BoundOf returns those of the paths to fields, "payment.api_key", whose values differ
// between two messages of one type.
func BoundOf(a, b proto.Message, paths []string) (keys []string) {
	for _, path := range paths {
		if !sameField(a.ProtoReflect(), b.ProtoReflect(), strings.Split(path, ".")) {
			keys = append(keys, ServiceKey+"."+path)
		}
	}
	return keys
}

// sameField follows the path as far as one of the messages goes.
func sameField(a, b pr.Message, path []string) bool {
	fd := a.Descriptor().Fields().ByName(pr.Name(path[0]))
	if len(path) > 1 && (a.Has(fd) || b.Has(fd)) {
		return sameField(a.Get(fd).Message(), b.Get(fd).Message(), path[1:])
	}
	return a.Has(fd) == b.Has(fd) && a.Get(fd).Equal(b.Get(fd))
}

// differ reports the places of a that differ from those of b.
func differ(key string, a, b place, report func(string, place)) {
	switch a := a.(type) {
	case mapping:
		b := b.(mapping)
		for _, name := range union(a.keys(), b.keys()) {
			inner := join(key, name)
			one, missing := a.child(name)
			other, absent := b.child(name)
			if missing != nil || absent != nil {
				report(inner, a)
				continue
			}
			differ(inner, one, other, report)
		}
	case list:
		if !sameItems(a.items(), b.(list).items()) {
			report(key, a)
		}
	case value:
		if a.get() != b.(value).get() {
			report(key, a)
		}
	}
}

func sameItems(a, b []place) bool {
	return slices.EqualFunc(a, b, func(one, other place) bool {
		same := true
		differ("", one, other, func(string, place) { same = false })
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
