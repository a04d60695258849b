package main

import (
	"net"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// nameserver answers questions for one name with the addresses of the replicas,
// as the DNS of a cluster does for a headless Service.
type nameserver struct {
	conn net.PacketConn
	name string

	mu      sync.Mutex
	records []net.IP
}

func startNameserver(name string) (*nameserver, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &nameserver{conn: conn, name: name}
	go n.serve()
	return n, nil
}

func (n *nameserver) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return // closed
		}
		if answer, ok := n.answer(buf[:size]); ok {
			_, _ = n.conn.WriteTo(answer, from)
		}
	}
}

func (n *nameserver) answer(question []byte) ([]byte, bool) {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil, false
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	q := m.Questions[0]
	switch {
	case q.Name.String() != n.name+".":
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		for _, ip := range n.known() {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte(ip.To4())},
			})
		}
	}
	packed, err := m.Pack()
	return packed, err == nil
}

// know has it answer with these addresses from now on.
func (n *nameserver) know(records []net.IP) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.records = records
}

func (n *nameserver) known() []net.IP {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.records
}

func (n *nameserver) close() { _ = n.conn.Close() }
