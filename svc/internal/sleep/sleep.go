// Package sleep waits, but not for longer than anybody is interested.
package sleep

import (
	"context"
	"time"
)

// For waits for d, and reports whether it has passed: ctx may end before.
func For(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
