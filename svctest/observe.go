package svctest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// waitTimeout is how long Log and Eventually wait.
const waitTimeout = 10 * time.Second

// Spans returns the spans that have ended, in this order: those of calls in and out,
// and those that the handler makes. The span of a call has ended when its answer is
// there.
func (s *Service) Spans() []sdktrace.ReadOnlySpan { return s.spans.Ended() }

// Logs returns the lines of the log so far, each a JSON object. The service does not
// wait for its log, so the last ones may be missing; Log waits.
func (s *Service) Logs() []map[string]any {
	s.t.Helper()
	var lines []map[string]any
	for text := range strings.Lines(s.log.text()) {
		if !strings.HasSuffix(text, "\n") {
			break // the rest of the line comes
		}
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			s.t.Fatalf("svctest: line %q of the log of %s: %v", text, s.service.Name, err)
		}
		lines = append(lines, line)
	}
	return lines
}

// Log returns the first line of the log with this message. It waits for it for up to
// 10 s, and then fails the test.
func (s *Service) Log(message string) (line map[string]any) {
	s.t.Helper()
	s.Eventually("line "+strconv.Quote(message)+" is in the log", func() bool {
		for _, line = range s.Logs() {
			if line["msg"] == message {
				return true
			}
		}
		return false
	})
	return line
}

// Eventually fails the test unless the condition holds within 10 s: for what a caller
// of the service would have to poll, too.
func (s *Service) Eventually(what string, condition func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(waitTimeout); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("svctest: %s: not within %[3]v: %[2]s", s.service.Name, what, waitTimeout)
		}
	}
}

// Metric returns the value of a series, written as in PromQL:
// `orders_created_total{channel="web"}`. The values of all series that have these
// labels are added up; 0 if none has. A histogram is its _sum, _count or _bucket. A
// name without any series fails the test.
func (s *Service) Metric(series string) (value float64) {
	s.t.Helper()
	name, labels, _, ok := parseSeries(series)
	if !ok {
		s.t.Fatalf("svctest: %s is not a series, want name{label=\"value\"}", series)
	}
	known := false
	for line := range strings.Lines(s.metrics()) {
		at, have, text, ok := parseSeries(line)
		if !ok || at != name {
			continue
		}
		known = true
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			s.t.Fatalf("svctest: /metrics of %s: %s: %v", s.service.Name, line, err)
		}
		if contains(have, labels) {
			value += v
		}
	}
	if !known {
		s.t.Fatalf("svctest: %s has no metric %s (see %s/metrics)", s.service.Name, name, s.Admin)
	}
	return value
}

// metrics returns what Prometheus scrapes.
func (s *Service) metrics() string {
	s.t.Helper()
	res, err := s.Client.Get(s.Admin + "/metrics")
	if err != nil {
		s.t.Fatalf("svctest: %v", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("svctest: %v", err)
	}
	return string(body)
}

// labelPair is one of the labels of a series, seriesLine a series and maybe its value.
var (
	labelPair  = regexp.MustCompile(`([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"`)
	seriesLine = regexp.MustCompile(`^([a-zA-Z_:][\w:]*)(?:\{((?:` + labelPair.String() + `[, ]*)*)\})?(?: (\S+))?\n?$`)
)

// parseSeries reads a series, and its value if it has one. Values of labels stay
// escaped.
func parseSeries(text string) (name string, labels map[string]string, value string, ok bool) {
	match := seriesLine.FindStringSubmatch(text)
	if match == nil {
		return "", nil, "", false
	}
	labels = map[string]string{}
	for _, pair := range labelPair.FindAllStringSubmatch(match[2], -1) {
		labels[pair[1]] = pair[2]
	}
	return match[1], labels, match[len(match)-1], true
}

// contains reports whether all has some.
func contains(all, some map[string]string) bool {
	both := maps.Clone(all)
	maps.Copy(both, some)
	return maps.Equal(all, both)
}

// log is what a service has written, for several goroutines.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
