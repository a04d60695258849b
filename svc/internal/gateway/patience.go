package gateway

import (
	"net/http"
	"time"
)

// DefaultPatience is how long a client may take to accept the next piece of a
// message, unless the options say otherwise.
const DefaultPatience = 30 * time.Second

// patient is a response whose client has a limited time to accept each piece. A
// client who does not read would otherwise keep a goroutine for as long as its
// connection lasts.
type patient struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
}

func newPatient(w http.ResponseWriter, control *http.ResponseController, patience time.Duration) *patient {
	p := &patient{w, control, patience}
	p.wait() // what the server itself writes, "100 Continue" for one, counts too
	return p
}

// wait moves the deadline. Writers without a connection have none.
func (p *patient) wait() { _ = p.control.SetWriteDeadline(time.Now().Add(p.patience)) }

// Write sends a piece.
func (p *patient) Write(b []byte) (int, error) {
	p.wait()
	return p.ResponseWriter.Write(b)
}

// FlushError is what http.ResponseController calls to flush.
func (p *patient) FlushError() error {
	p.wait()
	return p.control.Flush()
}

// Unwrap is how http.ResponseController finds what this one does not do itself.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }
