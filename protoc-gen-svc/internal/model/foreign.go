package model

import "slices"

// checkForeignErrors refuses an error of another service that no method under
// calls returns: there is nobody to have it from. Errors of packages without a
// service are anybody's.
func (b *builder) checkForeignErrors(m *Method, services map[string]*Service) {
	for i, e := range m.Errors {
		pkg := e.Enum.proto.Desc.ParentFile().Package()
		if pkg == m.proto.Desc.ParentFile().Package() || !hasService(services, string(pkg)) {
			continue
		}
		returned := func(c Call) bool {
			callee := methodOf(services, c)
			return callee == nil || slices.Contains(callee.Errors, e)
		}
		if !slices.ContainsFunc(m.Calls, returned) {
			b.fault(m.origin().at("errors", i), errorNotFromCallee, e.Reason, pkg)
		}
	}
}

func hasService(services map[string]*Service, pkg string) bool {
	for _, s := range services {
		if s.protoPackage() == pkg {
			return true
		}
	}
	return false
}
