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
	reservedMetrics = []string{"grpc_", "go_", "process_", "promhttp_", "build_info"}
	reservedLabels  = []string{"le", "quantile", "job", "instance", "namespace", "pod", "service", "endpoint", "container", "team", "version"}
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
		if first, taken := goNames[metric.GoName]; taken && first == metric.Name {
			b.faultf(at.in("name"), "%q is declared twice", metric.Name)
		} else if taken {
			b.faultf(at.in("name"), "%q and %q are one name in Go", metric.Name, first)
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
		b.faultf(at.in("name"), "%q is not the name of a metric in snake case (want for example %q)", m.Name, "orders_created_total")
	case slices.ContainsFunc(reservedMetrics, func(p string) bool { return strings.HasPrefix(m.Name, p) }):
		b.faultf(at.in("name"), "%q has a prefix of the runtime's own metrics", m.Name)
	case m.Type == "Counter" && !counts:
		b.faultf(at.in("name"), "%q is a counter and does not end in %q", m.Name, "_total")
	case m.Type != "Counter" && m.Type != "" && counts:
		b.faultf(at.in("name"), "%q is not a counter and ends in %q", m.Name, "_total")
	}
	if m.Type == "" {
		b.faultf(at.in("type"), "is missing or unknown (want METRIC_TYPE_COUNTER, METRIC_TYPE_GAUGE or METRIC_TYPE_HISTOGRAM)")
	}
	if m.Help == "" {
		b.faultf(at.in("help"), "is missing: say in one sentence what %q counts", m.Name)
	}
	if len(m.Buckets) > 0 && m.Type != "Histogram" {
		b.faultf(at.in("buckets"), "are set on a metric that is not a histogram")
	}
	if slices.ContainsFunc(m.Buckets, func(b float64) bool { return math.IsNaN(b) || math.IsInf(b, 0) }) {
		b.faultf(at.in("buckets"), "are not all finite (the bucket above the last bound is always there)")
	} else if !slices.IsSorted(m.Buckets) || len(slices.Compact(slices.Clone(m.Buckets))) != len(m.Buckets) {
		b.faultf(at.in("buckets"), "are not ascending")
	}
}

func (b *builder) labels(at Origin, m *svcv1.Metric) []Label {
	var out []Label
	params := map[string]string{}
	for i, l := range m.GetLabels() {
		at := at.at("labels", i)
		label := Label{Name: l.GetName(), Param: unexported(l.GetName()), Values: l.GetValues()}
		switch {
		case !labelName.MatchString(label.Name):
			b.faultf(at.in("name"), "%q is not the name of a label in snake case (want for example %q)", label.Name, "channel")
		case slices.Contains(reservedLabels, label.Name):
			b.faultf(at.in("name"), "%q is a label that the platform sets", label.Name)
		case params[label.Param] != "":
			b.faultf(at.in("name"), "%q and %q are one name in Go", label.Name, params[label.Param])
		case slices.Contains(label.Values, ""):
			b.faultf(at.in("values"), "of label %q have an empty one, which is the same as no label", label.Name)
		case len(sorted(label.Values)) < len(label.Values):
			b.faultf(at.in("values"), "of label %q have one twice", label.Name)
		case len(label.Values) == 0:
			b.faultf(at.in("values"), "are missing: name the values of label %q, so that the number of series is bounded", label.Name)
		}
		params[label.Param] = label.Name
		if label.Param == "m" { // the receiver of the generated handle
			label.Param = "m_"
		}
		out = append(out, label)
	}
	return out
}
