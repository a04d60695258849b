package main

import "slices"

// tests are those of one package.
type tests struct {
	pkg string
	// run is the pattern of those that are wanted; empty for all.
	run string
	// short leaves out what takes long and says nothing about the folder.
	short bool
}

// judge is whose tests must notice a change of a folder.
type judge struct {
	folder string
	// They are asked in this order until one notices.
	tests []tests
}

// judges are the folders that others' tests hold as well, or alone.
var judges = []judge{
	{"svc/internal/outlier", []tests{{pkg: "svc/internal/outlier"}, {pkg: "svc/client"}}},
	{"svc/internal/details", []tests{{pkg: "svc/errors"}}},
	{"svc/internal/pushback", []tests{{pkg: "svc/internal/gateway"}, {pkg: "svc/internal/server"}, {pkg: "svc/client"}}},
	{"svc/internal/rpcmetrics", []tests{{pkg: "svc/metrics"}, {pkg: "svc/internal/server"}, {pkg: "svc/client"}}},
	// Without the lives of projects, which take a minute.
	{"protoc-gen-svc/internal/sync", []tests{{pkg: "protoc-gen-svc/internal/sync", short: true}}},
	{"protoc-gen-svc/internal/model", []tests{
		{pkg: "protoc-gen-svc/internal/model"},
		// These notice most, in a quarter of the time of all.
		{pkg: "protoc-gen-svc", run: "^TestGolden$", short: true},
		{pkg: "protoc-gen-svc", short: true},
	}},
}

// judgeOf is a row of the table, or the tests of the folder itself.
func judgeOf(folder string) judge {
	if i := slices.IndexFunc(judges, func(j judge) bool { return j.folder == folder }); i >= 0 {
		return judges[i]
	}
	return judge{folder, []tests{{pkg: folder}}}
}
