package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"sigs.k8s.io/yaml"

	"github.com/protosvc/protosvc/internal/testservice"
	"github.com/protosvc/protosvc/svc"
)

// adapterRule is a rule of prometheus-adapter, as far as ours have one.
type adapterRule struct {
	SeriesQuery string `json:"seriesQuery"`
	Resources   struct {
		Overrides map[string]struct {
			Resource string `json:"resource"`
		} `json:"overrides"`
	} `json:"resources"`
	MetricsQuery string `json:"metricsQuery"`
}

// TestAdapterRule: the rule in the README is about series that the service has, and
// asks for one number of each pod.
func TestAdapterRule(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(deploy, "order", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(rules:.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("there is no rule")
	}
	var file struct {
		Rules []adapterRule `json:"rules"`
	}
	if err := yaml.UnmarshalStrict(block[1], &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Rules) != 1 {
		t.Fatalf("there are %d rules", len(file.Rules))
	}
	rule := file.Rules[0]
	if rule.SeriesQuery != inFlight+`{namespace!="",pod!=""}` {
		t.Errorf("it finds %s", rule.SeriesQuery)
	}
	for _, label := range []string{"namespace", "pod"} {
		if got := rule.Resources.Overrides[label].Resource; got != label {
			t.Errorf("label %s is resource %q", label, got)
		}
	}
	const want = `sum by (pod) (avg_over_time(grpc_server_in_flight{grpc_type="unary",namespace="shop",pod=~"order-1|order-2"}[1m]))`
	if got := query(t, rule); got != want {
		t.Errorf("it asks\n%s\nwant\n%s", got, want)
	}

	at := testservice.Start(t, flagship["order"], svc.Options{})
	series, err := read("http://" + at.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?m)^`+inFlight+`\{.*grpc_type="unary".*\} 0$`).FindAllString(series, -1); len(found) < 2 {
		t.Errorf("the service has %q, and there is nothing to sum", found)
	}
}

// query fills the form of a rule as the adapter does for two pods.
func query(t *testing.T, rule adapterRule) string {
	t.Helper()
	form, err := template.New("").Delims("<<", ">>").Parse(rule.MetricsQuery)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := form.Execute(&text, map[string]string{
		"Series": inFlight, "GroupBy": "pod", "LabelMatchers": `namespace="shop",pod=~"order-1|order-2"`,
	}); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
