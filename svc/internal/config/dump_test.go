package config_test

import (
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/svc/internal/config"
)

// full sets everything that a dump can bring back.
const full = `
max_items: -30
total: 18446744073709551615
ratio: 1e+100
share: 0.1
name: "yes"
strict: true
salt: AQI=
mode: MODE_FAST
timeout: 1m30.5s
since: "2026-01-02T03:04:05.5Z"
limit: 0
maybe: 0
countries: ["no", "1.10", "", "two\nlines", "~", "2026-01-02"]
modes: [MODE_SAFE, MODE_FAST]
steps: [{name: a, wait: 1s}, {}]
prices: {"7": 1, a b: 2}
by_id: {7: {name: x}}
disk: {path: "a: b # c"}
child: {child: {name: deep}}
delays: [1s, 2s]
`

func TestDumpLoads(t *testing.T) {
	s, m := defaults(), newConfig(t)
	s.Level, s.Routes, s.Peer = slog.LevelWarn+1, []callee{{"x", time.Minute}, {}}, "dns:///user-headless:9090"
	if err := config.Load(config.Source{Defaults: full}, nil, m); err != nil {
		t.Fatal(err)
	}
	dumped := string(config.Dump(s, m))
	in(t, map[string]string{"config.yaml": dumped})
	again, back := defaults(), m.ProtoReflect().New().Interface()
	if err := config.Load(config.Source{Path: "config.yaml"}, again, back); err != nil {
		t.Fatalf("%v in\n%s", err, dumped)
	}
	if !reflect.DeepEqual(s, again) || !proto.Equal(m, back) {
		t.Errorf("got\n%+v\n%v\nwant\n%+v\n%v\nfrom\n%s", again, back, s, m, dumped)
	}
}

func TestDumpHidesSecrets(t *testing.T) {
	s, m := defaults(), newConfig(t)
	s.Key, s.Pin = "geheim", 1234
	s.Peer = "https://u:geheim@peer/x?b=1&password=geheim&a=2"
	s.Database.URL = "postgres://order:ge%40heim@db:5432/order?sslmode=disable&sslpassword=geheim"
	const secrets = "token: https://hooks.example/geheim\npin: 1234\nsecrets: [geheim, https://geheim.example]\n"
	if err := config.Load(config.Source{Defaults: secrets}, nil, m); err != nil {
		t.Fatal(err)
	}
	dumped := string(config.Dump(s, m))
	for _, secret := range []string{"geheim", "1234", "heim"} {
		if strings.Contains(dumped, secret) {
			t.Errorf("%q is in\n%s", secret, dumped)
		}
	}
	for _, want := range []string{
		"\nkey: '***'\n", "\npin: '***'\n",
		"\n  url: postgres://order:***@db:5432/order?sslmode=disable&sslpassword=***\n",
		"\npeer: https://u:***@peer/x?b=1&password=***&a=2\n",
		"\n  token: '***'\n", "\n  pin: '***'\n", "\n  secrets:\n    - '***'\n    - '***'\n",
	} {
		if !strings.Contains(dumped, want) {
			t.Errorf("%q is not in\n%s", want, dumped)
		}
	}
}

func TestDumpShowsWhatIsNoSecret(t *testing.T) {
	s := defaults()
	s.Database.URL = "postgres://order@db/order"
	dumped := string(config.Dump(s, newConfig(t)))
	for _, want := range []string{"\nkey: \"\"\n", "\n  url: postgres://order@db/order\n", "\n  token: \"\"\n", "\n  max_items: 0\n"} {
		if !strings.Contains(dumped, want) {
			t.Errorf("%q is not in\n%s", want, dumped)
		}
	}
	for _, absent := range []string{"maybe", "timeout: 0s", "disk", "bucket", "Internal"} {
		if strings.Contains(dumped, "  "+absent) {
			t.Errorf("%q is in\n%s", absent, dumped)
		}
	}
}
