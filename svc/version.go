package svc

import "runtime/debug"

// version is set by the linker in image builds, where there is no repository
// to ask: -X github.com/protosvc/protosvc/svc.version=v1.2.3.
var version string

// programVersion is the version of the running program: what the linker was told, else
// the version of the main module, "(devel)" in a checkout.
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// revision is the commit that the program was built from, "unknown" if it was
// built outside a repository.
func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}
