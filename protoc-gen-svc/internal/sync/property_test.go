package sync

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	seed     = flag.Uint64("seed", 0, "run the property test with this seed only")
	duration = flag.Duration("property", 15*time.Second, "how long the property test tries seeds, from 1 on")
)

// steps is how often a project is edited, changed, generated and synchronised.
const steps = 12

// TestProperty takes projects through random lives: people edit handlers, the
// contract changes, everything is generated again and sync runs. After each step
// no byte of a person's files has changed, and the project compiles, or else
// compiles once a person has done just what sync says, method by method. What
// compiles is judged by the type checker of the compiler.
//
// It tries the same seeds each time, as many as there is time for. A longer run:
//
//	go test ./protoc-gen-svc/internal/sync -run TestProperty -property=10m
func TestProperty(t *testing.T) {
	if testing.Short() {
		t.Skip("generates and compiles for seconds")
	}
	b := newToolbox(t)
	if *seed != 0 {
		live(t, b, *seed)
		return
	}
	tried := uint64(0)
	for end := time.Now().Add(*duration); time.Now().Before(end) && !t.Failed(); {
		tried++
		live(t, b, tried)
	}
	t.Logf("seeds 1 to %d, %d steps each", tried, steps)
}

// life is one project with its contract, its author and all that happened.
type life struct {
	*toolbox
	*user
	shop   shop
	recipe []string
}

func live(t *testing.T, b *toolbox, seed uint64) {
	t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
		l := &life{toolbox: b, user: &user{Rand: rand.New(rand.NewPCG(seed, 0)), t: t, handler: "Handler"}}
		defer func() {
			if t.Failed() {
				t.Logf("to replay: go test ./protoc-gen-svc/internal/sync -run TestProperty -seed=%d\n%s\n%s", seed, strings.Join(l.recipe, "\n"), sources(t))
			}
		}()
		b.enterProject(t)
		l.note("%s", addRPC(&l.shop, l.Rand))
		l.regenerate()
		for range steps {
			if t.Failed() {
				return
			}
			l.step()
		}
		if seed == 1 { // the go command agrees
			b.goCommand(t, ".", "vet", "./...")
		}
	})
}

func (l *life) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); text != "" {
		l.recipe = append(l.recipe, text)
	}
}

// step is some edits and some changes of the contract.
func (l *life) step() {
	for range l.IntN(4) {
		l.note("%s", pick(l.Rand, edits)(l.user, userFiles(l.t)))
	}
	if l.IntN(8) == 0 {
		l.breakFile()
	}
	for range l.IntN(3) {
		l.note("%s", pick(l.Rand, contractChanges)(&l.shop, l.Rand))
	}
	l.regenerate()
}

// breakFile checks that sync says where a file does not parse, and writes nothing
// at all then.
func (l *life) breakFile() {
	f := pick(l.Rand, userFiles(l.t))
	writeFile(l.t, f.name, f.text+"\nfunc (")
	before := tree(l.t)
	want := fmt.Sprintf("%s:%d:", f.name, strings.Count(f.text, "\n")+2)
	if _, _, err := runSync(&l.shop, false /* check */); err == nil || !strings.Contains(err.Error(), want) {
		l.t.Errorf("the error about a file that does not parse is %v, want %s", err, want)
	}
	l.wantKept(before, 0 /* new files */)
	writeFile(l.t, f.name, f.text)
}

// regenerate is "make generate", then what a person does about it.
func (l *life) regenerate() {
	l.note("generate for %v, database %t", l.shop.rpcs, l.shop.database)
	before := tree(l.t)
	l.generate(l.t, &l.shop)
	notes := l.sync(before)
	checked := l.typeCheck(l.t)
	l.wantHonest(checked, notes)
	if len(checked.errors) == 0 {
		return
	}
	said := checked.said()
	for range 2 { // a stub of what was deleted is the second step at most
		for notes != "" {
			l.obey(notes)
			if _, notes, _ = runSync(&l.shop, true /* check */); !l.actionable(notes) {
				break
			}
		}
		notes = l.sync(tree(l.t))
	}
	for l.dropAlias(l.typeCheck(l.t)) {
	}
	if checked = l.typeCheck(l.t); len(checked.errors) > 0 {
		l.t.Errorf("what sync says is done, and it does not compile:\n%s\nat first it was:\n%s", checked.said(), said)
	}
}

// sync runs it and checks what it promises.
func (l *life) sync(before map[string]string) (notes string) {
	out, notes, err := runSync(&l.shop, false /* check */)
	if err != nil {
		l.t.Errorf("sync: %v", err)
	}
	if notes != "" {
		l.note("sync says:\n%s", strings.TrimSpace(notes))
	}
	l.wantKept(before, strings.Count(out, "\n"))
	_, _, err = runSync(&l.shop, true /* check */)
	if errors.Is(err, ErrMissing) || (err != nil) != (wrong.MatchString(notes) || inTheWay.MatchString(notes)) {
		l.t.Errorf("after sync, with the notes\n%s, --check returns %v", notes, err)
	}
	return notes
}

// wantKept holds every file of a person, wherever it is, to what it was.
func (l *life) wantKept(before map[string]string, added int) {
	l.t.Helper()
	after := tree(l.t)
	for name, text := range before {
		if strings.HasPrefix(name, "generated/") {
			continue
		}
		if now, there := after[name]; !there || now != text {
			l.t.Errorf("%s, a file of a person, has changed, or is gone", name)
		}
	}
	for name := range after {
		if _, known := before[name]; known || strings.HasPrefix(name, "generated/") {
			continue
		}
		if added--; !strings.HasPrefix(name, handlerDir+"/") {
			l.t.Errorf("%s is new, and is not in the handler package", name)
		}
	}
	if added != 0 {
		l.t.Errorf("%d files more are named than written", added)
	}
}

// wantHonest checks that sync accuses no method that fits, and has no line that
// tells nothing.
func (l *life) wantHonest(c *checked, notes string) {
	for line := range strings.Lines(notes) {
		if !l.actionable(line) {
			l.t.Errorf("sync says what a person cannot act on: %s", line)
		}
	}
	for _, m := range wrong.FindAllStringSubmatch(notes, -1) {
		if c.fits(l.handler, m[4]) {
			l.t.Errorf("%s: %s fits the contract, and sync says that it does not", m[1], m[4])
		}
	}
	for _, m := range orphan.FindAllStringSubmatch(notes, -1) {
		for _, rpc := range l.shop.rpcs {
			if rpc.name == m[4] {
				l.t.Errorf("%s: %s is an RPC, and sync says that it is none", m[1], m[4])
			}
		}
	}
}

// sources are the files of the handler package, for a report.
func sources(t *testing.T) string {
	var text strings.Builder
	for name, content := range tree(t) {
		if strings.HasPrefix(name, handlerDir) {
			fmt.Fprintf(&text, "-- %s --\n%s", name, content)
		}
	}
	return text.String()
}
