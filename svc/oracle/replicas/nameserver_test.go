package replicas_test

import (
	"net"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// nameserver is the DNS of a cluster, as far as one headless Service goes: it
// answers with the addresses of the replicas that are ready.
type nameserver struct {
	address string

	mu        sync.Mutex
	replicas  []string
	fault     fault
	questions int // for A records
}

// fault is how a name server fails.
type fault int

const (
	none fault = iota
	servfail
	nxdomain
	empty
	silent
)

const host = "shop.test."

func startNameserver(t *testing.T) *nameserver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &nameserver{address: conn.LocalAddr().String()}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: conn, Handler: n, NotifyStartedFunc: func() { close(started) }}
	served := make(chan error, 1)
	go func() { served <- server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		_ = server.Shutdown()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *nameserver) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := new(dns.Msg).SetReply(question)
	q := question.Question[0]
	if q.Qtype == dns.TypeA {
		n.questions++
	}
	switch {
	case n.fault == silent:
		return
	case n.fault == servfail:
		m.Rcode = dns.RcodeServerFailure
	case n.fault == nxdomain || q.Name != host:
		m.Rcode = dns.RcodeNameError
	case n.fault == none && q.Qtype == dns.TypeA:
		for _, address := range n.replicas {
			m.Answer = append(m.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5},
				A:   net.ParseIP(address),
			})
		}
	}
	_ = w.WriteMsg(m)
}

// know has the name server answer with these replicas.
func (n *nameserver) know(replicas ...*replica) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.replicas = nil
	for _, r := range replicas {
		n.replicas = append(n.replicas, r.ip)
	}
}

func (n *nameserver) fail(f fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = f
}

// asked returns the number of questions since the last call.
func (n *nameserver) asked() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	asked := n.questions
	n.questions = 0
	return asked
}

// questionsSince returns the number of questions since the last call of asked.
func (n *nameserver) questionsSince() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.questions
}
