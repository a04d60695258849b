package logging

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	bufferLimit = 1 << 20  // bytes of the lines that wait
	chunkLimit  = 64 << 10 // bytes of one write; the usual size of a pipe
)

// Writer takes lines without ever waiting for whoever reads them. They wait in a
// buffer of 1 MiB, from which one goroutine writes them in their order. When it is
// full, lines are dropped and counted until all that it held has been written; a
// line in the place of the dropped ones says how many they were. Lines whose write
// fails are dropped in the same way.
//
// What is still in the buffer when the process dies without [Writer.Close], as in
// a fatal error of the Go runtime, is lost. A Writer is safe for concurrent use.
type Writer struct {
	out     io.Writer
	options Options // of the line that says how many were dropped
	dropped atomic.Uint64
	done    chan struct{} // closed at the end of the goroutine

	mu        sync.Mutex
	work      sync.Cond // there is something to do for the goroutine
	waiting   []byte    // whole lines
	writing   int       // bytes of those that are being written
	missed    int       // lines dropped after those that wait
	closed    bool      // no more lines
	abandoned bool      // and what waits is not written either
}

// NewWriter returns a Writer to out. Its own line says the service and version of o.
func NewWriter(out io.Writer, o Options) *Writer {
	o.Level = nil // the line that says how many were dropped is always written
	w := &Writer{out: out, options: o, done: make(chan struct{})}
	w.work.L = &w.mu
	go w.run()
	return w
}

// Write takes one line, which ends with a line feed. It never fails.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// A line that alone is too long is written all the same: it may be the last.
	held := len(w.waiting) + w.writing
	full := held > 0 && held+len(line) > bufferLimit
	switch {
	case w.closed:
		w.dropped.Add(1)
	case full || w.missed > 0: // after a gap only the line that names it goes on
		w.dropped.Add(1)
		w.missed++
	default:
		w.waiting = append(w.waiting, line...)
		w.work.Signal()
	}
	return len(line), nil
}

// Close ends the Writer. What waits is written if that takes no longer than
// budget, and dropped otherwise; what is written to w later is dropped too.
//
// A write that is under way then is broken off where the operating system can: not
// one to a terminal or to the standard error of most processes, which goes on
// until somebody reads or the process ends.
func (w *Writer) Close(budget time.Duration) {
	w.mu.Lock()
	w.closed = true
	w.work.Signal()
	w.mu.Unlock()
	timer := time.NewTimer(budget)
	defer timer.Stop()
	select {
	case <-w.done:
	case <-timer.C:
		w.abandon()
	}
}

func (w *Writer) abandon() {
	w.mu.Lock()
	w.abandoned = true
	w.mu.Unlock()
	out, ok := w.out.(interface{ SetWriteDeadline(time.Time) error })
	if !ok || out.SetWriteDeadline(time.Now()) != nil {
		return
	}
	<-w.done
	_ = out.SetWriteDeadline(time.Time{}) // the writer is not ours
}

// Dropped is the series of how many lines were dropped.
func (w *Writer) Dropped() prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "svc_log_lines_dropped_total",
		Help: "Log lines dropped because nobody read the log fast enough, or because writing it failed.",
	}, func() float64 { return float64(w.dropped.Load()) })
}

func (w *Writer) run() {
	defer close(w.done)
	var lines []byte
	lost := 0 // lines whose write failed, which has not been said yet
	for {
		var missed int
		if lines, missed = w.next(lines[:0]); len(lines) == 0 && missed == 0 {
			return
		}
		lost = w.say(lost)
		lost += w.drop(w.write(lines))
		lost = w.say(lost + missed)
	}
}

// next waits for lines, and returns all there are and the number of those that are
// missing after them. From then on lines wait in spare. Nothing means that there
// will be no more.
func (w *Writer) next(spare []byte) (lines []byte, missed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = 0
	for len(w.waiting) == 0 && w.missed == 0 && !w.closed {
		w.work.Wait()
	}
	lines, w.waiting = w.waiting, spare
	missed, w.missed = w.missed, 0
	w.writing = len(lines)
	return lines, missed
}

// write returns what could not be written.
func (w *Writer) write(lines []byte) []byte {
	for len(lines) > 0 && w.begin(lines) {
		n, err := w.out.Write(lines[:chunk(lines)])
		lines = lines[n:]
		if err != nil {
			break
		}
	}
	return lines
}

// begin makes room of what has been written, and reports whether to go on.
func (w *Writer) begin(rest []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = len(rest)
	return !w.abandoned
}

// chunk is the length of the whole lines that one write takes.
func chunk(lines []byte) int {
	if len(lines) <= chunkLimit {
		return len(lines)
	}
	if end := bytes.LastIndexByte(lines[:chunkLimit], '\n'); end >= 0 {
		return end + 1
	}
	return chunkLimit // a part of a line that is longer
}

// drop counts lines that will not be written.
func (w *Writer) drop(lines []byte) int {
	n := bytes.Count(lines, []byte("\n"))
	w.dropped.Add(uint64(n))
	return n
}

// say writes the line in the place of n dropped ones, and returns how many have not
// been said.
func (w *Writer) say(n int) int {
	if n == 0 || len(w.write(w.notice(n))) == 0 {
		return 0
	}
	return n
}

func (w *Writer) notice(n int) []byte {
	var line bytes.Buffer
	New(&line, w.options).Warn("log lines dropped", "lines", n)
	return line.Bytes()
}
