// Package claim is work that one process has for itself: a lease in a database
// that is renewed while the work goes on, and those who wait for it meanwhile.
package claim

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// Duration is how long a lease lasts. When its holder is killed, others wait for
// so long before they take over. The clocks of replicas must differ by less.
const Duration = time.Second

// renewInterval leaves two more tries when a renewal fails.
const renewInterval = Duration * 3 / 10

// Until is the end of a lease that is taken now, in microseconds since 1970.
func Until() int64 { return time.Now().Add(Duration).UnixMicro() }

// Token returns a name that nobody else has.
func Token() string { return rand.Text() }

// Keep calls renew until stop is called, which waits for a renewal under way.
// Work shorter than a fraction of a lease costs a timer and nothing else.
func Keep(renew func(context.Context)) (stop func()) {
	k := &keeper{renew: renew}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = time.AfterFunc(renewInterval, k.fire)
	return k.stop
}

type keeper struct {
	mu      sync.Mutex // held while a renewal is under way
	renew   func(context.Context)
	timer   *time.Timer
	stopped bool
}

func (k *keeper) fire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), Duration)
	defer cancel()
	k.renew(ctx)
	k.timer.Reset(renewInterval)
}

func (k *keeper) stop() {
	k.timer.Stop()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
}
