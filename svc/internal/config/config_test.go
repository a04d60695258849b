package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/svc/internal/config"
)

// settings has a field of every kind that the runtime may use.
type settings struct {
	GRPC       port              `yaml:"grpc"`
	DrainDelay time.Duration     `yaml:"drain_delay"`
	Level      slog.Level        `yaml:"level"`
	Database   databaseSettings  `yaml:"database"`
	Callees    map[string]callee `yaml:"callees"`
	Ratio      float64           `yaml:"ratio"`
	Tracing    bool              `yaml:"tracing"`
	Hosts      []string          `yaml:"hosts"`
	Routes     []callee          `yaml:"routes"`
	Key        string            `yaml:"key" secret:"true"`
	Pin        int               `yaml:"pin" secret:"true"`
	Peer       string            `yaml:"peer"`
	Internal   string
}

type port struct {
	Port uint16 `yaml:"port"`
}

type databaseSettings struct {
	URL            string `yaml:"url" secret:"true"`
	MaxConnections int    `yaml:"max_connections"`
}

type callee struct {
	Target  string        `yaml:"target"`
	Timeout time.Duration `yaml:"timeout"`
}

func defaults() *settings {
	return &settings{
		GRPC:       port{9090},
		DrainDelay: 5 * time.Second,
		Callees:    map[string]callee{"user_service": {Target: "dns:///user", Timeout: time.Second}},
		Hosts:      []string{"default"},
		Internal:   "untouched",
	}
}

// in writes files below a new working directory, so that positions are short.
func in(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLayers(t *testing.T) {
	in(t, map[string]string{
		"config.yaml": `
# comments and empty sections are fine
grpc:
  # port: 1
drain_delay: 10s
level: debug
hosts: [a, b]
routes:
  - {target: x, timeout: 2s}
  - target: y
callees:
  user_service:
    timeout: 3s
service:
  name: from file
  max_items: 7
  prices: {gold: 1, silver: 2}
  countries: [de, at]
  disk: {path: /data, size: 5}
`,
		"config.prod.yaml": `
level: warn
service:
  name: from prod
  prices: {gold: 3}
  countries: [ch]
`,
	})
	s, m := defaults(), newConfig(t)
	err := config.Load(config.Source{
		Path:     "config.yaml",
		Env:      "prod",
		Prefix:   "ORDER",
		Defaults: "name: from defaults\ntotal: 9\nmax_items: 1\n",
		Environ: []string{
			"ORDER_GRPC_PORT=8080", "ORDER_HOSTS=c, d", "ORDER_CALLEES_USER_SERVICE_TARGET=dns:///other",
			"ORDER_SERVICE_NAME=from environment", "ORDER_SERVICE_PRICES_SILVER=4",
			"OTHER_SERVICE_NAME=x", "ORDERX=1",
		},
	}, s, m)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.GRPC.Port = 8080
	want.DrainDelay = 10 * time.Second
	want.Level = slog.LevelWarn
	want.Hosts = []string{"c", "d"}
	want.Routes = []callee{{"x", 2 * time.Second}, {Target: "y"}}
	want.Callees["user_service"] = callee{"dns:///other", 3 * time.Second}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("settings\n got %+v\nwant %+v", s, want)
	}
	expect(t, m, `name: "from environment" total: 9 max_items: 7 countries: "ch"
		prices {key: "gold" value: 3} prices {key: "silver" value: 4} disk {path: "/data" size: 5}`)
}

