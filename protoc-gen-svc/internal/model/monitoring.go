package model

import (
	"time"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

const (
	defaultInterval = 30 * time.Second
	leastInterval   = 5 * time.Second
	mostInterval    = 5 * time.Minute
	mostScrape      = 10 * time.Second
)

// Monitoring is how Prometheus finds and scrapes the replicas.
type Monitoring struct {
	Monitor Monitor
	// Interval is the time between two scrapes, Timeout what one may take.
	Interval, Timeout time.Duration
}

// Monitor is the kind of object by which prometheus-operator finds the replicas.
type Monitor string

// The monitors.
const (
	ServiceMonitor Monitor = "ServiceMonitor"
	PodMonitor     Monitor = "PodMonitor"
	NoMonitor      Monitor = "none"
)

var monitors = map[svcv1.Monitor]Monitor{
	svcv1.Monitor_MONITOR_UNSPECIFIED: ServiceMonitor,
	svcv1.Monitor_MONITOR_SERVICE:     ServiceMonitor,
	svcv1.Monitor_MONITOR_POD:         PodMonitor,
	svcv1.Monitor_MONITOR_NONE:        NoMonitor,
}

func (b *builder) monitoring(s *Service, o *svcv1.Monitoring) Monitoring {
	at := s.origin().in("monitoring")
	kind, known := monitors[o.GetMonitor()]
	if !known {
		b.fault(at.in("monitor"), monitorKind, o.GetMonitor())
	}
	if kind == NoMonitor && o.GetInterval() != "" {
		b.fault(at.in("interval"), intervalUnused, o.GetInterval())
	}
	interval, err := positive(o.GetInterval(), defaultInterval)
	if err != nil {
		b.reject(at.in("interval"), err)
	} else if interval < leastInterval || interval > mostInterval || interval%time.Second != 0 {
		b.fault(at.in("interval"), intervalRange, o.GetInterval())
	}
	return Monitoring{kind, interval, min(interval, mostScrape)}
}

// Monitored reports whether something makes Prometheus scrape the service.
func (s *Service) Monitored() bool { return s.Monitoring.Monitor != NoMonitor }

// Monitored are the services that Prometheus is made to scrape.
func (s *System) Monitored() []*Service {
	var out []*Service
	for _, one := range s.Services {
		if one.Monitored() {
			out = append(out, one)
		}
	}
	return out
}
