package model

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// checkForeignErrors refuses an error of another service that no method under
// calls returns: there is nobody to have it from. Errors of packages without a
// service are anybody's.
func (b *builder) checkForeignErrors(m *Method, g *graph) {
	for i, e := range m.Errors {
		pkg := e.Enum.proto.Desc.ParentFile().Package()
		if pkg == m.proto.Desc.ParentFile().Package() || !g.packages[string(pkg)] {
			continue
		}
		if !g.mayReturn(m.Calls, e) {
			b.fault(m.place("errors", i), errorNotFromCallee, e.Reason, pkg)
		}
	}
}

// ofOthers reports whether a file was not written for us.
func (b *builder) ofOthers(f protoreflect.FileDescriptor) bool {
	return isForeign(b.plugin, b.plugin.FilesByPath[f.Path()])
}
