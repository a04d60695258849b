package logging

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/internal/bubble"
)

func TestSampler(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s := Sampler{Burst: 2, Every: time.Second}
		var got []string
		for _, wait := range []time.Duration{0, 0, 0, 0, time.Second, 0, 0, time.Second - 1, 1, time.Hour, 0} {
			time.Sleep(wait)
			attrs, ok := s.Pass()
			got = append(got, fmt.Sprint(ok, attrs))
		}
		want := []string{"true []", "true []", "false []", "false []", "true [suppressed=2]", "true []", "false []", "false []", "true [suppressed=2]", "true []", "true []"}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// TestSamplerCounts loses no line, whoever asks at the same time.
func TestSamplerCounts(t *testing.T) {
	s := Sampler{Burst: 3, Every: time.Microsecond}
	var lines atomic.Int64
	count := func(attrs []slog.Attr, ok bool) {
		if ok {
			lines.Add(1)
		}
		for _, a := range attrs {
			lines.Add(a.Value.Int64())
		}
	}
	const askers, each = 8, 5000
	var all sync.WaitGroup
	for range askers {
		all.Go(func() {
			for range each {
				count(s.Pass())
			}
		})
	}
	all.Wait()
	time.Sleep(time.Millisecond)
	count(s.Pass())
	if got := lines.Load(); got != askers*each+1 {
		t.Errorf("%d lines are accounted for, want %d", got, askers*each+1)
	}
}
