package emit

import (
	"fmt"
	"strconv"
	"text/template/parse"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// version holds a file to the version of the data model.
func (l *layering) version(name string, root *parse.ListNode) {
	if text := versionFault(required(root), model.Version); text != "" {
		l.fault("%s: %s", name, text)
	}
}

func versionFault(wanted, got int) string {
	text := fmt.Sprintf("written for version %d of the data model, and this plugin has version %d", wanted, got)
	switch {
	case wanted < got:
		return text + fmt.Sprintf(": docs/overlay.md says what changed; once it fits, let it begin with {{requires %d}}", got)
	case wanted > got:
		return text + ": build it with a newer github.com/protosvc/protosvc"
	}
	return ""
}

// required is the number in a file's {{requires N}}. A file without one was
// written when there was one version only.
func required(root *parse.ListNode) int {
	for _, n := range root.Nodes {
		action, ok := n.(*parse.ActionNode)
		if !ok || len(action.Pipe.Cmds[0].Args) < 2 || action.Pipe.Cmds[0].Args[0].String() != "requires" {
			continue
		}
		version, _ := strconv.Atoi(action.Pipe.Cmds[0].Args[1].String()) // 0 is no version
		return version
	}
	return 1
}
