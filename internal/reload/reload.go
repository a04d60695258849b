// Package reload is what the admin port of a service says of its configuration, and what
// it can be told: by a person with curl, by CI, by the operator.
//
//	GET  /config/reload             what is in force, and what the files are now
//	POST /config/reload             reads the files and puts them in force
//	POST /config/reload?dry_run=1   only looks whether that would do
//	POST /config/hold?for=1m        no reload by itself until then, whatever the files become
//	POST /config/undo?files=HASH    what was in force before, if it is these files that are now
//
// Each is answered with a [Response].
package reload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Request is what is asked for.
type Request struct {
	Action Action
	Texts  map[string][]byte // of Check: in the place of files, by their names without a folder; nil is the files
	For    time.Duration     // of Hold; 0 ends it
	Files  string            // of Undo: the hash of what is to be undone
}

// Action is what can be done with a configuration.
type Action int

// What can be done with a configuration.
const (
	Look Action = iota
	Load
	Check
	Hold
	Undo
)

// Response says what became of it, and what is in force now.
type Response struct {
	Outcome Outcome `json:"outcome,omitempty"` // none where nothing was to be done
	State
	Faults []Fault `json:"faults,omitempty"`
}

// Outcome says what became of a request.
type Outcome string

// What can become of a request.
const (
	Reloaded Outcome = "reloaded" // the files are in force
	Valid    Outcome = "valid"    // they would come into force
	Refused  Outcome = "refused"  // what was in force still is
	Held     Outcome = "held"     // the files stay out of force
	Released Outcome = "released" // they come into force by themselves
	Undone   Outcome = "undone"   // what was in force before is again
	Kept     Outcome = "kept"     // it was not in force any more, so nothing happened
)

// State is what is in force in a process.
type State struct {
	Generation int        `json:"generation"`           // how many times something came into force, from 1
	Files      string     `json:"files"`                // a hash of the files in force
	Since      time.Time  `json:"since"`                // when they came into force
	Found      string     `json:"found"`                // a hash of the files as they are now
	Names      []string   `json:"names,omitempty"`      // of the files, without their folder, the lowest layer first
	HeldUntil  *time.Time `json:"held_until,omitempty"` // nil where nothing is held
	Refusal    *Refusal   `json:"refusal,omitempty"`    // nil where the last attempt succeeded
}

// Refusal is an attempt that did not bring files into force, or not for long.
type Refusal struct {
	Files  string `json:"files"` // their hash
	Reason string `json:"reason"`
}

// Fault is something wrong with a configuration. Where there is a place, it has either a
// file or a variable of the environment.
type Fault struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`   // from 1
	Column   int    `json:"column,omitempty"` // from 1
	Variable string `json:"variable,omitempty"`
	Restart  bool   `json:"restart,omitempty"` // a restart is all that it takes
	Message  string `json:"message"`
}

// String is the fault on one line.
func (f Fault) String() string {
	switch {
	case f.Variable != "":
		return fmt.Sprintf("environment variable %s: %s", f.Variable, f.Message)
	case f.File != "" && f.Line > 0:
		return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
	case f.File != "":
		return f.File + ": " + f.Message
	}
	return f.Message
}

// LongestHold is how long a hold may be. Whoever wants more asks again: a hold ends with
// the one who wants it.
const LongestHold = 10 * time.Minute

// Hash stands for what some files hold.
type Hash [sha256.Size]byte

// HashOf is the hash of files, in the order of their layers. Nil is one that cannot be read.
func HashOf(files ...[]byte) Hash {
	all := sha256.New()
	for _, text := range files {
		fmt.Fprintf(all, "%d %t\n", len(text), text != nil)
		all.Write(text)
	}
	return Hash(all.Sum(nil))
}

// String is what a person compares.
func (h Hash) String() string { return hex.EncodeToString(h[:6]) }

// Float is for a metric: the bits that a float64 holds exactly, as String shows them.
func (h Hash) Float() (n float64) {
	for _, b := range h[:6] {
		n = n*256 + float64(b)
	}
	return n
}
