package lifecycle

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

// Signals returns the two contexts of [Group.Run]. The first of the signals ends
// ctx, the second one ends hard, and a third has the effect it has without
// this function: the process dies. Both contexts end with parent too. Release
// ends them and gives the signals back; it must be called.
func Signals(parent context.Context, signals ...os.Signal) (ctx, hard context.Context, release func()) {
	ctx, cancelSoft := context.WithCancelCause(parent)
	hard, cancelHard := context.WithCancelCause(parent)
	received := make(chan os.Signal, 2)
	signal.Notify(received, signals...)
	released, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer signal.Stop(received)
		for _, cancel := range []context.CancelCauseFunc{cancelSoft, cancelHard} {
			select {
			case s := <-received:
				cancel(fmt.Errorf("signal %q", s))
			case <-released:
				return
			}
		}
	}()
	return ctx, hard, func() {
		close(released)
		<-done
		cancelSoft(context.Canceled)
		cancelHard(context.Canceled)
	}
}
