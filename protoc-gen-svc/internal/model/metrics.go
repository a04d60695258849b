package model

import (
	"math"
	"regexp"
	"slices"
	"strings"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

var (
	metricName = regexp.MustCompile(`^[a-z][a-z0-9_]*[a-z0-9]$`)
	labelName  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	labelValue = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)

	metricTypes = map[svcv1.MetricType]MetricType{
		svcv1.MetricType_METRIC_TYPE_COUNTER:   "Counter",
		svcv1.MetricType_METRIC_TYPE_GAUGE:     "Gauge",
		svcv1.MetricType_METRIC_TYPE_HISTOGRAM: "Histogram",
	}

	// reservedMetrics are the prefixes of the series that every service has, and
	// reservedLabels the labels that Prometheus or the platform sets.
	reservedMetrics = []string{"grpc_", "go_", "process_", "promhttp_", "build_info", "svc_"}
	reservedLabels  = []string{"le", "quantile", "job", "instance", "namespace", "pod", "service", "endpoint", "container", "node", "system", "team", "version"}
)

func (b *builder) metrics(s *Service, o *svcv1.Service) []*Metric {
	var out []*Metric
	goNames := map[string]string{}
	for i, m := range o.GetMetrics() {
		at := s.origin().at("metrics", i)
		metric := &Metric{
			Name:    m.GetName(),
			GoName:  camel(m.GetName()),
			Field:   unexported(m.GetName()),
			Type:    metricTypes[m.GetType()],
			Help:    m.GetHelp(),
			Labels:  b.labels(at, m),
			Buckets: m.GetBuckets(),
		}
		b.checkMetric(at, metric)
		if first, taken := goNames[metric.GoName]; metric.Name == "" {
			// That it is missing is all there is to say.
		} else if taken && first == metric.Name {
			b.fault(at.in("name"), metricTwice, metric.Name)
		} else if taken {
			b.fault(at.in("name"), metricOneName, metric.Name, first)
		}
		goNames[metric.GoName] = metric.Name
		out = append(out, metric)
	}
	return out
}

func (b *builder) checkMetric(at Origin, m *Metric) {
	counts := strings.HasSuffix(m.Name, "_total")
	switch {
	case !metricName.MatchString(m.Name):
		b.fault(at.in("name"), metricForm, m.Name, "orders_created_total")
	case slices.ContainsFunc(reservedMetrics, func(p string) bool { return strings.HasPrefix(m.Name, p) }):
		b.fault(at.in("name"), metricPrefix, m.Name)
	}
	switch {
	case m.Name == "" || m.Type == "":
	case m.Type == "Counter" && !counts:
		b.fault(at.in("name"), counterSuffix, m.Name, "_total")
	case m.Type != "Counter" && counts:
		b.fault(at.in("name"), notCounterSuffix, m.Name, "_total")
	}
	if base, unit := baseUnit(m.Name); base != "" {
		b.fault(at.in("name"), metricUnit, m.Name, unit, base)
	}
	if m.Type == "" {
		b.fault(at.in("type"), metricType)
	}
	if m.Help == "" {
		b.fault(at.in("help"), metricHelp, m.Name)
	}
	b.checkBuckets(at.in("buckets"), m)
}

func (b *builder) checkBuckets(at Origin, m *Metric) {
	if len(m.Buckets) > 0 && m.Type != "" && m.Type != "Histogram" {
		b.fault(at, bucketsUnused)
	}
	finite := slices.DeleteFunc(slices.Clone(m.Buckets), func(b float64) bool { return math.IsNaN(b) || math.IsInf(b, 0) })
	if len(finite) < len(m.Buckets) {
		b.fault(at, bucketsFinite)
	}
	if !slices.IsSorted(finite) || len(slices.Compact(slices.Clone(finite))) < len(finite) {
		b.fault(at, bucketsAscending)
	}
}

// baseUnits are the units that Prometheus has metrics in, by those that it has not.
var baseUnits = map[string]string{
	"ns": "seconds", "nanos": "seconds", "nanoseconds": "seconds",
	"us": "seconds", "micros": "seconds", "microseconds": "seconds",
	"ms": "seconds", "millis": "seconds", "milliseconds": "seconds",
	"minutes": "seconds", "hours": "seconds", "days": "seconds",
	"kb": "bytes", "kib": "bytes", "kilobytes": "bytes",
	"mb": "bytes", "mib": "bytes", "megabytes": "bytes",
	"gb": "bytes", "gib": "bytes", "gigabytes": "bytes",
	"percent": "ratio",
}

// baseUnit is what a metric whose name ends in a unit that is not a base unit
// should be called, and that unit; both are empty for all others.
func baseUnit(name string) (base, unit string) {
	stem, isTotal := strings.CutSuffix(name, "_total")
	before, unit, _ := cutLast(stem, "_")
	if baseUnits[unit] == "" || before == "" {
		return "", ""
	}
	base = before + "_" + baseUnits[unit]
	if isTotal {
		base += "_total"
	}
	return base, unit
}

// cutLast is strings.Cut at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func (b *builder) labels(at Origin, m *svcv1.Metric) []Label {
	var out []Label
	params := map[string]string{}
	for i, l := range m.GetLabels() {
		at := at.at("labels", i)
		label := Label{Name: l.GetName(), Param: unexported(l.GetName()), Values: l.GetValues()}
		switch {
		case !labelName.MatchString(label.Name):
			b.fault(at.in("name"), labelForm, label.Name, "channel")
		case slices.Contains(reservedLabels, label.Name):
			b.fault(at.in("name"), labelReserved, label.Name)
		}
		if params[label.Param] != "" {
			b.fault(at.in("name"), labelOneName, label.Name, params[label.Param])
		}
		b.checkLabelValues(at.in("values"), label)
		params[label.Param] = label.Name
		if label.Param == "m" { // the receiver of the generated handle
			label.Param = "m_"
		}
		out = append(out, label)
	}
	return out
}

func (b *builder) checkLabelValues(at Origin, l Label) {
	if len(l.Values) == 0 {
		b.fault(at, labelUnbounded, l.Name)
	}
	if slices.Contains(l.Values, "") {
		b.fault(at, labelEmptyValue, l.Name)
	}
	if len(sorted(l.Values)) < len(l.Values) {
		b.fault(at, labelValueTwice, l.Name)
	}
}
