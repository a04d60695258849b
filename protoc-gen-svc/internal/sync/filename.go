package sync

import (
	"go/build"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// fileStem is the name of an RPC's file without ".go": CreateOrder becomes
// create_order.
func fileStem(goName string) string {
	runes := []rune(goName)
	var stem strings.Builder
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) {
			afterLower := !unicode.IsUpper(runes[i-1]) && runes[i-1] != '_'
			beforeLower := i+1 < len(runes) && unicode.IsLower(runes[i+1]) && runes[i-1] != '_'
			if afterLower || beforeLower {
				stem.WriteByte('_')
			}
		}
		stem.WriteRune(unicode.ToLower(r))
	}
	return stem.String()
}

// free returns a file name that the folder does not have yet, and takes it.
func (h *handlerPackage) free(stem string) string {
	name := stem + ".go"
	for n := 1; h.entries[name] || !alwaysBuilt(name); n++ {
		name = stem + "_rpc.go"
		if n > 1 {
			name = stem + "_rpc_" + strconv.Itoa(n) + ".go"
		}
	}
	h.entries[name] = true
	return name
}

// alwaysBuilt reports whether a file is part of the package on every platform:
// the go command leaves out run_test.go and, elsewhere, reboot_windows.go.
func alwaysBuilt(name string) bool {
	nowhere := build.Context{GOOS: "none", GOARCH: "none", Compiler: "gc", OpenFile: func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("package p\n")), nil
	}}
	matches, err := nowhere.MatchFile("", name)
	return err == nil && matches && !strings.HasSuffix(name, "_test.go")
}
