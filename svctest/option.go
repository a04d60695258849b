package svctest

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/protosvc/protosvc/svc"
)

// Option says how a service runs. A running [Service] is one too: it makes the new
// one call it, where their contracts say so.
type Option interface {
	apply(testing.TB, *options)
}

type option func(testing.TB, *options)

func (f option) apply(t testing.TB, o *options) { t.Helper(); f(t, o) }

// Fake runs a service that is called in front of a handler, which is all that is not
// real: Fake(userv1svc.UserService)(users). The function that makes the service
// comes first, since it is what says what a handler must have.
func Fake[D, H any](service func(func(D) (H, error), fs.FS) svc.Service) func(handler H) Option {
	return func(handler H) Option {
		return option(func(t testing.TB, o *options) {
			t.Helper()
			fake := service(func(D) (H, error) { return handler, nil }, nil)
			start(t, fake, newFakeOptions(fake)).apply(t, o)
		})
	}
}

// FakeHTTP answers the requests to an external service of (svc.v1.service).http_callees.
func FakeHTTP(name string, handler http.Handler) Option {
	return option(func(t testing.TB, o *options) {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		o.urls[name] = server.URL
	})
}

// NoDatabase is for the generated function of a service without a database, which
// takes no migrations: Fake(NoDatabase(mailv1svc.MailService))(fakeMail{}).
func NoDatabase[F any](service func(F) svc.Service) func(F, fs.FS) svc.Service {
	return func(newHandler F, _ fs.FS) svc.Service { return service(newHandler) }
}

// Config is YAML as in config.yaml: "service: {page_size: 3}". It can be given once.
// What it says of a database or of the target of a callee needs no other option.
func Config(yaml string) Option {
	return option(func(t testing.TB, o *options) {
		t.Helper()
		if o.config != "" {
			t.Fatalf("svctest: Config is given twice")
		}
		o.config = yaml
	})
}

// IgnoreGoroutine lets a service leave goroutines that are in the function at the end,
// such as "example.com/pool.(*Pool).reap": those of libraries that cannot be stopped.
func IgnoreGoroutine(function string) Option {
	return option(func(_ testing.TB, o *options) { o.ignored = append(o.ignored, function) })
}

func (s *Service) apply(t testing.TB, o *options) { o.targets[s.service.FullName] = s.Target }

// options are what a service is run with.
type options struct {
	config   string
	ignored  []string
	database string            // URL; empty: none
	targets  map[string]string // of callees, by full name
	urls     map[string]string // of callees over HTTP, by name
}

// newOptions applies the options and checks that the service has all that it needs.
func newOptions(t testing.TB, s svc.Service, opts []Option) *options {
	t.Helper()
	o := &options{targets: map[string]string{}, urls: map[string]string{}}
	for _, opt := range opts {
		opt.apply(t, o)
	}
	configured := parse(t, o.config)
	o.checkCallees(t, s, configured)
	if s.Settings.Database != nil {
		o.database = configured.Database.URL
		if o.database == "" {
			o.database = newDatabase(t, s.Name)
		}
	}
	return o
}

// nowhere is the target of what a fake does not call.
const nowhere = "passthrough:///a fake makes no calls"

// newFakeOptions are for a service whose handler is a fake: it has a database and
// callees if its contract says so, but does not use them.
func newFakeOptions(s svc.Service) *options {
	o := &options{targets: map[string]string{}}
	for _, c := range s.Callees {
		o.targets[c.Spec.Service] = nowhere
		c.GatesReadiness = false
	}
	if s.Settings.Database != nil {
		o.database = "sqlite::memory:"
	}
	return o
}

// configured is what Config can say in place of another option.
type configured struct {
	Database struct {
		URL string `yaml:"url"`
	} `yaml:"database"`
	Callees map[string]struct {
		Target string `yaml:"target"`
	} `yaml:"callees"`
	HTTPCallees map[string]struct {
		URL string `yaml:"url"`
	} `yaml:"http_callees"`
}

func parse(t testing.TB, config string) (c configured) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(config), &c); err != nil {
		t.Fatalf("svctest: Config: %v", err)
	}
	return c
}

// checkCallees holds what is faked, running or configured against what is called. A
// call to what the contract names would else go to production's address.
func (o *options) checkCallees(t testing.TB, s svc.Service, c configured) {
	t.Helper()
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	unused, unusedURLs := maps.Clone(o.targets), maps.Clone(o.urls)
	for _, callee := range s.Callees {
		name := callee.Spec.Service
		if o.targets[name] == "" && c.Callees[callee.Key].Target == "" {
			fault("it calls %s, which is not faked: add Fake(….%s)(handler), or the Service that Start returned for it", name, name[strings.LastIndex(name, ".")+1:])
		}
		delete(unused, name)
	}
	for _, callee := range s.HTTPCallees {
		if o.urls[callee.Name] == "" && c.HTTPCallees[callee.Name].URL == "" {
			fault("it calls %s over HTTP, which is not faked: add FakeHTTP(%q, handler)", callee.Name, callee.Name)
		}
		delete(unusedURLs, callee.Name)
	}
	for name := range unused {
		fault("it does not call %s: remove its fake", name)
	}
	for name := range unusedURLs {
		fault("it does not call %s over HTTP: remove its fake", name)
	}
	if faults != nil {
		t.Fatalf("svctest: %s cannot start:\n%s", s.Name, strings.Join(faults, "\n"))
	}
}

// adapt returns the service with the settings of a test as its defaults, and changes
// nothing in what it gets.
func (o *options) adapt(s svc.Service) svc.Service {
	s.Settings.Listen = svc.Listen{GRPC: loopback, Admin: loopback, Reflection: s.Settings.Listen.Reflection}
	if s.HTTP != nil {
		s.Settings.Listen.HTTP = loopback
	}
	s.Settings.Stop.DrainDelay = 0
	s.Settings.Tracing.SampleRatio = 1
	s.AwaitMigrations = false // nobody else applies them
	if s.Settings.Database != nil {
		database := *s.Settings.Database
		database.URL = o.database
		s.Settings.Database = &database
	}
	s.Callees = replace(s.Callees, func(c *svc.Callee) { overwrite(&c.Spec.Target, o.targets[c.Spec.Service]) })
	s.HTTPCallees = replace(s.HTTPCallees, func(c *svc.HTTPCallee) { overwrite(&c.URL, o.urls[c.Name]) })
	return s
}

const loopback = "127.0.0.1:0"

// replace returns changed copies.
func replace[T any](all []*T, change func(*T)) []*T {
	var changed []*T
	for _, one := range all {
		dup := *one
		change(&dup)
		changed = append(changed, &dup)
	}
	return changed
}

func overwrite(to *string, value string) {
	if value != "" {
		*to = value
	}
}