func TestMessageValues(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"max_items: -2147483648", "max_items: -2147483648"},
		{"total: 18446744073709551615", "total: 18446744073709551615"},
		{"ratio: 2", "ratio: 2"},
		{"share: 0.25", "share: 0.25"},
		{`name: "123"`, `name: "123"`},
		{"name: |\n  two\n  lines", `name: "two\nlines"`},
		{"strict: true", "strict: true"},
		{"salt: AQI=", `salt: "\001\002"`},
		{"mode: MODE_SAFE", "mode: MODE_SAFE"},
		{"timeout: 1m0.5s", "timeout {seconds: 60 nanos: 500000000}"},
		{"timeout: -1.5s", "timeout {seconds: -1 nanos: -500000000}"},
		{"timeout: 0", "timeout {}"},
		{"since: 2026-01-02T03:04:05.5+01:00", "since {seconds: 1767319445 nanos: 500000000}"},
		{`since: "1969-12-31T23:59:59.5Z"`, "since {seconds: -1 nanos: 500000000}"},
		{"limit: 3", "limit {value: 3}"},
		{"maybe: 0", "maybe: 0"},
		{"modes: [MODE_FAST, MODE_SAFE]", "modes: MODE_FAST modes: MODE_SAFE"},
		{"steps: [{name: a, wait: 1s}, {}]", "steps {name: 'a' wait {seconds: 1}} steps {}"},
		{"delays: [1s, 2s]", "delays {seconds: 1} delays {seconds: 2}"},
		{"by_id: {7: {name: a}, 8: {}}", "by_id {key: 7 value {name: 'a'}} by_id {key: 8 value {}}"},
		{"disk: {}", "disk {}"},
		{"disk:", ""},
		{"child: {child: {name: deep}}", "child {child {name: 'deep'}}"},
		{"", ""},
		{"# nothing", ""},
		{"{}", ""},
	} {
		m := newConfig(t)
		if err := config.Load(config.Source{Defaults: c.yaml}, nil, m); err != nil {
			t.Errorf("%s: %v", c.yaml, err)
			continue
		}
		expect(t, m, c.want)
	}
}

// TestGeneratedMessage: dynamic messages above, a generated one here.
func TestGeneratedMessage(t *testing.T) {
	m := &errdetails.RetryInfo{}
	err := config.Load(config.Source{Prefix: "X", Environ: []string{"X_SERVICE_RETRY_DELAY=3s"}}, nil, m)
	if err != nil || m.GetRetryDelay().AsDuration() != 3*time.Second {
		t.Errorf("got %v, %v", m, err)
	}
	if got := string(config.Dump(nil, m)); got != "service:\n  retry_delay: 3s\n" {
		t.Errorf("dump: %s", got)
	}
}

