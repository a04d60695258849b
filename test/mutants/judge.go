package main

import "slices"

// judge is whose tests must notice a change of a folder.
type judge struct {
	folder string
	// packages are asked in this order until one notices.
	packages []string
	// short leaves out what takes long and says nothing about the folder.
	short bool
}

// judges are the folders that others' tests hold as well, or alone.
var judges = []judge{
	{"svc/internal/outlier", []string{"svc/client"}, false},
	{"svc/internal/pushback", []string{"svc/internal/gateway", "svc/server", "svc/client"}, false},
	{"svc/validate/format", []string{"svc/validate"}, false},
	{"protoc-gen-svc/internal/model", []string{"protoc-gen-svc/internal/model", "protoc-gen-svc"}, true},
}

// judgeOf is a row of the table, or the tests of the folder itself.
func judgeOf(folder string) judge {
	if i := slices.IndexFunc(judges, func(j judge) bool { return j.folder == folder }); i >= 0 {
		return judges[i]
	}
	return judge{folder, []string{folder}, false}
}
