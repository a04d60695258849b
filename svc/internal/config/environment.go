package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// environment is the highest layer. It starts from the variables, not from the
// keys, because a message may contain itself and so have keys without end.
func (l *loader) environment(prefix string, environ []string, root mapping) {
	members := map[string]match{} // path and name of a oneof → what set it
	known := sync.OnceValue(func() []string { return names(root) })
	for _, v := range variables(prefix, environ) {
		matches := settableFirst(find(root, v.rest, match{}))
		switch {
		case len(matches) == 0:
			l.unmatched(v, prefix, known)
		case len(matches) > 1:
			l.fault(v.fault(fmt.Errorf("fits both %s and %s", matches[0].path, matches[1].path)))
		case settable(matches[0].place):
			l.variable(v, matches[0], members)
		case !serviceLink.MatchString(v.rest + "=" + v.value):
			l.fault(v.fault(fmt.Errorf("%s: a file can set this, a variable cannot", matches[0].path)))
		}
	}
}

// variable is one NAME=value of the environment.
type variable struct{ name, rest, value string }

func (v variable) fault(err error) error {
	return &Fault{Variable: v.name, Err: err}
}

// variables are those with the prefix, by name; of duplicates the last counts.
func variables(prefix string, environ []string) []variable {
	byName := map[string]variable{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if rest, ok := strings.CutPrefix(name, prefix+"_"); ok {
			byName[name] = variable{name, rest, value}
		}
	}
	var all []variable
	for _, v := range byName {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b variable) int { return strings.Compare(a.name, b.name) })
	return all
}

// serviceLink matches what Kubernetes tells a Pod of a Service of its namespace, as
// Docker's links once did. The first group is the rest of the Service's name.
var serviceLink = regexp.MustCompile(`^(\w+_)?(` +
	`SERVICE_HOST=[0-9a-f.:]+|SERVICE_PORT(_\w+)?=\d+|PORT=\w+://\S+|` +
	`PORT_\d+_(TCP|UDP|SCTP)(=\w+://\S+|_PROTO=\w+|_PORT=\d+|_ADDR=\S+))$`)

// misspeltLetters is how many letters of a variable may be wrong. Nothing says that
// it is a setting, so it is less than in a file.
const misspeltLetters = 2

// unmatched finds the fault in a variable that fits no key: one that is meant to.
func (l *loader) unmatched(v variable, prefix string, known func() []string) {
	if serviceLink.MatchString(v.rest + "=" + v.value) {
		return
	}
	if near := nearest(v.rest, known(), min(likely(v.rest), misspeltLetters)); near != "" {
		l.fault(v.fault(fmt.Errorf("there is no such setting (did you mean %s_%s)", prefix, near)))
	}
}

// namesLimit bounds what is suggested from a message that contains itself.
const namesLimit = 1000

// names are the variables that can be set, without their prefix: those of few
// sections first.
func names(root mapping) []string {
	type section struct {
		mapping
		name string
	}
	var all []string
	sections := []section{{root, ""}}
	for i := 0; i < len(sections) && i+len(all) < namesLimit; i++ {
		in := sections[i]
		if _, free := in.mapping.(table); free && in.secrecy() != public {
			continue // its keys are secret
		}
		for _, key := range in.keys() {
			name := in.name + strings.ToUpper(key)
			switch child, err := in.child(key); child := child.(type) {
			case mapping:
				sections = append(sections, section{child, name + "_"})
			default:
				if err == nil && settable(child) {
					all = append(all, name)
				}
			}
		}
	}
	return all
}

// match is a place that a variable's name leads to.
type match struct {
	place
	path    string
	members []member
}

// member is a oneof on the way to the place and the key taken there.
type member struct{ group, key string }

// find follows the keys whose upper-case names, joined by underscores, are rest. It
// ends at what only a file can set, too, so that this can be said.
func find(p mapping, rest string, from match) []match {
	var all []match
	for _, key := range p.keys() {
		tail, ok := strings.CutPrefix(rest, strings.ToUpper(key))
		if !ok || tail != "" && tail[0] != '_' {
			continue
		}
		child, err := p.child(key)
		if err != nil {
			continue
		}
		m := match{child, join(from.path, key), from.members}
		if group := p.group(key); group != "" {
			m.members = append(slices.Clip(m.members), member{join(from.path, group), key})
		}
		switch child := child.(type) {
		case mapping:
			if tail != "" {
				all = append(all, find(child, tail[1:], m)...)
			} else if _, free := child.(table); free {
				all = append(all, m)
			}
		default:
			if tail == "" {
				all = append(all, m)
			}
		}
	}
	return all
}

// settableFirst leaves out what no variable can set where there is something that one
// can: the map labels_new is not what LABELS_NEW means beside the key new of labels.
func settableFirst(all []match) []match {
	some := slices.DeleteFunc(slices.Clone(all), func(m match) bool { return !settable(m.place) })
	if len(some) == 0 {
		return all
	}
	return some
}

// settable reports whether one line of text can say the value.
func settable(p place) bool {
	switch p := p.(type) {
	case value:
		return true
	case list:
		return p.flat()
	}
	return false
}

// variable stores the value unless another variable took the same oneof.
func (l *loader) variable(v variable, m match, members map[string]match) {
	for _, x := range m.members {
		other, taken := members[x.group]
		if taken && !slices.Contains(other.members, x) {
			l.fault(v.fault(fmt.Errorf("%s and %s exclude each other", other.path, m.path)))
			return
		}
		members[x.group] = m
	}
	l.from(m.path, Fault{Variable: v.name})
	for _, err := range setText(m.place, v.value) {
		l.fault(v.fault(fmt.Errorf("%s: %w", m.path, err)))
	}
}

// setText sets a value, or a list from its comma-separated elements, and returns
// the faults.
func setText(p place, text string) []error {
	values := []string{text}
	add := func() place { return p }
	if l, ok := p.(list); ok {
		l.clear()
		values, add = split(text), l.add
	}
	var faults []error
	for _, v := range values {
		if err := assign(add().(value), scalar{text: v}); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

// split cuts at commas and trims; an empty text is an empty list.
func split(text string) []string {
	if text == "" {
		return nil
	}
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}
