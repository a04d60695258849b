package sleep_test

import (
	"context"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/sleep"
)

func TestFor(t *testing.T) {
	for _, test := range []struct {
		d, timeout, took time.Duration
		passed           bool
	}{
		{d: time.Second, timeout: time.Minute, took: time.Second, passed: true},
		{d: time.Minute, timeout: time.Second, took: time.Second},
	} {
		bubble.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
			defer cancel()
			begin := time.Now()
			if passed := sleep.For(ctx, test.d); passed != test.passed || time.Since(begin) != test.took {
				t.Errorf("For(%v) in %v = %v after %v, want %v after %v", test.d, test.timeout, passed, time.Since(begin), test.passed, test.took)
			}
		})
	}
}
