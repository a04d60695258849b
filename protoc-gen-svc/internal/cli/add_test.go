package cli

import (
	"bytes"
	"testing"
)

// TestAdd checks the way of the arguments; package project tests what comes out.
func TestAdd(t *testing.T) {
	const usage = "\nusage: protoc-gen-svc add [FLAGS] SERVICE\n"
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		exit int
		want string // on stderr
	}{
		{"no service", []string{"add"}, exitUsage,
			`protoc-gen-svc add: got 0 arguments, want the name of the new service (for example "line-item")` + usage},
		{"two services", []string{"add", "user", "order"}, exitUsage,
			`protoc-gen-svc add: got 2 arguments, want the name of the new service (for example "line-item")` + usage},
		{"no project", []string{"add", "order", "--calls=user", "--dir=" + dir}, exitFault,
			`protoc-gen-svc add: folder "` + dir + `" is not a project of init, it has no go.mod (want the folder of one: --dir=DIR names another)` + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errors bytes.Buffer
			exit := Main(c.args, &out, &errors)
			if exit != c.exit || errors.String() != c.want || out.Len() > 0 {
				t.Errorf("exit code %d and\n%s%s, want %d and\n%s", exit, &errors, &out, c.exit, c.want)
			}
		})
	}
}
