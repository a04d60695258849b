package config_test

import (
	"strings"
	"testing"

	"github.com/protosvc/protosvc/svc/internal/config"
)

// canary is what must not come out.
const canary = "hunter2"

// TestSecretsStayInside puts a secret into every place where it can stand, rightly or
// by mistake, and looks for it in the faults and in the dump.
func TestSecretsStayInside(t *testing.T) {
	for _, shape := range []string{
		// values of the wrong form, and of the right one
		"service: {token: hunter2}", "service: {token: 'hunter2", "service: {pin: hunter2}", "service: {token: !hunter2 1}",
		"service: {token: *hunter2 }", "service:\n  token: *hunter2\n", "service: {token: &hunter2 }", "service: {token: &hunter2 x}",
		"service:\n  token: &hunter2 [*hunter2]\n", "x: &a hunter2\nservice: {token: *a}", "service: {token: [hunter2]}", "service: {token: {hunter2: hunter2}}",
		"service: {secrets: hunter2}", "service: {secrets: [hunter2]}", "service: {secrets: [[hunter2]]}", "service: {secrets: {hunter2: 1}}",
		"service: {tokens: hunter2}", "service: {tokens: [hunter2]}", "service: {tokens: {hunter2: 1}}", "service: {tokens: {a: hunter2}}",
		"service: {tokens: {hunter2: hunter2}}", "service: {tokens: {hunter2: 1, hunter2: 2}}", "service: {tokens: {[hunter2]: 1}}",
		"service: {login: 'root:hunter2'}", "service: {login: [hunter2]}", "service: {login: {path: hunter2}}", "service: {login: {path: [hunter2]}}",
		"service: {login: {size: hunter2}}", "service: {login: {hunter2}}", "service: {login: {hunter2: 1, hunter2: 2}}", "service: {login: {path: x, size: {hunter2: 1}}}",
		"service: {logins: hunter2}", "service: {logins: [hunter2]}", "service: {logins: [{path: hunter2}]}", "service: {logins: [{hunter2: 1}]}",
		"service: hunter2", "service: [hunter2]", "service: {child: hunter2}", "service: {child: {token: [hunter2]}}",
		// secrets of the runtime, and passwords of URLs wherever they are
		"key: hunter2", "key: [hunter2]", "key: {hunter2: 1}", "pin: hunter2",
		"database: hunter2", "database: 'postgres://u:hunter2@h/d'", "database: [hunter2]", "database: {'postgres://u:hunter2@h/d'}",
		"database: {url: 'postgres://u:hunter2@h/d'}", "database: {url: 'host=db password=hunter2'}", "database: {url: 'postgres://u:hunter2%zz@h/d'}",
		"database: {url: 'postgres://u:hunter2@a:1,b:2/d'}", "database: {url: 'postgres://u@h/d?password=hunter2'}", "database: {url: ['hunter2']}",
		"peer: 'http://u:hunter2@h'", "peer: 'http://u:hunter2%zz@h'", "peer: 'http://u:hunter2@/x'", "peer: 'http://u:a/hunter2@h'", "peer: 'password = hunter2'",
		"peer: ['http://u:hunter2@h']", "hosts: ['http://u:hunter2@h']", "hosts: 'http://u:hunter2@h'", "level: 'http://u:hunter2@h'", "drain_delay: 'http://u:hunter2@h'",
		"grpc: {port: 'http://u:hunter2@h'}", "callees: {user_service: 'http://u:hunter2@h'}", "callees: {'http://u:hunter2@h': 1}", "'http://u:hunter2@h': 1", "'http://u:hunter2@h'",
		"service: {name: 'http://u:hunter2@h'}", "service: {mode: 'http://u:hunter2@h'}", "service: {prices: {'http://u:hunter2@h': 1}}",
		"service: {prices: {a: 'http://u:hunter2@h'}}", "service: {countries: ['http://u:hunter2@h']}",
	} {
		in(t, map[string]string{"config.yaml": shape + "\n"})
		hides(t, shape, config.Source{Path: "config.yaml"})
	}
	for _, variable := range []string{
		"SERVICE_TOKEN", "SERVICE_PIN", "SERVICE_SECRETS", "SERVICE_LOGIN_PATH", "SERVICE_LOGIN_SIZE", "KEY", "PIN", "DATABASE_URL",
	} {
		hides(t, variable, config.Source{Prefix: "X", Environ: []string{"X_" + variable + "=" + canary}})
	}
	for _, variable := range []string{"LEVEL", "HOSTS", "PEER", "GRPC_PORT", "SERVICE_NAME", "SERVICE_MODE", "SERVICE_SALT"} {
		hides(t, variable, config.Source{Prefix: "X", Environ: []string{"X_" + variable + "=http://u:" + canary + "@h"}})
	}
}

// hides looks at the faults of a source, or at the dump where there are none.
func hides(t *testing.T, name string, src config.Source) {
	t.Helper()
	s, m := defaults(), newConfig(t)
	shown := ""
	if err := config.Load(src, s, m); err != nil {
		shown = err.Error()
	} else {
		shown = string(config.Dump(s, m))
	}
	if strings.Contains(shown, canary) || shown == "" {
		t.Errorf("%s\n=> %s", name, shown)
	}
}
