//go:build unix

package load

import (
	"syscall"
	"time"
)

// CPU returns the time that the threads of this process have used.
func CPU() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
