package model

// Version counts the changes of the data model that templates of teams' own
// cannot follow by themselves: a field or method that is gone, renamed, of
// another type or of another meaning. What is added does not count.
//
// Whoever raises it says in docs/overlay.md what changed.
const Version = 1
