// Package contractdiff compares two contracts by what they do in operation: the
// effective settings of their services, methods and errors, each change with a
// judgement, and beside them what buf says about the wire.
package contractdiff

import (
	"slices"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/settings"
)

// Level says how much a change matters.
type Level string

// The levels, the gravest first.
const (
	// Breaking: somebody who relies on the old contract fails.
	Breaking Level = "breaking"
	// Look: it works, and somebody should know before it goes out.
	Look Level = "look"
	// Safe: nobody has to do anything.
	Safe Level = "safe"
)

// Change is one difference.
type Change struct {
	// Kind and Name say what changed: see settings.Group. Rules of buf.validate
	// are those of a "message", a "oneof" or a "field".
	Kind string `json:"kind"`
	Name string `json:"name"`

	// Option is the annotation, empty where the whole is new or gone. Old and New
	// are its effective values, empty for none.
	Option string `json:"option,omitempty"`
	Old    string `json:"old"`
	New    string `json:"new"`

	Level  Level  `json:"level"`
	Reason string `json:"reason"`

	// At is the place in the new contract, "proto/order/v1/order.proto:18:5", of
	// rules of buf.validate only.
	At string `json:"at,omitempty"`
}

// Compare lists what differs, in the order of the new contract; what is gone stands
// where it was.
func Compare(before, after []settings.Group) []Change {
	var changes []Change
	olds, news := byName(before), byName(after)
	for _, k := range merged(before, after) {
		old, was := olds[k]
		now, is := news[k]
		switch {
		case !is:
			changes = append(changes, whole(old, false /* gone */))
		case !was:
			changes = append(changes, whole(now, true /* new */))
		default:
			changes = append(changes, compareSettings(old, now)...)
		}
	}
	return changes
}

// merged are the keys of both, each once: those of the new contract, and behind the
// one that they followed those of the old.
func merged(before, after []settings.Group) []string {
	var keys []string
	for _, g := range after {
		if !slices.Contains(keys, key(g)) {
			keys = append(keys, key(g))
		}
	}
	next := 0
	for _, g := range before {
		i := slices.Index(keys, key(g))
		if i < 0 {
			i = next
			keys = slices.Insert(keys, i, key(g))
		}
		next = i + 1
	}
	return keys
}

func key(g settings.Group) string { return g.Kind + " " + g.Name }

// byName finds groups. An error that several services return is there for each, with
// the same values.
func byName(groups []settings.Group) map[string]settings.Group {
	out := map[string]settings.Group{}
	for _, g := range groups {
		out[key(g)] = g
	}
	return out
}

func whole(g settings.Group, isNew bool) Change {
	verdict := gone[g.Kind]
	if isNew {
		verdict = added[g.Kind]
	}
	return Change{Kind: g.Kind, Name: g.Name, Level: verdict.level, Reason: verdict.reason}
}

func compareSettings(before, after settings.Group) []Change {
	var changes []Change
	note := func(option, rule, old, now string) {
		if old == now {
			return
		}
		v := judge(rule, old, now)
		if without(before, after, rule) {
			v = pointless
		}
		changes = append(changes, Change{Kind: after.Kind, Name: after.Name, Option: option, Old: old, New: now, Level: v.level, Reason: v.reason})
	}
	for _, s := range before.Settings {
		if find(after, s.Option) < 0 {
			note(s.Option, s.Rule(), s.Value, "")
		}
	}
	for _, s := range after.Settings {
		old := ""
		if i := find(before, s.Option); i >= 0 {
			old = before.Settings[i].Value
		}
		note(s.Option, s.Rule(), old, s.Value)
	}
	return changes
}

// without reports whether an annotation has no effect in one of two groups, where
// the one that it is about is not set.
func without(before, after settings.Group, rule string) bool {
	for annotation, needed := range about {
		if rule == annotation || strings.HasPrefix(rule, annotation+".") {
			return valueOf(before, needed) == "" || valueOf(after, needed) == ""
		}
	}
	return false
}

func valueOf(g settings.Group, option string) string {
	if i := find(g, option); i >= 0 {
		return g.Settings[i].Value
	}
	return ""
}

func find(g settings.Group, option string) int {
	return slices.IndexFunc(g.Settings, func(s settings.Setting) bool { return s.Option == option })
}
