package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// mutant is a changed project.
type mutant struct {
	name string
	// files are the whole changed files, by their names below the project's folder.
	files map[string]string
}

// folders are those of its files, in order.
func (m mutant) folders() []string {
	var all []string
	for file := range m.files {
		all = append(all, path.Dir(file))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// result is what became of a mutant.
type result struct {
	mutant
	verdict verdict
}

// trial tries mutants. Its methods may be called by several goroutines.
type trial struct {
	options
	temp string
	mu   sync.Mutex
	// sound are the runs of tests without a change.
	sound map[tests]func() error
	made  int
}

func newTrial(o options) (*trial, error) {
	temp, err := os.MkdirTemp("", "mutants")
	return &trial{options: o, temp: temp, sound: map[tests]func() error{}}, err
}

func (t *trial) close() { os.RemoveAll(t.temp) }

// known tries the patches of the project.
func (t *trial) known(ctx context.Context) ([]result, error) {
	all, err := knownMutants(t.root)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(m mutant) bool { return !slices.ContainsFunc(m.folders(), t.only.MatchString) })
	return t.tryAll(ctx, all)
}

// patches is the folder of the known mutants.
const patches = "test/mutants/patches"

// knownMutants reads the patches, in order. One that fits the files no more is an
// error, and all of them are told at once.
func knownMutants(root string) ([]mutant, error) {
	names, err := filepath.Glob(filepath.Join(root, patches, "*.patch"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	var errs []error
	for _, name := range names {
		m, err := knownMutant(root, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		all = append(all, m)
	}
	return all, errors.Join(errs...)
}

func knownMutant(root, name string) (mutant, error) {
	diff, err := os.ReadFile(name)
	if err != nil {
		return mutant{}, err
	}
	hunks, err := parsePatch(string(diff))
	if err != nil {
		return mutant{}, err
	}
	m := mutant{name: strings.TrimSuffix(filepath.Base(name), ".patch"), files: map[string]string{}}
	for file, hunks := range hunks {
		source, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return mutant{}, err
		}
		if m.files[file], err = apply(string(source), hunks); err != nil {
			return mutant{}, fmt.Errorf("%s: %w", file, err)
		}
	}
	return m, nil
}

// sample tries as many mutants as the options say, drawn by the seed from all
// that there are. Those that do not compile are discarded, and the next of the
// draw take their places.
func (t *trial) sample(ctx context.Context) (tried []result, discarded int, err error) {
	all, err := sites(t.root)
	if err != nil {
		return nil, 0, err
	}
	all = slices.DeleteFunc(all, func(m mutation) bool { return !t.only.MatchString(path.Dir(m.file)) })
	draw := shuffled(t.seed, len(all))
	for len(tried) < t.n && len(draw) > 0 {
		// No more than are needed if all of them compile, so that what is tried does
		// not depend on how many are tried at the same time.
		next := min(t.n-len(tried), len(draw))
		var batch []mutant
		for _, i := range draw[:next] {
			m, err := sampled(t.root, all[i])
			if err != nil {
				return nil, 0, err
			}
			batch = append(batch, m)
		}
		draw = draw[next:]
		results, err := t.tryAll(ctx, batch)
		if err != nil {
			return nil, 0, err
		}
		results = slices.DeleteFunc(results, func(r result) bool { return r.verdict == invalid })
		discarded += len(batch) - len(results)
		tried = append(tried, results...)
	}
	return tried, discarded, nil
}

// shuffled returns the numbers below n in the order of a draw.
func shuffled(seed uint64, n int) []int { return rand.New(rand.NewPCG(seed, 0)).Perm(n) }

func sampled(root string, m mutation) (mutant, error) {
	source, err := os.ReadFile(filepath.Join(root, m.file))
	return mutant{m.String(), map[string]string{m.file: m.apply(string(source))}}, err
}

// tryAll tries mutants, some at the same time, and returns the results in order.
func (t *trial) tryAll(ctx context.Context, all []mutant) ([]result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make([]result, len(all))
	free := make(chan struct{}, max(t.jobs, 1))
	var running sync.WaitGroup
	for i, m := range all {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			began := time.Now()
			v, err := t.try(ctx, m)
			if err != nil {
				cancel(fmt.Errorf("%s: %w", m.name, err))
				return
			}
			results[i] = result{m, v}
			fmt.Fprintf(os.Stderr, "mutants: %-8s %5.1fs  %s\n", v, time.Since(began).Seconds(), m.name)
		})
	}
	running.Wait()
	return results, context.Cause(ctx)
}

// try asks the judges of a mutant's folders, until one notices.
func (t *trial) try(ctx context.Context, m mutant) (verdict, error) {
	overlay, err := t.overlay(m)
	if err != nil {
		return invalid, err
	}
	for _, folder := range m.folders() {
		for _, asked := range judgeOf(folder).tests {
			if err := t.isSound(ctx, m, asked); err != nil {
				return invalid, err
			}
			v, err := goTest{asked, t.root, overlay, t.timeout, patience}.do(ctx)
			if err != nil || v != survived {
				return v, err
			}
		}
	}
	return survived, nil
}

// isSound runs tests once with a mutant's files as they were:
// what fails by itself, or by an overlay, notices nothing.
func (t *trial) isSound(ctx context.Context, m mutant, asked tests) error {
	t.mu.Lock()
	sound := t.sound[asked]
	if sound == nil {
		sound = sync.OnceValue(func() error { return t.pass(ctx, m, asked) })
		t.sound[asked] = sound
	}
	t.mu.Unlock()
	return sound()
}

func (t *trial) pass(ctx context.Context, m mutant, asked tests) error {
	unchanged := mutant{m.name, map[string]string{}}
	for file := range m.files {
		source, err := os.ReadFile(filepath.Join(t.root, file))
		if err != nil {
			return err
		}
		unchanged.files[file] = string(source)
	}
	overlay, err := t.overlay(unchanged)
	if err != nil {
		return err
	}
	v, err := goTest{asked, t.root, overlay, t.timeout, patience}.do(ctx)
	if err == nil && v != survived {
		err = fmt.Errorf("the tests of %s do not pass without a change: %s", asked.pkg, v)
	}
	return err
}

// overlay writes a mutant's files, and what tells the compiler of them.
func (t *trial) overlay(m mutant) (file string, err error) {
	t.mu.Lock()
	t.made++
	dir := filepath.Join(t.temp, fmt.Sprint(t.made))
	t.mu.Unlock()
	replace := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		changed := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(changed), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(changed, []byte(m.files[name]), 0o644); err != nil {
			return "", err
		}
		replace[filepath.Join(t.root, filepath.FromSlash(name))] = changed
	}
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, content, 0o644)
}
