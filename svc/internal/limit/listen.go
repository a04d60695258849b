package limit

import (
	"net"
	"sync"
)

// Listener is a listener with at most so many connections open. One too many is
// closed at once, so that its client looks for another server; left in the
// queue of the kernel, it would wait for this one.
type Listener struct {
	net.Listener
	gate    *Gate
	refused func()
}

// Listen limits the connections of a listener; 0 means no limit. Refused is
// called for each that was closed; nil means that nobody wants to know.
func Listen(l net.Listener, connections int, refused func()) *Listener {
	return &Listener{l, NewGate(connections), refused}
}

// Accept waits for a connection for which there is room.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.gate.Enter() {
			return &conn{Conn: c, leave: sync.OnceFunc(l.gate.Leave)}, nil
		}
		_ = c.Close()
		if l.refused != nil {
			l.refused()
		}
	}
}

// conn is a connection that makes room when it is closed.
type conn struct {
	net.Conn
	leave func()
}

func (c *conn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
