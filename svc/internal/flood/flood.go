// Package flood closes HTTP/2 connections whose clients ask too much of a server, though
// they keep to the bounds of HTTP/2.
//
// Some open streams and reset them faster than honest ones do ("rapid reset",
// CVE-2023-44487), or have the server reset them ("made you reset", CVE-2025-8671). The
// bound on streams open at once does not hold these clients: they never wait for an
// answer.
//
// Others begin large messages on many streams and do not end them. Each call ends at
// its deadline, but until then grpc-go holds what has come. When the messages that are
// arriving hold more than a budget all together, the connection that has the most of
// them is closed.
//
// And some open as many streams as they can, on several connections. Each is refused by the
// limit of its method, but not before it has a goroutine, and thousands that are refused at
// once take as much as thousands that are not. There is a budget for all open streams
// together, too.
//
// It reads the headers of frames on their way to and from grpc-go, so what it wraps
// must be HTTP/2 in the clear. The ports of the runtime are: they have no TLS. Under
// grpc.Creds it would see records of TLS and would find no frames.
//
// Other floods are left to grpc-go: it closes connections that send too many PINGs,
// and reads no further while the answers to PING, SETTINGS, WINDOW_UPDATE and
// RST_STREAM of a client wait to be written, so that they take no memory.
package flood

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	"github.com/protosvc/protosvc/svc/internal/budget"
	"github.com/protosvc/protosvc/svc/internal/logging"
	"github.com/protosvc/protosvc/svc/internal/rpcmetrics"
)

// What a client owes for a stream that came to nothing is counted in points, which
// time and answers pay. One that cancels less than a third of its calls, or fewer
// than perSecond, never owes anything for long: hedges that lost, and callers that
// went away, are honest. A client that only cancels is cut after burst and what time
// has paid for meanwhile: at 16,000 resets in a second it lasts for 63 ms.
const (
	abandoned = 2  // the client reset it
	finished  = 1  // the client reset it without an error: the server may have answered
	faulty    = 2  // the server reset it for a mistake of the client
	answered  = -1 // the server sent all of its answer

	// perSecond is how many streams a client may cancel in the long run, and burst
	// how many at once: as many as may be open by default, which one caller can
	// cancel together. A new connection may cancel no more than fresh of them until
	// time and answers have paid for the others, so that it does not help to connect
	// anew: a whole burst is in its first bytes, which are then dropped unread.
	perSecond = defaults.CancelsPerSecond
	burst     = defaults.CancelsAtOnce
	fresh     = 100

	interval = time.Second / (abandoned * perSecond) // in which time pays a point
	slack    = abandoned * burst * interval
	entrance = abandoned * (burst - fresh) * interval
)

// youth is the age up to which a reset counts, at the least; from twice as much on it
// never does. Calls whose deadlines pass because the server is slow shall not have
// their connection closed on top. What a client can do with older streams is bounded
// by how many may be open at once.
const youth = 100 * time.Millisecond

// logInterval is how often a line in the log says that connections are closed.
const logInterval = 10 * time.Second

// Why a connection cannot be read and written any more.
var (
	errResets  = errors.New("its client resets streams too fast")
	errMemory  = errors.New("its messages that are arriving take too much memory")
	errStreams = errors.New("its open streams are too many")
)

// reasons are how connections that are closed are counted.
var reasons = map[error]rpcmetrics.End{errResets: rpcmetrics.EndResets, errMemory: rpcmetrics.EndMemory, errStreams: rpcmetrics.EndStreams}

// Listener is a listener whose connections are closed when their clients reset too
// many streams, or hold too much memory.
type Listener struct {
	net.Listener
	o      Options
	logged map[error]*logging.Sampler
}

// Options are what a [Listener] is made with.
type Options struct {
	Log     *slog.Logger
	Count   func(rpcmetrics.End) // is called for each connection that is closed
	Memory  *budget.Budget       // of messages that are arriving; nil: no limit
	Streams *budget.Budget       // that are open; nil: no limit
}

// Listen watches the connections of a listener, which speak HTTP/2 in the clear.
func Listen(l net.Listener, o Options) *Listener {
	logged := map[error]*logging.Sampler{}
	for reason := range reasons {
		logged[reason] = &logging.Sampler{Burst: 1, Every: logInterval}
	}
	return &Listener{Listener: l, o: o, logged: logged}
}

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	watched := watch(c)
	var once sync.Once
	watched.cut = func(why error) { once.Do(func() { l.cut(c, why) }) }
	watched.memory = l.o.Memory.Open(func() { watched.cut(errMemory) })
	watched.open = l.o.Streams.Open(func() { watched.cut(errStreams) })
	watched.use, _ = c.(use)
	return watched, nil
}

// cut closes a connection, which is counted, and logged unless that was done lately.
func (l *Listener) cut(c net.Conn, why error) {
	l.o.Count(reasons[why]) // first: whoever sees that it is closed finds it counted
	_ = c.Close()
	if suppressed, ok := l.logged[why].Pass(); ok {
		l.o.Log.LogAttrs(context.Background(), slog.LevelWarn, "connection closed: "+why.Error(),
			append(suppressed, slog.String("peer", c.RemoteAddr().String()))...)
	}
}

