package database

import (
	"net"
	"syscall"
	"testing"
)

func TestDialerLimitsUnacknowledgedData(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := newDialer().DialTimeout("tcp", listener.Addr().String(), deadAfter)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		for option, want := range map[int]int{
			tcpUserTimeout:        int(deadAfter.Milliseconds()),
			syscall.TCP_KEEPIDLE:  int(deadAfter.Seconds()) / 2,
			syscall.TCP_KEEPINTVL: int(deadAfter.Seconds()) / 4,
			syscall.TCP_KEEPCNT:   2,
		} {
			if got, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, option); err != nil || got != want {
				t.Errorf("option %#x = %d, %v, want %d", option, got, err, want)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
