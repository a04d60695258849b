package svctest

import (
	"context"
	"io/fs"
	"testing"

	"github.com/protosvc/protosvc/svc"
)

// Deps returns what the handler of the service gets at its start, for tests that call
// the handler, or a part of it, directly; service is the generated function that
// makes the service. Everything in it is real and works until the test ends:
// the database with its migrations applied, metrics, config, clients of the fakes. But
// there is no server, so the handler gets requests that are not validated, and
// nothing runs in the background: neither what is passed to Deps.Go nor the relay of
// the outbox.
func Deps[D, H any](t testing.TB, service func(func(D) (H, error), fs.FS) svc.Service, migrations fs.FS, opts ...Option) D {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	made := make(chan D, 1)
	// The start goes as far as the handler, and stays there.
	s := service(func(d D) (handler H, err error) {
		made <- d
		<-ctx.Done()
		return handler, ctx.Err()
	}, migrations)
	return await(run(t, ctx, cancel, s, newOptions(t, s, opts), nil), made)
}
