package database

import (
	"strings"
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of <netinet/tcp.h>, which package syscall lacks.
const tcpUserTimeout = 0x12

// limitUnacknowledged makes the kernel give up a TCP connection whose peer has
// acknowledged nothing for deadAfter; keep-alive probes are not sent then.
func limitUnacknowledged(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var fault error
	err := c.Control(func(fd uintptr) {
		fault = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(deadAfter.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return fault
}
