package client

import (
	"context"
	"errors"
	"sync"
)

// Dialer makes connections that share their options and end together. The zero
// value is ready for use; close it after the last call.
//
//	dialer := &client.Dialer{Options: client.Options{Target: "dns:///localhost:9090"}}
//	defer dialer.Close()
//	users, err := userv1svc.DialUserService(dialer)
type Dialer struct {
	Options Options

	mu    sync.Mutex
	conns []*Conn
}

// Dial returns a new connection of the dialer; see the function Dial.
func (d *Dialer) Dial(spec Spec) (*Conn, error) {
	conn, err := Dial(spec, d.Options)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conns = append(d.conns, conn)
	return conn, nil
}

// Check reports whether every connection has an address that can be called; see
// [Conn.Check].
func (d *Dialer) Check(ctx context.Context) error {
	for _, c := range d.all() {
		if err := c.Check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close ends every connection and the calls on them.
func (d *Dialer) Close() error {
	var faults []error
	for _, c := range d.all() {
		faults = append(faults, c.Close())
	}
	return errors.Join(faults...)
}

func (d *Dialer) all() []*Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.conns
}
