package sync

import (
	"errors"
	"os"
	"os/exec"
)

// errNoBuf lists where buf was looked for.
var errNoBuf = errors.New(`there is no buf: looked for --buf, buf in PATH, bin/buf and tools/buf/go.mod (say how to run it with --buf, such as --buf="go tool buf")`)

// bufs are the ways to run buf where nobody says how, and how to see that there is one.
// The last two are of projects that init wrote; make builds the former from the latter.
var bufs = []struct {
	command []string
	there   func() error
}{
	{[]string{"buf"}, func() error { _, err := exec.LookPath("buf"); return err }},
	{[]string{"bin/buf"}, func() error { _, err := exec.LookPath("bin/buf"); return err }},
	{[]string{"go", "tool", "-modfile=tools/buf/go.mod", "buf"}, func() error { _, err := os.Stat("tools/buf/go.mod"); return err }},
}

// Line is how to run buf: Command where there is one, else what the project here has.
func (b Buf) Line() ([]string, error) {
	if len(b.Command) > 0 {
		return b.Command, nil
	}
	for _, buf := range bufs {
		if buf.there() == nil {
			return buf.command, nil
		}
	}
	return nil, errNoBuf
}
