package main

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// group are corpora that one binary can link: no proto file and no name is in two.
type group struct {
	corpora  []corpus
	taken    map[string]bool
	services int
}

// atOnce is how many services a binary starts at the most.
const atOnce = 100

// groups puts each corpus into the first group that has room for it. Linking is what
// takes long, and a binary of many corpora is linked in hardly more time than one of a
// few.
func (w *workshop) groups(of []corpus) []*group {
	var all []*group
	for _, c := range of {
		names := w.registered(c)
		var into *group
		for _, g := range all {
			if g.services+w.services[c.name] <= atOnce && !g.has(names) {
				into = g
				break
			}
		}
		if into == nil {
			into = &group{taken: map[string]bool{}}
			all = append(all, into)
		}
		into.corpora = append(into.corpora, c)
		into.services += w.services[c.name]
		for _, name := range names {
			into.taken[name] = true
		}
	}
	return all
}

func (g *group) has(names []string) bool {
	for _, name := range names {
		if g.taken[name] {
			return true
		}
	}
	return false
}

// registered is what the Go code of a corpus registers for the whole process: paths of
// files, names at the top of packages, numbers of extensions.
func (w *workshop) registered(c corpus) []string {
	var out []string
	for _, path := range w.generated[c.name] {
		f, err := w.files[c.name].FindFileByPath(path)
		if err != nil {
			continue // it was not compiled, and has failed for that
		}
		out = append(out, path)
		for i := range f.Messages().Len() {
			out = append(out, string(f.Messages().Get(i).FullName()))
			out = append(out, extensions(f.Messages().Get(i).Extensions())...)
		}
		for i := range f.Enums().Len() {
			e := f.Enums().Get(i)
			out = append(out, string(e.FullName()))
			for j := range e.Values().Len() {
				out = append(out, string(e.Values().Get(j).FullName()))
			}
		}
		for i := range f.Services().Len() {
			out = append(out, string(f.Services().Get(i).FullName()))
		}
		out = append(out, extensions(f.Extensions())...)
	}
	return out
}

func extensions(all protoreflect.ExtensionDescriptors) []string {
	var out []string
	for i := range all.Len() {
		x := all.Get(i)
		out = append(out, string(x.FullName()), fmt.Sprintf("%s %d", x.ContainingMessage().FullName(), x.Number()))
	}
	return out
}
