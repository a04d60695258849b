package svc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
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
}

// load reads and checks the configuration; nothing is in force yet.
func (s Service) load(o Options) (*loaded, error) {
	l := &loaded{settings: s.settings()}
	src := config.Source{Path: o.Config, Env: o.Env, Prefix: s.envPrefix(), Environ: o.Environ}
	if s.Config != nil {
		l.message = s.Config.fresh()
		src.Defaults = s.Config.layer()
	}
	err := config.Load(src, l.settings, l.message)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err // what it would have said is missing everywhere
	}
	if err == nil && s.Config != nil {
		err = s.Config.check(l.message)
	}
	return l, errors.Join(err, l.settings.check(s.HTTP != nil), l.settings.Stop.within(s.Settings.Stop), s.checkStores(l.settings), s.checkCallees(l.settings))
}

func (s Service) envPrefix() string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(s.Name))
}

// reload puts a new reading in force: the service's own settings and the log
// level. Everything else was bound at start; a change of it is refused, and with
// it the whole reload, so that what /config shows is always what is in force.
//
// The log has the outcome: who sends a signal gets no answer.
func (a *App) reload() error {
	if err := a.tryReload(); err != nil {
		a.log.Error("config not reloaded", "error", err)
		return err
	}
	a.log.Info("config reloaded")
	return nil
}

func (a *App) tryReload() error {
	a.mu.Lock() // around the reading, too: an older one must not replace a newer one
	defer a.mu.Unlock()
	l, err := a.service.load(a.options)
	if err != nil {
		return err
	}
	next := l.settings.clone()
	next.Log = a.loaded.settings.Log
	if !reflect.DeepEqual(next, a.loaded.settings) {
		return errors.New("only the keys \"service\" and \"log\" can change while the service runs: restart it for the others")
	}
	a.loaded = l
	a.enforce(l)
	return nil
}

// reloadOn reloads at each signal until ctx ends.
func (a *App) reloadOn(signals <-chan os.Signal) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			select {
			case <-signals:
				_ = a.reload() // is in the log
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// enforce makes the parts of a reading take effect that may change.
func (a *App) enforce(l *loaded) {
	a.level.Set(l.settings.Log.Level)
	if a.service.Config != nil {
		a.service.Config.store(l.message)
	}
}

// dump is the configuration in force, without secrets.
func (a *App) dump() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return config.Dump(a.loaded.settings, a.loaded.message)
}
