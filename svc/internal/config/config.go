// Package config loads what a service can be told at start.
//
// One file holds the settings of the runtime, a Go struct, and below the key
// "service" the settings of the service itself, a message of its contract.
// Later layers override earlier ones, value by value:
//
//	defaults < config.yaml < config.<env>.yaml < environment variables
//
// Loading is strict. Unknown keys, duplicate keys and values of a wrong type are
// faults; all of them are reported at once, each with its place in the file or
// the name of its variable.
//
// Both kinds of settings are walked through one small interface, place, so that
// merging, positions, suggestions, environment and dump exist once.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"
)

// ServiceKey is the key of the file below which the message stands.
const ServiceKey = "service"

// Source says where the layers come from.
type Source struct {
	// Path is the file, for example "config.yaml". It must exist.
	// Empty: there is no file, only defaults and environment.
	Path string

	// Texts stand in the place of what files hold, by their names without the folder.
	Texts map[string][]byte

	// Env names the environment, for example "prod": then the file
	// "config.prod.yaml" beside Path must exist too. Empty: none.
	Env string

	// Prefix starts the names of environment variables, for example "ORDER":
	// the key grpc.port is ORDER_GRPC_PORT, the message's field max_items is
	// ORDER_SERVICE_MAX_ITEMS. The elements of a list are separated by commas. Of
	// a map only keys that a lower layer has can be set. Lists of mappings or of
	// field masks, and google.protobuf.Struct, Value and ListValue, are for files
	// alone: a variable called like one is a fault. Empty: the environment is not read.
	//
	// A variable that has the prefix but fits no key is a fault if it looks like a
	// misspelt key, and else ignored: the environment belongs to others, too, as
	// USER_ZDOTDIR does to the terminal of an editor.
	//
	// Kubernetes sets such variables itself: beside a Service called "order" every
	// Pod gets ORDER_SERVICE_HOST, ORDER_SERVICE_PORT, ORDER_PORT and more, beside
	// "order-cache" ORDER_CACHE_SERVICE_HOST and so on. They are never misspelt
	// keys, but would fit the fields host and port of a message, or a setting port. A
	// Pod of this service therefore needs enableServiceLinks: false, which the
	// generated Deployment has.
	Prefix string

	// Defaults is the lowest layer of the message, as YAML with the message's
	// fields at the top. The settings struct brings its defaults itself.
	Defaults string

	// Environ is the environment as os.Environ returns it.
	Environ []string

	// Origins, unless it is nil, is told where each value is from.
	Origins Origins
}

// Load fills settings and message from the layers of src.
//
// Settings is a pointer to a struct, filled with defaults, or nil. Its fields
// have tags like `yaml:"drain_delay"`, and `secret:"true"` where [Dump] must not
// show the value; fields without a tag are left alone. They are strings,
// booleans, numbers, [time.Duration], whatever implements
// [encoding.TextUnmarshaler], lists and structs of these, and maps from string to
// these, whose keys are fixed by the defaults. Message may be nil.
//
// Its fields are keys by their names in the proto. Durations are written "5s",
// times as in RFC 3339, enum values by their full name, bytes in base64, a wrapper
// as what it wraps, a field mask as its paths with commas between them: "name,address.city".
// A google.protobuf.Struct is a mapping of any keys, a Value whatever JSON can say,
// null included, and a ListValue a list of such. Later layers add keys to a Struct.
//
// The error has one line for each of the first 100 faults, and one that counts the others:
//
//	config.yaml:12:3: unknown key "gprc" (did you mean "grpc")
//	environment variable ORDER_GRPC_PORT: grpc.port: want a whole number from 0 to 65535, got "http"
//
// After an error settings and message hold what could be read beside the faults; to
// reload a running service, load into fresh values.
func Load(src Source, settings any, message proto.Message) error {
	root := newRoot(settings, message)
	var l loader
	if message != nil {
		l.yaml("defaults", []byte(src.Defaults), newMessage(message))
	}
	l.origins = src.Origins
	for _, path := range src.files() {
		if text, ok := src.Texts[filepath.Base(path)]; ok {
			l.yaml(path, text, root)
			continue
		}
		l.file(path, root)
	}
	if src.Prefix != "" {
		l.environment(src.Prefix, src.Environ, root)
	}
	if l.more > 0 {
		l.faults = append(l.faults, fmt.Errorf("and %d more faults", l.more))
	}
	return errors.Join(l.faults...)
}

// files are the paths of the file layers in order.
func (src Source) files() []string {
	switch {
	case src.Path == "":
		return nil
	case src.Env == "":
		return []string{src.Path}
	}
	ext := filepath.Ext(src.Path)
	return []string{src.Path, strings.TrimSuffix(src.Path, ext) + "." + src.Env + ext}
}

// shownFaults is how many faults the error lists. A file with more is not the one
// that was meant, and making their texts would take longer than reading it.
const shownFaults = 100

// loader collects the faults of all layers.
type loader struct {
	faults  []error // the first shownFaults
	more    int     // how many there are besides
	origins Origins // nil: nobody wants to know
}

// from notes where the value of a key is from.
func (l *loader) from(key string, at Fault) {
	if l.origins != nil {
		l.origins[key] = at
	}
}

func (l *loader) full() bool { return len(l.faults) >= shownFaults }

func (l *loader) fault(err error) {
	if l.full() {
		l.more++
		return
	}
	l.faults = append(l.faults, err)
}

func (l *loader) file(path string, root mapping) {
	text, err := os.ReadFile(path)
	if err != nil {
		l.fault(fileError(path, err))
		return
	}
	l.yaml(path, text, root)
}

// fileError shortens a path error to the form of the other faults; errors.Is
// still finds fs.ErrNotExist.
func fileError(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return &Fault{File: path, Err: err}
}

// Fault is something wrong at one place: of a file, or in a variable of the environment.
type Fault struct {
	File         string
	Line, Column int // from 1; 0 is the whole file, or the whole line
	Variable     string
	Err          error
}

// Error begins with the place: "config.yaml:12:3: " or "environment variable ORDER_GRPC_PORT: ".
func (f *Fault) Error() string {
	var at string
	switch {
	case f.Variable != "":
		at = "environment variable " + f.Variable
	case f.Line == 0:
		at = f.File
	case f.Column == 0:
		at = fmt.Sprintf("%s:%d", f.File, f.Line)
	default:
		at = fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
	}
	return at + ": " + f.Err.Error()
}

func (f *Fault) Unwrap() error { return f.Err }

// Faults are the single faults in an error of [Load], or in several that were joined. What
// has no place is a Fault without one.
func Faults(err error) []*Fault {
	switch err := err.(type) {
	case nil:
		return nil
	case *Fault:
		return []*Fault{err}
	case interface{ Unwrap() []error }:
		if errors.Join(err.Unwrap()...).Error() != err.(error).Error() {
			break // it says more than its parts
		}
		var all []*Fault
		for _, one := range err.Unwrap() {
			all = append(all, Faults(one)...)
		}
		return all
	}
	return []*Fault{{Err: err}}
}