func TestFaultsOfFiles(t *testing.T) {
	for name, c := range map[string]struct {
		yaml string
		want []string
	}{
		"keys": {"gprc: {}\ngrpc: {port: 1, prt: 2}\ndatabase:\n  maxConnections: 3\nfoo: 1\nservice:\n  maxItems: 1\n  colour: red\n", []string{
			`config.yaml:1:1: unknown key "gprc" (did you mean "grpc")`,
			`config.yaml:2:17: unknown key "prt" (did you mean "port")`,
			`config.yaml:4:3: unknown key "maxConnections" (did you mean "max_connections")`,
			`config.yaml:5:1: unknown key "foo"`,
			`config.yaml:7:3: unknown key "maxItems" (did you mean "max_items")`,
			`config.yaml:8:3: unknown key "colour"`,
		}},
		"untagged field": {"Internal: x\ninternal: x\n", []string{
			`config.yaml:1:1: unknown key "Internal"`,
			`config.yaml:2:1: unknown key "internal"`,
		}},
		"near the key of the message": {"servce: {}\n", []string{`config.yaml:1:1: unknown key "servce" (did you mean "service")`}},
		"duplicates": {"level: info\ngrpc:\n  port: 1\n  port: 2\nlevel: warn\n", []string{
			`config.yaml:4:3: key "port" is given twice, first in line 3`,
			`config.yaml:5:1: key "level" is given twice, first in line 1`,
		}},
		"callees": {"callees: {user: {target: x}, user_service: {targt: x}}\n", []string{
			`config.yaml:1:11: unknown key "user"`,
			`config.yaml:1:45: unknown key "targt" (did you mean "target")`,
		}},
		"types": {`grpc: {port: http}
drain_delay: 5
level: loud
ratio: .inf
tracing: yes
hosts: a
routes: [x]
key: 5
pin: geheim
database: [1]
service:
  max_items: "1"
  total: -1
  name: 1.10
  strict: on
  salt: "?"
  mode: MODE_FATS
  timeout: 5 s
  since: 2026-01-02
  limit: 4294967296
  pin: geheim
  by_id: {x: {}}
  steps: [{wait: soon}, name]
  modes: [MODE_FAST, SLOW]
  child: {max_items: 3000000000}
  maybe:
  child_name: {}
  delays: [~]
`, []string{
			`config.yaml:1:14: grpc.port: want a whole number from 0 to 65535, got "http"`,
			`config.yaml:2:14: drain_delay: want a duration such as "5s", got 5`,
			`config.yaml:3:8: level: want a level: slog: level string "loud": unknown name, got "loud"`,
			`config.yaml:4:8: ratio: want a number, got .inf`,
			`config.yaml:5:10: tracing: want true or false, got "yes"`,
			`config.yaml:6:8: hosts: want a list, got a single value`,
			`config.yaml:7:10: routes[0]: want a mapping, got a single value`,
			`config.yaml:8:6: key: the value has a wrong type or form (not shown, it is a secret)`,
			`config.yaml:9:6: pin: the value has a wrong type or form (not shown, it is a secret)`,
			`config.yaml:10:11: database: want a mapping, got a list`,
			`config.yaml:12:14: service.max_items: want a whole number from -2147483648 to 2147483647, got "1"`,
			`config.yaml:13:10: service.total: want a whole number from 0 to 18446744073709551615, got -1`,
			`config.yaml:14:9: service.name: want a string (in quotes), got 1.10`,
			`config.yaml:15:11: service.strict: want true or false, got "on"`,
			`config.yaml:16:9: service.salt: want a string in base64, got "?"`,
			`config.yaml:17:9: service.mode: want a value of test.v1.Mode (did you mean "MODE_FAST"), got "MODE_FATS"`,
			`config.yaml:18:12: service.timeout: want a duration such as "5s", got "5 s"`,
			`config.yaml:19:10: service.since: want a time such as "2006-01-02T15:04:05Z", got "2026-01-02"`,
			`config.yaml:20:10: service.limit: want a whole number from 0 to 4294967295, got 4294967296`,
			`config.yaml:21:8: service.pin: the value has a wrong type or form (not shown, it is a secret)`,
			`config.yaml:22:11: key "x": want a whole number from -2147483648 to 2147483647`,
			`config.yaml:23:18: service.steps[0].wait: want a duration such as "5s", got "soon"`,
			`config.yaml:23:25: service.steps[1]: want a mapping, got a single value`,
			`config.yaml:24:22: service.modes[1]: want one of ["MODE_UNSPECIFIED" "MODE_FAST" "MODE_SAFE"], got "SLOW"`,
			`config.yaml:25:22: service.child.max_items: want a whole number from -2147483648 to 2147483647, got 3000000000`,
			`config.yaml:26:9: service.maybe: want a value, or no key at all to keep the default`,
			`config.yaml:27:15: service.child_name: want a single value, got a mapping`,
			`config.yaml:28:12: service.delays[0]: want a value, or no key at all to keep the default`,
		}},
		"booleans": {"tracing: \"true\"\nservice: {strict: True}\n", []string{
			`config.yaml:1:10: tracing: want true or false, got "true"`,
			`config.yaml:2:19: service.strict: want true or false, got True`,
		}},
		"oneof":      {"service:\n  disk: {size: 1}\n  bucket: b\n", []string{`config.yaml:3:3: keys "disk" and "bucket" exclude each other`}},
		"alias":      {"hosts: &h [a]\nroutes: *h\n", []string{`config.yaml:2:9: routes: aliases are not supported, write the value out`}},
		"recursive":  {"service: {child: &c {child: *c}}\n", []string{`config.yaml:1:29: service.child.child: aliases are not supported, write the value out`}},
		"merge key":  {"grpc: {<<: {port: 1}}\n", []string{`config.yaml:1:8: unknown key "<<"`}},
		"odd key":    {"[a]: 1\n", []string{`config.yaml:1:1: want a plain key, got a list`}},
		"no mapping": {"- a\n", []string{`config.yaml:1:1: want a mapping, got a list`}},
		"documents":  {"level: info\n---\nlevel: warn\n", []string{`config.yaml: want a single YAML document`}},
		"syntax":     {"level: info\n  grpc: 1\n", []string{`config.yaml:2: mapping values are not allowed in this context`}},
		"tab":        {"grpc:\n\tport: 1\n", []string{`config.yaml:2: found character that cannot start any token`}},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, map[string]string{"config.yaml": c.yaml})
			faults(t, config.Load(config.Source{Path: "config.yaml"}, defaults(), newConfig(t)), c.want)
		})
	}
}

