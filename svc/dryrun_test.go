package svc

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/durationpb"
)

// A dry run says what a reload would, of the file or of what is sent, with every fault
// and its place, and changes nothing.
func TestDryRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "service: {seconds: 7}\n")
	s := greeter(t, hello)
	r := start(t, s, Options{Config: path})
	for _, test := range []struct {
		name, text string
		code       int
		want       []string // parts of the answer, spaces left out
	}{
		{"the file", "", 200, []string{`"outcome":"valid"`, `"generation":1`}},
		{"another", "service: {seconds: 9}\n", 200, []string{`"outcome":"valid"`}},
		{"two unknown keys", "gprc: 1\nservice:\n  secs: 1\n", 422, []string{
			`"outcome":"refused"`,
			`"line":1,"column":1,"message":"unknown key \"gprc\"`,
			`"line":3,"column":3,"message":"unknown key \"secs\"`,
		}},
		{"no YAML", "a: 1\nb: c: d\n", 422, []string{`"line":2,"message":"mapping values are not allowed`}},
		{"a broken rule", "service: {seconds: -1}\n", 422, []string{`"line":1,"column":20,"message":"service.seconds: must be greater than 0"}`}},
		{"for a restart", "stop: {budget: 4s}\nlimits: {concurrency: 7}\nlisten:\n  reflection: true\n", 422, []string{
			`"line":1,"column":16,"restart":true,"message":"stop.budget: cannot change while the service runs`,
			`"line":4,"column":15,"restart":true,"message":"listen.reflection: cannot change while the service runs`,
		}},
		{"what makes no sense", "limits: {concurrency: 0}\nlisten:\n  grpc: x\n", 422, []string{
			`"line":1,"column":23,"message":"limits.concurrency 0 is not above zero"`,
			`"line":3,"column":9,"message":"listen.grpc is not an address`,
		}},
	} {
		code, answer := r.admin(t, http.MethodPost, "/config/reload?dry_run=1", test.text)
		answer = strings.NewReplacer("\n", "", "  ", "", `": `, `":`).Replace(answer)
		if code != test.code {
			t.Errorf("%s: %d %s", test.name, code, answer)
		}
		for _, part := range test.want {
			if !strings.Contains(answer, part) {
				t.Errorf("%s: no %s in %s", test.name, part, answer)
			}
		}
		if got := s.Config.(*Config[*durationpb.Duration]).Load().GetSeconds(); got != 7 {
			t.Errorf("%s: %d seconds are in force, want 7", test.name, got)
		}
		if _, dump := r.admin(t, "GET", "/config"); !strings.HasPrefix(dump, "# Generation 1,") || strings.Contains(dump, "refused") {
			t.Errorf("%s: /config is\n%s", test.name, dump)
		}
	}
}
