package sync

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/gocmd"
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
	for n := 1; h.entries[name] || !gocmd.AlwaysBuilt(name); n++ {
		name = stem + "_rpc.go"
		if n > 1 {
			name = stem + "_rpc_" + strconv.Itoa(n) + ".go"
		}
	}
	h.entries[name] = true
	return name
}
