package svc

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/config"
)

// Config holds the settings that stand below "service" in config.yaml, typed
// and valid. A reload replaces them, so load them for each piece of work, not
// once.
type Config[T proto.Message] struct {
	value    config.Value[T]
	defaults string
	validate func(T) error
}

// NewConfig returns a Config that starts from defaults, YAML with the fields of
// the message at the top. A validate of nil accepts everything.
func NewConfig[T proto.Message](defaults string, validate func(T) error) *Config[T] {
	return &Config[T]{defaults: defaults, validate: validate}
}

// StaticConfig returns a Config that always holds m, for tests of handlers.
func StaticConfig[T proto.Message](m T) *Config[T] {
	c := new(Config[T])
	c.value.Store(m)
	return c
}

// Load returns the settings in force. They must not be changed.
func (c *Config[T]) Load() T { return c.value.Load() }

// section is a Config of any type, as the runtime loads it.
type section interface {
	layer() string
	fresh() proto.Message
	check(proto.Message) error
	store(proto.Message)
}

func (c *Config[T]) layer() string { return c.defaults }

func (c *Config[T]) fresh() proto.Message {
	var t T
	return t.ProtoReflect().New().Interface()
}

func (c *Config[T]) check(m proto.Message) error {
	if c.validate == nil {
		return nil
	}
	return configFault(c.validate(m.(T)))
}

func (c *Config[T]) store(m proto.Message) { c.value.Store(m.(T)) }

// configFault says a broken rule in the terms of config.yaml, one line each.
func configFault(err error) error {
	if err == nil {
		return nil
	}
	var faults []error
	for _, detail := range svcerrors.ToStatus(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				faults = append(faults, fmt.Errorf("%s.%s: %s", config.ServiceKey, v.GetField(), v.GetDescription()))
			}
		}
	}
	if faults == nil {
		return err
	}
	return errors.Join(faults...)
}

// loaded is one reading of all layers.
type loaded struct {
	settings *Settings
	message  proto.Message // nil without a section
	files    config.Hash   // as they were just before
}

// source says where the layers come from.
func (s Service) source(o Options) config.Source {
	src := config.Source{Path: o.Config, Env: o.Env, Prefix: s.envPrefix(), Environ: o.Environ}
	if s.Config != nil {
		src.Defaults = s.Config.layer()
	}
	return src
}

// load reads and checks the configuration; nothing is in force yet.
func (s Service) load(o Options) (*loaded, error) { return s.loadFrom(s.source(o)) }

// loadFrom is load from these layers. Beside an error it returns what it has read.
func (s Service) loadFrom(src config.Source) (*loaded, error) {
	l := &loaded{settings: s.settings(), files: src.Hash()}
	if s.Config != nil {
		l.message = s.Config.fresh()
	}
	err := config.Load(src, l.settings, l.message)
	if errors.Is(err, fs.ErrNotExist) {
		return l, err // what it would have said is missing everywhere
	}
	if err == nil && s.Config != nil {
		err = s.Config.check(l.message)
	}
	return l, errors.Join(err, l.settings.check(s.HTTP != nil), l.settings.Stop.within(s.Settings.Stop), s.checkStores(l.settings), s.checkCallees(l.settings))
}

func (s Service) envPrefix() string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(s.Name))
}

// enforce makes the parts of a reading take effect that may change.
func (a *App) enforce(l *loaded) {
	a.level.Set(l.settings.Log.Level)
	if a.service.Config != nil {
		a.service.Config.store(l.message)
	}
}
