package system_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// wire stands between order and payment. A direction that is held delivers
// nothing until it is let go, so a test decides what has arrived when a process
// is killed.
type wire struct {
	listener          net.Listener
	connected         chan struct{} // closed when backend is set
	backend           string
	requests, replies direction
	running           sync.WaitGroup
}

// direction is one of the two. Whoever delivers takes the gate for reading, the
// one who holds the direction for writing.
type direction struct{ gate sync.RWMutex }

// hold holds the direction until letGo is called or the test ends.
func (d *direction) hold(t *testing.T) (letGo func()) {
	d.gate.Lock()
	letGo = sync.OnceFunc(d.gate.Unlock)
	t.Cleanup(letGo)
	return letGo
}

// newWire returns a wire that ends with the test. What connects to it waits until
// it leads somewhere.
func newWire(t *testing.T) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, connected: make(chan struct{})}
	w.running.Go(w.accept)
	t.Cleanup(func() {
		listener.Close()
		w.running.Wait()
	})
	return w
}

// connect says where the wire leads.
func (w *wire) connect(backend string) {
	w.backend = backend
	close(w.connected)
}

func (w *wire) target() string { return "passthrough:///" + w.listener.Addr().String() }

func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.running.Go(func() { w.join(near) })
	}
}

// join passes bytes in both directions until one end closes.
func (w *wire) join(near net.Conn) {
	defer near.Close()
	<-w.connected
	far, err := net.Dial("tcp", w.backend)
	if err != nil {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	both.Go(func() { w.requests.pass(near, far) })
	both.Go(func() { w.replies.pass(far, near) })
	both.Wait()
}

// pass delivers what it reads. At the end it closes both, so that the other
// direction ends too.
func (d *direction) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if d.deliver(to, buffer[:n]) != nil || err != nil {
			return
		}
	}
}

func (d *direction) deliver(to io.Writer, data []byte) error {
	d.gate.RLock()
	defer d.gate.RUnlock()
	_, err := to.Write(data)
	return err
}
