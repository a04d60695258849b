package system

import (
	"fmt"
	"net"
	"strconv"
)

// firstPort is the first of a service's three fixed ports.
func firstPort(service string) int {
	return map[string]int{"user": 8110, "order": 8120, "payment": 8130}[service]
}

// reserve finds ports for the service and holds them until it starts, so that
// no other service gets the same.
func (s *Service) reserve(fixed bool) error {
	for i, address := range []*string{&s.HTTP, &s.GRPC, &s.Admin} {
		port := 0 // any free one
		if fixed {
			port = firstPort(s.Name) + i
		}
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return fmt.Errorf("port of service %s: %w", s.Name, err)
		}
		s.reserved = append(s.reserved, listener)
		*address = listener.Addr().String()
	}
	return nil
}

// release gives the ports back.
func (s *Service) release() {
	for _, listener := range s.reserved {
		_ = listener.Close() // it is only held, nobody is connected
	}
	s.reserved = nil
}
