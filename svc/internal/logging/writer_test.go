package logging_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/protosvc/protosvc/svc/internal/logging"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long is more than any step of these tests takes.
const long = 20 * time.Second

// numbered is line i, of 1 KiB on average; one may fit where the one before does not.
func numbered(i int) []byte {
	line := fmt.Sprintf(`{"line":%d,"filler":"`, i)
	const end = "\"}\n"
	return []byte(line + strings.Repeat("x", []int{100, 900, 2072}[i%3]-len(line)-len(end)) + end)
}

// parsed is a line of numbered, or the one that says how many are missing.
type parsed struct {
	Line    *int   `json:"line"`
	Message string `json:"msg"`
	Level   string `json:"level"`
	Service string `json:"service"`
	Lines   int    `json:"lines"`
}

// parse reads lines until there are no more, and fails on what is not one.
func parse(t *testing.T, r io.Reader) <-chan parsed {
	t.Helper()
	all := make(chan parsed, 1<<16) // more than any test writes
	go func() {
		defer close(all)
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			var p parsed
			if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
				t.Errorf("%v: %s", err, lines.Text())
			}
			all <- p
		}
		if err := lines.Err(); err != nil {
			t.Error(err)
		}
	}()
	return all
}

// complete holds lines against the n that were written: each is there in its place,
// or one line in their place says how many are not. It returns how many those are.
func complete(t *testing.T, lines []parsed, n int) (missing, gaps int) {
	t.Helper()
	next := 0
	for _, line := range lines {
		switch {
		case isGap(line):
			if line.Message != "log lines dropped" || line.Level != "WARN" || line.Service != "order" {
				t.Errorf("the line in the place of the dropped ones is %+v", line)
			}
			next += line.Lines
			missing += line.Lines
			gaps++
		case line.Line == nil || *line.Line != next:
			t.Fatalf("got %+v, want line %d", line, next)
		default:
			next++
		}
	}
	if next != n {
		t.Errorf("the log accounts for %d lines of %d", next, n)
	}
	return missing, gaps
}

func isGap(line parsed) bool { return line.Lines > 0 }

// pipe is a real one, which holds 64 KiB.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

// write writes the lines from one number to the other, and fails where that hangs.
func write(t *testing.T, w io.Writer, from, to int) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := from; i < to; i++ {
			line := numbered(i)
			if n, err := w.Write(line); n != len(line) || err != nil {
				t.Errorf("Write = %d, %v, want %d", n, err, len(line))
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(long):
		t.Fatal("writing hangs")
	}
}

// Whoever logs is not held up by a pipe that nobody reads, and once somebody does,
// the log says what it lacks, once and where.
func TestUnreadPipe(t *testing.T) {
	r, w := pipe(t)
	log := logging.NewWriter(w, logging.Options{Service: "order"})
	const unread, n = 4 << 10, 5 << 10
	write(t, log, 0, unread) // 4 MiB

	var lines []parsed
	read := parse(t, r)
	for line := range read {
		if lines = append(lines, line); isGap(line) {
			break
		}
	}
	write(t, log, unread, n)
	log.Close(long)
	_ = w.Close()
	for line := range read {
		lines = append(lines, line)
	}
	missing, gaps := complete(t, lines, n)
	if gaps != 1 {
		t.Errorf("%d lines say that there are gaps, want one", gaps)
	}
	if got := testutil.ToFloat64(log.Dropped()); int(got) != missing {
		t.Errorf("the series says that %v lines were dropped, the log says %d", got, missing)
	}
	if kept := unread - missing; kept < 1<<10 || kept > 1<<10+1<<8 {
		t.Errorf("%d KiB were kept, want the 1 MiB of the buffer and what was under way", kept)
	}
}

// Nothing is lost, and nothing changes its place, while the reader is less than the
// buffer behind.
func TestReadPipe(t *testing.T) {
	r, w := pipe(t)
	log := logging.NewWriter(w, logging.Options{})
	read := parse(t, r)
	var lines []parsed
	const n, step = 8 << 10, 1 << 9
	for i := 0; i < n; i += step {
		write(t, log, i, i+step)
		for range step {
			lines = append(lines, <-read)
		}
	}
	log.Close(long)
	_ = w.Close()
	for line := range read {
		t.Errorf("one line too many: %+v", line)
	}
	if missing, _ := complete(t, lines, n); missing != 0 {
		t.Errorf("%d lines are missing", missing)
	}
	if got := testutil.ToFloat64(log.Dropped()); got != 0 {
		t.Errorf("the series says that %v lines were dropped", got)
	}
}

// Many may write at once; each line stays whole.
func TestManyWriters(t *testing.T) {
	r, w := pipe(t)
	log := logging.NewWriter(w, logging.Options{})
	read := parse(t, r)
	var writers sync.WaitGroup
	const each = 100
	for range 8 {
		writers.Go(func() { write(t, log, 0, each) })
	}
	writers.Wait()
	log.Close(long)
	_ = w.Close()
	times := map[int]int{}
	for line := range read {
		if line.Line == nil {
			t.Fatalf("got %+v", line)
		}
		times[*line.Line]++
	}
	for i := range each {
		if times[i] != 8 {
			t.Errorf("line %d is there %d times, want 8", i, times[i])
		}
	}
}

