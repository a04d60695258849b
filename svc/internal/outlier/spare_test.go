package outlier

import (
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"

	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// unwell has a backend say that it no longer serves.
func (s *subConn) unwell() {
	s.health(balancer.SubConnState{ConnectivityState: connectivity.TransientFailure})
}

func (f *fixture) expectHealth(t *testing.T, backend int, want connectivity.State) {
	t.Helper()
	if got := f.heard.healthOf(backend); got != want {
		t.Errorf("the child hears that backend %d is %v, want %v", backend, got, want)
	}
}

// The last backend that serves has calls for 5 seconds after it said that it does
// not. That is kept from the child, but not for longer.
func TestLastBackendIsSpared(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := newFixture(t, 2)
		f.subConns[0].unwell()
		f.expectHealth(t, 0, connectivity.TransientFailure) // there is another one
		f.subConns[1].unwell()
		f.expectHealth(t, 1, connectivity.Ready)
		time.Sleep(2500 * time.Millisecond)
		f.subConns[1].unwell() // again, which starts no new time
		time.Sleep(2500*time.Millisecond - 1)
		synctest.Wait()
		f.expectHealth(t, 1, connectivity.Ready)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		f.expectHealth(t, 1, connectivity.TransientFailure)
	})
}

// As soon as another backend serves, the spared one has no calls.
func TestSparedUntilAnotherServes(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := newFixture(t, 2)
		f.subConns[0].unwell()
		f.subConns[1].unwell()
		f.subConns[0].health(balancer.SubConnState{ConnectivityState: connectivity.Ready})
		f.expectHealth(t, 0, connectivity.Ready)
		f.expectHealth(t, 1, connectivity.TransientFailure)
	})
}

// A backend that is spared and serves again has not been away: no timer from
// before takes its calls.
func TestSparedBackendRecovers(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := newFixture(t, 1)
		f.subConns[0].unwell()
		time.Sleep(1500 * time.Millisecond)
		f.subConns[0].health(balancer.SubConnState{ConnectivityState: connectivity.Ready})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		f.expectHealth(t, 0, connectivity.Ready)
		f.subConns[0].unwell()
		time.Sleep(4500 * time.Millisecond) // a time of its own
		synctest.Wait()
		f.expectHealth(t, 0, connectivity.Ready)
		time.Sleep(time.Second)
		synctest.Wait()
		f.expectHealth(t, 0, connectivity.TransientFailure)
	})
}

// An ejected backend that becomes unwell is not taken back in, and after the
// pause the child hears how it is.
func TestEjectedAndUnwell(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		f := newFixture(t, 3)
		f.eject(t, 0)
		f.subConns[0].health(balancer.SubConnState{ConnectivityState: connectivity.Ready})
		f.expectHealth(t, 0, connectivity.TransientFailure)
		f.subConns[0].unwell()
		time.Sleep(time.Second)
		synctest.Wait()
		f.expectTold(t, "a out", "a in")
		f.expectHealth(t, 0, connectivity.TransientFailure)
	})
}

// A backend that is spared no more, since it is ejected or the balancer is closed,
// has no timer left that asks for addresses or tells the child something.
func TestSpareEnds(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *fixture){
		"ejected": func(t *testing.T, f *fixture) { f.eject(t, 1) },
		"closed":  func(_ *testing.T, f *fixture) { f.outlier.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				f := newFixture(t, 2)
				f.subConns[0].unwell()
				f.subConns[1].unwell() // and spared
				end(t, f)
				asked, health := f.asked(), f.heard.healthOf(1)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if more := f.asked() - asked; more != 0 {
					t.Errorf("addresses are asked for %d times more, want none", more)
				}
				f.expectHealth(t, 1, health)
			})
		})
	}
}
