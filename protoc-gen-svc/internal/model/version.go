package model

// Version counts the changes of the data model that templates of teams' own
// cannot follow by themselves: a field or method that is gone, renamed, of
// another type or of another meaning. What is added does not count.
//
// Whoever raises it says in docs/overlay.md what changed.
const Version = 1

// Plugin is the program that writes the files.
type Plugin struct {
	// Version is that of protoc-gen-svc, "0.1.0", also where a team has built
	// the plugin.
	Version string
	// Overlays are the paths of all templates that lie over those of
	// protoc-gen-svc, sorted.
	Overlays []string
}
