package tracing

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// environment is what the OTEL_* variables say, as far as the SDK does not
// read them itself.
type environment struct {
	disabled bool // OTEL_SDK_DISABLED
	sampler  bool // OTEL_TRACES_SAMPLER is set, and the SDK knows it
	export   bool // there is an endpoint, and exporting is not turned off
}

// rule says which values a variable may have. Unset and empty are always allowed.
type rule struct {
	name   string
	values []string
}

// rules hold the variables that choose among a few values. The SDK would log a
// value that it does not know and then do something else, for example record
// everything; here it is an error at start.
func rules() []rule {
	return []rule{
		{"OTEL_TRACES_SAMPLER", []string{
			"always_on", "always_off", "traceidratio",
			"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
		}},
		{"OTEL_TRACES_EXPORTER", []string{"otlp", "none"}},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", []string{"grpc"}},
		{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", []string{"grpc"}},
		{"OTEL_EXPORTER_OTLP_COMPRESSION", []string{"gzip", "none"}},
		{"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", []string{"gzip", "none"}},
		{"OTEL_EXPORTER_OTLP_INSECURE", []string{"true", "false"}},
		{"OTEL_EXPORTER_OTLP_TRACES_INSECURE", []string{"true", "false"}},
	}
}

func readEnvironment() (environment, error) {
	env := environment{disabled: variable("OTEL_SDK_DISABLED") == "true"}
	if env.disabled {
		return env, nil
	}
	for _, r := range rules() {
		if value := variable(r.name); value != "" && !slices.Contains(r.values, value) {
			return env, fmt.Errorf("%s: %q is not supported (want %s)", r.name, value, strings.Join(r.values, ", "))
		}
	}
	env.sampler = variable("OTEL_TRACES_SAMPLER") != ""
	env.export = otlp("ENDPOINT").value != "" && variable("OTEL_TRACES_EXPORTER") != "none"
	return env, nil
}

// variable returns the value of a variable without regard to case, as
// OpenTelemetry defines its variables.
func variable(name string) string {
	return strings.ToLower(strings.TrimSpace(os.Getenv(name)))
}
