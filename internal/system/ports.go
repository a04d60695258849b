package system

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// firstPort is the first of a service's three fixed ports.
func firstPort(service string) int {
	return map[string]int{"user": 8110, "order": 8120, "payment": 8130}[service]
}

// A service that is started again wants its ports again. So they come from below the
// range that systems take the ports of outgoing connections from: one of those that is
// free for a moment may belong to anybody's connection in the next.
const (
	lowestPort  = 10_000
	highestPort = 32_767 // Linux goes on with outgoing connections, others above
)

// reserve finds ports for the service and holds them until it starts, so that
// no other service gets the same.
func (s *Service) reserve(fixed bool) error {
	for i, address := range []*string{&s.HTTP, &s.GRPC, &s.Admin} {
		listen := listenFree
		if fixed {
			listen = func() (net.Listener, error) { return listenAt(firstPort(s.Name) + i) }
		}
		listener, err := listen()
		if err != nil {
			return fmt.Errorf("port of service %s: %w", s.Name, err)
		}
		s.reserved = append(s.reserved, listener)
		*address = listener.Addr().String()
	}
	return nil
}

func listenAt(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// listenFree listens at a port that nobody else has.
func listenFree() (listener net.Listener, err error) {
	for range 100 {
		if listener, err = listenAt(lowestPort + rand.IntN(highestPort-lowestPort+1)); err == nil {
			return listener, nil
		}
	}
	return nil, err
}

// release gives the ports back.
func (s *Service) release() {
	for _, listener := range s.reserved {
		_ = listener.Close() // it is only held, nobody is connected
	}
	s.reserved = nil
}
