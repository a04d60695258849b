package svc

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/internal/reload"
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
	restart  []string

	mu    sync.Mutex
	hooks []func(old, new T) error
}

// NewConfig returns a Config that starts from defaults, YAML with the fields of
// the message at the top. A validate of nil accepts everything. A reload that changes one
// of the fields of restart, paths such as "pool.size", is refused.
func NewConfig[T proto.Message](defaults string, validate func(T) error, restart ...string) *Config[T] {
	return &Config[T]{defaults: defaults, validate: validate, restart: restart}
}

// StaticConfig returns a Config that always holds m, for tests of handlers.
func StaticConfig[T proto.Message](m T) *Config[T] {
	c := new(Config[T])
	c.value.Store(m)
	return c
}

// Load returns the settings in force. They must not be changed.
func (c *Config[T]) Load() T { return c.value.Load() }

// OnChange has f judge the settings that a reload brings, after their rules and before
// they are in force. An error refuses the reload, and all of it; field violations of
// package errors are told by line and column. F is asked for dry runs, too, and another
// one may still refuse, so it must not change anything: whoever uses the settings loads
// them anew. It is not asked at the start, where the handler can return an error.
func (c *Config[T]) OnChange(f func(old, new T) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hooks = append(c.hooks, f)
}

// section is a Config of any type, as the runtime loads it.
type section interface {
	layer() string
	fresh() proto.Message
	check(proto.Message) error
	judge(proto.Message) error
	bound() []string
	store(proto.Message)
}

func (c *Config[T]) layer() string { return c.defaults }

func (c *Config[T]) bound() []string { return c.restart }

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

// judge asks everybody who wants to be asked.
func (c *Config[T]) judge(m proto.Message) error {
	c.mu.Lock()
	hooks := slices.Clone(c.hooks)
	c.mu.Unlock()
	var faults []error
	for _, f := range hooks {
		faults = append(faults, configFault(ask(f, c.Load(), m.(T))))
	}
	return errors.Join(faults...)
}

// ask makes an error of a panic: the settings in force are as good as before.
func ask[T any](f func(old, new T) error, old, new T) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("OnChange panicked: %v", p)
		}
	}()
	return f(old, new)
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
				fault := fmt.Errorf("%s.%s: %s", config.ServiceKey, v.GetField(), v.GetDescription())
				faults = append(faults, config.Wrong(config.ServiceKey+"."+keyOf(v.GetField()), fault))
			}
		}
	}
	if faults == nil {
		return config.Wrong(config.ServiceKey, fmt.Errorf("%s: %w", config.ServiceKey, err))
	}
	return errors.Join(faults...)
}

// keyOf is the key of config.yaml that a path to a field leads to: labels.env of
// labels["env"].
func keyOf(field string) string {
	return strings.NewReplacer(`["`, ".", `"]`, "").Replace(field)
}

// loaded is one reading of all layers.
type loaded struct {
	settings *Settings
	message  proto.Message // nil without a section
	files    reload.Hash   // as they were just before
	origins  config.Origins
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
	l := &loaded{settings: s.settings(), files: src.Hash(), origins: config.Origins{}}
	src.Origins = l.origins
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
	err = errors.Join(err, l.settings.check(s.HTTP != nil), l.settings.Stop.within(s.Settings.Stop), s.checkStores(l.settings), s.checkCallees(l.settings))
	return l, l.origins.Locate(err)
}

func (s Service) envPrefix() string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(s.Name))
}