func TestFaultsOfTheEnvironment(t *testing.T) {
	for name, c := range map[string]struct{ environ, want []string }{
		"values": {[]string{"ORDER_GRPC_PORT=http", "ORDER_DRAIN_DELAY=", "ORDER_SERVICE_PIN=geheim", "ORDER_SERVICE_MODES=MODE_FAST,FAST,SLOW"}, []string{
			`environment variable ORDER_DRAIN_DELAY: drain_delay: want a duration such as "5s", got ""`,
			`environment variable ORDER_GRPC_PORT: grpc.port: want a whole number from 0 to 65535, got "http"`,
			`environment variable ORDER_SERVICE_MODES: service.modes: want one of ["MODE_UNSPECIFIED" "MODE_FAST" "MODE_SAFE"], got "FAST"`,
			`environment variable ORDER_SERVICE_MODES: service.modes: want one of ["MODE_UNSPECIFIED" "MODE_FAST" "MODE_SAFE"], got "SLOW"`,
			`environment variable ORDER_SERVICE_PIN: service.pin: the value has a wrong type or form (not shown, it is a secret)`,
		}},
		"ambiguous": {[]string{"ORDER_SERVICE_CHILD_NAME=x"}, []string{
			`environment variable ORDER_SERVICE_CHILD_NAME: fits both service.child.name and service.child_name`,
		}},
		"for files alone": {[]string{"ORDER_ROUTES=x", "ORDER_SERVICE_STEPS=x", "ORDER_SERVICE_PRICES=x"}, []string{
			`environment variable ORDER_ROUTES: routes: a file can set this, a variable cannot`,
			`environment variable ORDER_SERVICE_PRICES: service.prices: a file can set this, a variable cannot`,
			`environment variable ORDER_SERVICE_STEPS: service.steps: a file can set this, a variable cannot`,
		}},
		"oneof": {[]string{"ORDER_SERVICE_BUCKET=b", "ORDER_SERVICE_DISK_PATH=p", "ORDER_SERVICE_DISK_SIZE=1"}, []string{
			`environment variable ORDER_SERVICE_DISK_PATH: service.bucket and service.disk.path exclude each other`,
			`environment variable ORDER_SERVICE_DISK_SIZE: service.bucket and service.disk.size exclude each other`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			src := config.Source{Prefix: "ORDER", Environ: c.environ}
			faults(t, config.Load(src, defaults(), newConfig(t)), c.want)
		})
	}
}

