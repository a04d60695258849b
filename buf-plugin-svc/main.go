// Command buf-plugin-svc is a check plugin of buf: the contract rules of
// docs/lint.md, which buf lint and editors show once buf.yaml names it.
package main

import (
	"fmt"
	"os"

	"buf.build/go/bufplugin/check"

	"github.com/protosvc/protosvc/buf-plugin-svc/internal/lint"
)

func main() {
	if len(os.Args) == 1 { // buf always says what it wants
		fmt.Fprintln(os.Stderr, "buf-plugin-svc is run by buf, not by hand: name it below plugins in buf.yaml, then run buf lint")
		os.Exit(2)
	}
	check.Main(lint.Spec())
}