// The end writes what waits as long as somebody reads.
func TestCloseWritesTheRest(t *testing.T) {
	r, w := pipe(t)
	log := logging.NewWriter(w, logging.Options{})
	const n = 1 << 9
	write(t, log, 0, n)
	read := parse(t, r)
	log.Close(long)
	_ = w.Close()
	var lines []parsed
	for line := range read {
		lines = append(lines, line)
	}
	if missing, _ := complete(t, lines, n); missing != 0 {
		t.Errorf("%d lines are missing", missing)
	}
}

// shut takes nothing before it is opened.
type shut struct{ open chan struct{} }

func (s shut) Write(p []byte) (int, error) {
	<-s.open
	return len(p), nil
}

// The buffer has room for 1 MiB, to the byte.
func TestFullBuffer(t *testing.T) {
	out := shut{make(chan struct{})}
	log := logging.NewWriter(out, logging.Options{})
	for i, c := range []struct{ bytes, dropped int }{{100, 0}, {1<<20 - 100, 0}, {1, 1}} {
		_, _ = log.Write([]byte(strings.Repeat("x", c.bytes-1) + "\n"))
		if got := testutil.ToFloat64(log.Dropped()); int(got) != c.dropped {
			t.Errorf("after line %d, of %d bytes, %v lines were dropped, want %d", i, c.bytes, got, c.dropped)
		}
	}
	close(out.open)
	log.Close(long)
}

// A line that is longer than the buffer is written all the same: it may be why the
// process ends.
func TestLongLine(t *testing.T) {
	r, w := pipe(t)
	log := logging.NewWriter(w, logging.Options{})
	text := strings.Repeat("a fault\n", 1<<19) // 4 MiB
	if _, err := io.WriteString(log, text); err != nil {
		t.Error(err)
	}
	read := make(chan string, 1)
	go func() {
		all, err := io.ReadAll(r)
		if err != nil {
			t.Error(err)
		}
		read <- string(all)
	}()
	log.Close(long)
	_ = w.Close()
	if got := <-read; got != text {
		t.Errorf("got %d bytes, want %d", len(got), len(text))
	}
}

// The end does not wait for a pipe that nobody reads, and no goroutine is left. The
// pipe is as usable as before.
func TestCloseIsBounded(t *testing.T) {
	r, w := pipe(t)
	log := logging.NewWriter(w, logging.Options{})
	write(t, log, 0, 1<<9)
	began := time.Now()
	log.Close(100 * time.Millisecond)
	if took := time.Since(began); took < 100*time.Millisecond || took > 2*time.Second {
		t.Errorf("the end took %v", took)
	}
	write(t, log, 0, 1) // too late
	if got := testutil.ToFloat64(log.Dropped()); got < 513-80 || got > 513-40 {
		t.Errorf("%v lines were dropped, want all of 513 but what the pipe holds", got)
	}
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, r)
		read <- err
	}()
	if _, err := w.WriteString("later\n"); err != nil {
		t.Errorf("the pipe cannot be written to any more: %v", err)
	}
	_ = w.Close()
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// A write to the standard error of a process cannot be broken off. The end does not
// wait for it, and nothing more is written once it returns.
func TestBlockingPipe(t *testing.T) {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		t.Fatal(err)
	}
	r, w := os.NewFile(uintptr(ends[0]), "r"), os.NewFile(uintptr(ends[1]), "w")
	log := logging.NewWriter(w, logging.Options{})
	write(t, log, 0, 1<<9)
	began := time.Now()
	log.Close(100 * time.Millisecond)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the end took %v", took)
	}
	read := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(io.Discard, r)
		read <- n
	}()
	waitDropped(t, log, 1<<9-128) // its goroutine has come to the end
	_ = w.Close()
	if n := <-read; n > 128<<10 {
		t.Errorf("%d bytes were written, want no more than the write that was under way", n)
	}
	_ = r.Close()
}

// failing is a disk that is full until it is not.
type failing struct {
	mu   sync.Mutex
	full bool
	text strings.Builder
}

func (f *failing) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return 0, errors.New("no space left on device")
	}
	return f.text.Write(p)
}

func (f *failing) set(full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = full
}

// waitDropped waits until at least n lines have been dropped.
func waitDropped(t *testing.T, log *logging.Writer, n int) {
	t.Helper()
	for deadline := time.Now().Add(long); testutil.ToFloat64(log.Dropped()) < float64(n); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%v lines are counted as dropped, want %d", testutil.ToFloat64(log.Dropped()), n)
		}
	}
}

// Lines that could not be written are counted and said, too.
func TestFailingWrites(t *testing.T) {
	disk := &failing{full: true}
	log := logging.NewWriter(disk, logging.Options{Service: "order"})
	for i := range 3 {
		write(t, log, i, i+1)
		waitDropped(t, log, i+1)
	}
	disk.set(false)
	write(t, log, 3, 5)
	log.Close(long)
	var lines []parsed
	for line := range parse(t, strings.NewReader(disk.text.String())) {
		lines = append(lines, line)
	}
	if missing, gaps := complete(t, lines, 5); missing != 3 || gaps != 1 {
		t.Errorf("%d lines are missing in %d places, want 3 in one", missing, gaps)
	}
}