// use is a connection that wants to know whether any stream is open on it.
type use interface {
	Busy()
	Idle()
}

// conn is a connection whose client is watched. It is read by one goroutine at a time
// and written by one, as grpc-go does.
type conn struct {
	net.Conn
	cut   func(why error)
	began time.Time

	in      frames
	streams ages
	out     frames

	debt     debt
	messages messages
	memory   *budget.Account
	open     *budget.Account
	use      use // nil: nobody wants to know
}

func watch(c net.Conn) *conn {
	watched := &conn{Conn: c, began: time.Now(), debt: debt{due: entrance}, messages: messages{streams: map[uint32]message{}}}
	watched.in = frames{skip: prefaceBytes, data: watched.messages.arrived}
	return watched
}

// Close gives back what the messages of the connection held.
func (c *conn) Close() error {
	c.memory.Close()
	c.open.Close()
	return c.Conn.Close()
}

// now is the time since the client connected.
func (c *conn) now() time.Duration { return time.Since(c.began) }

// Read fails once the client owes too much. What it sent last is then read by nobody.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	now := c.now()
	if points := c.received(p[:n], now); points != 0 && c.debt.add(points, now) {
		c.cut(errResets)
		return 0, errResets
	}
	if err := c.settle(); err != nil {
		return 0, err
	}
	return n, err
}

// lock is held while streams are opened and ended. It returns how many are open.
func (c *conn) lock() (open int) {
	c.messages.mu.Lock()
	return len(c.messages.streams)
}

// unlock says whether the connection is idle, if that changed since lock.
func (c *conn) unlock(before int) {
	defer c.messages.mu.Unlock()
	switch after := len(c.messages.streams); {
	case c.use == nil:
	case before == 0 && after > 0:
		c.use.Busy()
	case before > 0 && after == 0:
		c.use.Idle()
	}
}

// received notes what the client sent, and returns the points for it.
func (c *conn) received(p []byte, now time.Duration) (points int) {
	defer c.unlock(c.lock())
	c.streams.tick(now)
	for f, rest, ok := c.in.next(p); ok; f, rest, ok = c.in.next(rest) {
		switch f.kind {
		case kindHeaders:
			c.streams.opened(f.stream)
			c.messages.opened(f.stream)
		case kindReset:
			c.messages.ended(f.stream)
			points += c.reset(f)
		}
	}
	return points
}

// reset returns the points for a reset by the client.
func (c *conn) reset(f frame) int {
	switch {
	case !c.streams.young(f.stream):
		return 0
	case f.code == codeNone:
		return finished
	}
	return abandoned
}

// Write fails once the client owes too much.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if points := c.sent(p[:n]); points != 0 && c.debt.add(points, c.now()) {
		c.cut(errResets)
		return n, errResets
	}
	_ = c.settle() // the next Read fails
	return n, err
}

// sent notes what the server sent, and returns the points for it.
func (c *conn) sent(p []byte) (points int) {
	defer c.unlock(c.lock())
	for f, rest, ok := c.out.next(p); ok; f, rest, ok = c.out.next(rest) {
		switch {
		case f.kind == kindHeaders && f.flags&flagEndStream != 0:
			c.messages.ended(f.stream)
			points += answered
		case f.kind == kindReset:
			c.messages.ended(f.stream)
			if blames(f.code) {
				points += faulty
			}
		}
	}
	return points
}

// settle tells the budgets how much the connection holds. It fails once the connection
// is evicted.
func (c *conn) settle() error {
	c.messages.mu.Lock()
	bytes, streams := c.messages.settle()
	c.messages.mu.Unlock()
	if bytes != 0 && !c.memory.Hold(bytes) {
		return errMemory
	}
	if streams != 0 && !c.open.Hold(streams) {
		return errStreams
	}
	return nil
}

// blames reports whether the server says with a code that the client made a mistake.
// It resets streams without an error after an early answer, as cancelled when their
// deadline passes, and for faults of its own.
func blames(code uint32) bool {
	return code != codeNone && code != codeCancel && code != codeInternal
}

// ages tell roughly how old streams are: their numbers rise.
type ages struct {
	last         uint32 // opened
	before, then uint32 // last, one and two ticks ago
	ticked       time.Duration
}

// tick comes before what happens now.
func (a *ages) tick(now time.Duration) {
	since := now - a.ticked
	if since < youth {
		return
	}
	a.then, a.before, a.ticked = a.before, a.last, now
	if since >= 2*youth {
		a.then = a.last
	}
}

func (a *ages) opened(stream uint32) { a.last = max(a.last, stream) }

func (a *ages) young(stream uint32) bool { return stream > a.then }

// debt is what a client owes, as the time that pays for it: a bucket that needs no
// refilling, like those of package limit.
type debt struct {
	mu  sync.Mutex
	due time.Duration // when everything is paid
}

// add counts points, and reports whether they are too many.
func (d *debt) add(points int, now time.Duration) (over bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.due = max(d.due, now) + time.Duration(points)*interval
	return d.due-now > slack
}
