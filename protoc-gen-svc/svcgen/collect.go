package svcgen

import (
	"io"
	"runtime"
	"runtime/debug"
	"sync"
)

// untilWritten is a writer until whose first Write the process collects no garbage, and
// from then on as much as keeps it from growing. What a run makes before it has a file is
// nearly all needed to the end; what it makes of it is gone once it is written.
func untilWritten(w io.Writer) io.Writer {
	debug.SetGCPercent(-1)
	return &collecting{w, sync.OnceFunc(func() {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		limit := int64(now.Sys - now.HeapReleased) // what the runtime counts, too
		debug.SetMemoryLimit(min(limit, debug.SetMemoryLimit(-1)))
	})}
}

type collecting struct {
	io.Writer
	collect func()
}

func (c *collecting) Write(p []byte) (int, error) {
	c.collect()
	return c.Writer.Write(p)
}
