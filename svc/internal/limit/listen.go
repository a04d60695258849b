package limit

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// looked is how many connections are looked at for one that is idle. Looking at all of
// them would let a client that connects again and again keep a processor busy.
const looked = 64

// Listener is a listener with at most so many connections open. One more has the
// place of a connection that has been idle for longest; where none is idle, it is closed
// at once, so that its client looks for another server: left in the queue of the kernel,
// it would wait for this one.
type Listener struct {
	net.Listener
	o Options

	mu   sync.Mutex
	open map[*Conn]struct{}
}

// Options are what a [Listener] is made with.
type Options struct {
	Connections int    // that are open at once; 0: no limit
	Refused     func() // is called for each that is closed at once
	Evicted     func() // is called for each that makes room
}

// Listen limits the connections of a listener.
func Listen(l net.Listener, o Options) *Listener {
	return &Listener{Listener: l, o: o, open: map[*Conn]struct{}{}}
}

// SetConnections changes how many connections are open at once. Those beyond it stay.
func (l *Listener) SetConnections(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.o.Connections = n
}

// Accept waits for a connection for which there is room. It is a [*Conn].
func (l *Listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &Conn{Conn: accepted, listener: l}
		c.Idle() // until it is busy for the first time
		victim, ok := l.enter(c)
		switch {
		case !ok:
			_ = accepted.Close()
			l.o.Refused()
			continue
		case victim != nil:
			_ = victim.Close()
			l.o.Evicted()
		}
		return c, nil
	}
}

// enter makes room for a connection, that of the victim if there is one.
func (l *Listener) enter(c *Conn) (victim *Conn, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.o.Connections > 0 && len(l.open) >= l.o.Connections {
		if victim = l.idlest(); victim == nil {
			return nil, false
		}
		delete(l.open, victim)
	}
	l.open[c] = struct{}{}
	return victim, true
}

// idlest returns the connection that has been idle for longest, of some that are
// looked at; nil if none is idle.
func (l *Listener) idlest() (idlest *Conn) {
	left, longest := looked, int64(0)
	for c := range l.open { // in an order that is not twice the same
		if since := c.since.Load(); since != busy && (idlest == nil || since < longest) {
			idlest, longest = c, since
		}
		if left--; left == 0 {
			break
		}
	}
	return idlest
}

// leave makes room.
func (l *Listener) leave(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// Conn is a connection that makes room when it is closed. Whoever knows what it is used
// for says when it is idle.
type Conn struct {
	net.Conn
	listener *Listener
	since    atomic.Int64 // when it became idle, or busy
}

// busy is what a connection is that is not idle.
const busy = -1

// epoch is what moments are measured from: a difference fits an atomic.
var epoch = time.Now()

// Idle says that nothing goes on on the connection.
func (c *Conn) Idle() { c.since.Store(int64(time.Since(epoch))) }

// Busy says that the connection is not idle any more.
func (c *Conn) Busy() { c.since.Store(busy) }

// Close closes the connection.
func (c *Conn) Close() error {
	c.listener.leave(c)
	return c.Conn.Close()
}