func faults(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if got := strings.Split(err.Error(), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// TestEnvironment: what is set, and what Kubernetes puts there that fits nothing.
func TestEnvironment(t *testing.T) {
	s, m := defaults(), newConfig(t)
	err := config.Load(config.Source{Prefix: "ORDER", Environ: []string{
		"ORDER_PORT=tcp://10.0.0.1:80", "ORDER_SERVICE_HOST=10.0.0.1", "ORDER_PORT_80_TCP=tcp://10.0.0.1:80",
		"ORDER_GRPC=1", "ORDER_CALLEES_PAYMENT_TARGET=x", "ORDER_SERVICE_CHILD=x",
		"ORDER_HOSTS=", "ORDER_TRACING=true", "ORDER_LEVEL=error", "ORDER_RATIO=0.5",
		"ORDER_SERVICE_NAME=first", "ORDER_SERVICE_NAME=a=b", "ORDER_SERVICE_MAX_ITEMS=5", "ORDER_SERVICE_TIMEOUT=5s",
		"ORDER_SERVICE_DISK_PATH=p", "ORDER_SERVICE_DISK_SIZE=1", "ORDER_SERVICE_CHILD_CHILD_MAX_ITEMS=6",
		"ORDER_SERVICE_COUNTRIES=de,at",
	}}, s, m)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Hosts, want.Tracing, want.Level, want.Ratio = nil, true, slog.LevelError, 0.5
	if !reflect.DeepEqual(s, want) {
		t.Errorf("settings\n got %+v\nwant %+v", s, want)
	}
	expect(t, m, `name: "a=b" max_items: 5 timeout {seconds: 5} disk {path: "p" size: 1}
		child {child {max_items: 6}} countries: ["de", "at"]`)
}

// TestOneofAcrossLayers: a later layer takes the place of an earlier one.
func TestOneofAcrossLayers(t *testing.T) {
	in(t, map[string]string{"config.yaml": "service: {disk: {size: 1}}\n"})
	m := newConfig(t)
	err := config.Load(config.Source{Path: "config.yaml", Prefix: "A", Environ: []string{"A_SERVICE_BUCKET=b"}}, nil, m)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, m, "bucket: 'b'")
}

// TestDefaultsAreNotShared: loading must not write into what the caller keeps.
func TestDefaultsAreNotShared(t *testing.T) {
	shared := []string{"default"}
	s := &settings{Hosts: shared}
	if err := config.Load(config.Source{Prefix: "A", Environ: []string{"A_HOSTS=x"}}, s, nil); err != nil {
		t.Fatal(err)
	}
	if shared[0] != "default" || s.Hosts[0] != "x" {
		t.Errorf("shared = %v, loaded = %v", shared, s.Hosts)
	}
}

func TestMissingFiles(t *testing.T) {
	in(t, map[string]string{"config.yaml": "foo: 1\n"})
	err := config.Load(config.Source{Path: "config.yaml", Env: "prod"}, defaults(), nil)
	faults(t, err, []string{
		`config.yaml:1:1: unknown key "foo"`,
		`config.prod.yaml: no such file or directory`,
	})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("fs.ErrNotExist is not to be found in the error")
	}
}

// TestFolder: the file of an environment lies beside the first.
func TestFolder(t *testing.T) {
	in(t, nil)
	path := filepath.Join("etc", "order.yaml")
	faults(t, config.Load(config.Source{Path: path, Env: "prod"}, nil, nil), []string{
		`etc/order.yaml: no such file or directory`,
		`etc/order.prod.yaml: no such file or directory`,
	})
}

func TestServiceWithoutMessage(t *testing.T) {
	in(t, map[string]string{"config.yaml": "service: {}\n"})
	faults(t, config.Load(config.Source{Path: "config.yaml"}, defaults(), nil), []string{`config.yaml:1:1: unknown key "service"`})
}

func TestUnsupportedField(t *testing.T) {
	s := &struct {
		C chan int `yaml:"c"`
	}{}
	err := config.Load(config.Source{Prefix: "A", Environ: []string{"A_C=1"}}, s, nil)
	faults(t, err, []string{`environment variable A_C: c: want no value: a Go chan int cannot be configured, got "1"`})
}

func TestValue(t *testing.T) {
	var v config.Value[proto.Message]
	if v.Load() != nil {
		t.Error("the zero Value is not empty")
	}
	m := newConfig(t)
	v.Store(m)
	if v.Load() != m {
		t.Error("Load does not return what was stored")
	}
}

func ExampleLoad() {
	type settings struct {
		GRPC struct {
			Port uint16 `yaml:"port"`
		} `yaml:"grpc"`
		DrainDelay time.Duration `yaml:"drain_delay"`
	}
	var s settings
	s.GRPC.Port, s.DrainDelay = 9090, 5*time.Second
	err := config.Load(config.Source{
		Prefix:  "ORDER",
		Environ: []string{"ORDER_GRPC_PORT=8080"},
	}, &s, nil)
	fmt.Println(err)
	fmt.Printf("%s", config.Dump(&s, nil))
	// Output:
	// <nil>
	// grpc:
	//   port: 8080
	// drain_delay: 5s
}
