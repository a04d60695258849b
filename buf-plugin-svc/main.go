// Command buf-plugin-svc is a check plugin of buf: the contract rules of
// docs/lint.md, which buf lint and editors show once buf.yaml names it.
package main

import (
	"buf.build/go/bufplugin/check"

	"github.com/protosvc/protosvc/buf-plugin-svc/internal/lint"
)

func main() { check.Main(lint.Spec()) }
