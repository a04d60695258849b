package svctest_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// newID returns a random UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// fakeT is the T of a test that is expected to fail, and of examples, which have none:
// its failures are only kept.
type fakeT struct {
	testing.TB // nil: what svctest does not use
	ctx        context.Context

	mu       sync.Mutex
	folders  []string
	cleanups []func()
	errors   []string
	logs     []string
}

func newT() *fakeT { return &fakeT{ctx: context.Background()} }

func (t *fakeT) Helper()                  {}
func (t *fakeT) Context() context.Context { return t.ctx }

func (t *fakeT) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *fakeT) TempDir() string {
	folder, err := os.MkdirTemp("", "svctest")
	if err != nil {
		panic(err)
	}
	t.folders = append(t.folders, folder)
	return folder
}

func (t *fakeT) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}

func (t *fakeT) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

func (t *fakeT) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.errors != nil
}

func (t *fakeT) Logf(format string, args ...any) {
	t.logs = append(t.logs, fmt.Sprintf(format, args...))
}

// end is the end of the test.
func (t *fakeT) end() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
	for _, folder := range t.folders {
		_ = os.RemoveAll(folder)
	}
	for _, e := range t.errors {
		fmt.Println(e) // an example that fails shows it
	}
}

// failures runs a test and returns what it failed with, and what it logged.
func failures(test func(t *fakeT)) (errors, logs string) {
	t := newT()
	done := make(chan struct{})
	go func() { // Fatalf ends it
		defer close(done)
		test(t)
	}()
	<-done
	t.end()
	return strings.Join(t.errors, "\n"), strings.Join(t.logs, "\n")
}
