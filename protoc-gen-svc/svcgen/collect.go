package svcgen

import (
	"io"
	"runtime/debug"
	"sync"
)

// untilWritten is a writer during whose first Write the process begins to collect its
// garbage, which it does not until then. What a run makes before it has a file is nearly
// all needed to the end, and less than what it needs later.
func untilWritten(w io.Writer) io.Writer {
	percent := debug.SetGCPercent(-1)
	return &collecting{w, sync.OnceFunc(func() { debug.SetGCPercent(percent) })}
}

type collecting struct {
	io.Writer
	collect func()
}

func (c *collecting) Write(p []byte) (int, error) {
	c.collect()
	return c.Writer.Write(p)
}
