//go:build unix

package lifecycle_test

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/protosvc/protosvc/svc/internal/lifecycle"
)

func TestSignals(t *testing.T) {
	ctx, hard, release := lifecycle.Signals(t.Context(), syscall.SIGUSR1)
	defer release()
	send(t)
	<-ctx.Done()
	if cause := context.Cause(ctx); cause.Error() != `signal "user defined signal 1"` {
		t.Errorf("cause = %v", cause)
	}
	if hard.Err() != nil {
		t.Error("the first signal is a hard one")
	}
	send(t)
	<-hard.Done()

	// A third one has its usual effect, so somebody else can have it now.
	other := make(chan os.Signal, 1)
	signal.Notify(other, syscall.SIGUSR1)
	defer signal.Stop(other)
	send(t)
	<-other
}

func TestSignalsRelease(t *testing.T) {
	ctx, hard, release := lifecycle.Signals(t.Context(), syscall.SIGUSR1)
	release()
	if ctx.Err() == nil || hard.Err() == nil {
		t.Error("the contexts go on")
	}
}

func send(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
}
