package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/protosvc/protosvc/test/manifests/objects"
)

// exception is something that kube-score calls critical and that is meant.
type exception struct {
	check, summary string
	in             string // an environment; all of them by default
	reason         string

	used bool
}

var exceptions = []*exception{
	{
		check: "container-resources", summary: "CPU limit is not set",
		reason: "a limit slows calls down while the node has CPU to spare; the request is the share when it has not",
	},
	{
		check: "container-image-pull-policy", summary: "ImagePullPolicy is not set to Always",
		reason: "a tag names one image for good, and a pod restarts while the registry is away",
	},
	{
		check: "pod-networkpolicy", summary: noPolicy, in: ".",
		reason: "the whole system is for any cluster; policies come with an overlay, or the component",
	},
	{
		check: "pod-networkpolicy", summary: noPolicy, in: "dev",
		reason: "a developer's cluster lets everybody call everything",
	},
	{
		check: "pod-networkpolicy", summary: noPolicy, in: migrationsAlone,
		reason: "the Job is rendered alone, without the component of its service",
	},
}

const noPolicy = "The pod does not have a matching NetworkPolicy"

// excepted finds the exception for a fault in a rendering.
func excepted(r *rendering, c critical) *exception {
	for _, e := range exceptions {
		if e.check == c.check && e.summary == c.summary && (e.in == "" || e.in == r.Environment()) {
			return e
		}
	}
	return nil
}

// judge lets the tools look at everything. What they find in a rendering is a fault,
// and so are a mutant that nothing is found in and an exception that excepts nothing.
func judge(ctx context.Context, t *tools, renderings []*rendering, mutants []*mutant) (faults []error, err error) {
	valid, err := judgeSchemas(ctx, t, renderings, mutants)
	if err != nil {
		return nil, err
	}
	scored, err := judgeScores(ctx, t, renderings, mutants)
	if err != nil {
		return nil, err
	}
	faults = slices.Concat(valid, scored)
	// Both come in the order of maps.
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	for _, m := range mutants {
		if m.found == "" {
			faults = append(faults, fmt.Errorf("%s: %s: %s does not refuse it for %q", m.kind, m.what, m.by(), m.want()))
		}
	}
	for _, e := range exceptions {
		if !e.used {
			faults = append(faults, fmt.Errorf("exception: nothing in %q is %s: %s", e.in, e.check, e.summary))
		}
	}
	return faults, nil
}

// judgeSchemas runs kubectl-validate once, which takes longest to read its schemas.
func judgeSchemas(ctx context.Context, t *tools, renderings []*rendering, mutants []*mutant) ([]error, error) {
	folder := filepath.Join(t.scratch, "schemas")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	handlers := map[string]func(fault string) error{} // by path
	add := func(o objects.Object, handler func(fault string) error) error {
		path := filepath.Join(folder, fmt.Sprintf("%d.yaml", len(handlers)))
		handlers[path] = handler
		return write(path, []objects.Object{o})
	}
	for _, r := range renderings {
		for _, o := range r.Objects {
			err := add(o, func(fault string) error {
				if fault == "" {
					return nil
				}
				r.invalid++
				return fmt.Errorf("%s: %s %s: %s", r.Name, o.Kind(), o.Name(), fault)
			})
			if err != nil {
				return nil, err
			}
		}
	}
	for _, m := range mutants {
		if m.message == "" {
			continue
		}
		err := add(m.broken, func(fault string) error {
			if strings.Contains(fault, m.message) {
				m.found = fault
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	found, err := t.invalid(ctx, folder)
	if err != nil {
		return nil, err
	}
	var faults []error
	for path, handler := range handlers {
		fault, looked := found[path]
		if !looked {
			return nil, fmt.Errorf("kubectl-validate did not look at %s", path)
		}
		if err := handler(fault); err != nil {
			faults = append(faults, err)
		}
	}
	return faults, nil
}

// judgeScores runs kube-score for each rendering and each mutant: what an object is
// worth depends on those beside it.
func judgeScores(ctx context.Context, t *tools, renderings []*rendering, mutants []*mutant) ([]error, error) {
	var faults []error
	for _, r := range renderings {
		found, err := t.score(ctx, r.Objects)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		for _, c := range found {
			if e := excepted(r, c); e != nil {
				e.used = true
				r.excepted++
				continue
			}
			r.critical++
			faults = append(faults, fmt.Errorf("%s: %v", r.Name, c))
		}
	}
	for _, m := range mutants {
		if m.check == "" {
			continue
		}
		found, err := t.score(ctx, m.beside())
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", m.kind, m.what, err)
		}
		for _, c := range found {
			if c.check == m.check && excepted(m.rendering, c) == nil {
				m.found = c.String()
			}
		}
	}
	return faults, nil
}

func (t *tools) score(ctx context.Context, all []objects.Object) ([]critical, error) {
	file := filepath.Join(t.scratch, "score.yaml")
	if err := write(file, all); err != nil {
		return nil, err
	}
	return t.criticals(ctx, file)
}

func write(path string, all []objects.Object) error {
	data, err := objects.Text(all)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}
