package model

import (
	"cmp"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/timefmt"
)

// HTTPCallee is an external service that is called over HTTP.
type HTTPCallee struct {
	// Name is its key in config.yaml, Field its name in Deps.
	Name, Field string
	URL         string
	// Port is that of the URL, CIDR the addresses behind it; empty: any.
	Port     uint32
	CIDR     string
	Timeout  time.Duration
	Attempts uint32
	// IdleConnections are kept open by one replica.
	IdleConnections uint32
}

const maxHTTPAttempts = 5

var snakeName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// httpCallees are read after the callees, whose fields of Deps are taken.
func (b *builder) httpCallees(s *Service, o *svcv1.Service) []*HTTPCallee {
	var out []*HTTPCallee
	taken := map[string]string{}
	for _, name := range depsFields {
		taken[name] = "a field that every handler has"
	}
	for _, c := range s.Callees {
		taken[c.Field] = "the client of " + c.FullName
	}
	for i, h := range o.GetHttpCallees() {
		at := s.origin().at("http_callees", i)
		c := &HTTPCallee{
			Name:            h.GetName(),
			Field:           camel(h.GetName()),
			URL:             h.GetUrl(),
			CIDR:            b.cidr(at.in("cidr"), h.GetCidr()),
			Attempts:        orDefault(h.GetAttempts(), defaults.HTTPAttempts),
			IdleConnections: orDefault(h.GetIdleConnections(), defaults.HTTPIdleConnections),
		}
		if !snakeName.MatchString(c.Name) {
			b.fault(at.in("name"), httpCalleeName, c.Name, "fraud_check")
		} else if other := taken[c.Field]; other != "" {
			b.fault(at.in("name"), httpCalleeTaken, c.Name, c.Field, other)
		} else {
			taken[c.Field] = "the client of " + c.Name
			out = append(out, c) // others would only make faults about what follows from their names
		}
		if u, ok := baseURL(c.URL); !ok {
			b.fault(at.in("url"), httpCalleeURL, c.URL, "https://fraud.example.com/v1")
		} else if c.Port, ok = portOf(u); !ok {
			b.fault(at.in("url"), httpCalleePort, c.URL)
		}
		if c.Attempts > maxHTTPAttempts {
			b.fault(at.in("attempts"), httpCalleeAttempts, c.Attempts, maxHTTPAttempts)
		}
		var err error
		if c.Timeout, err = positive(h.GetTimeout(), defaults.HTTPTimeout); err != nil {
			b.reject(at.in("timeout"), err)
		}
	}
	return out
}

// baseURL reads a URL to which paths can be appended, and in which nothing is a
// secret.
func baseURL(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	return u, err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		u.User == nil && u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" && text[len(text)-1] != '#'
}

// portOf is the port that a URL names, or that of its scheme.
func portOf(u *url.URL) (uint32, bool) {
	port, err := strconv.ParseUint(cmp.Or(u.Port(), schemePort[u.Scheme]), 10, 16)
	return uint32(port), err == nil && port > 0
}

var schemePort = map[string]string{"http": "80", "https": "443"}

func (s *Service) httpCalleeSettings() []Setting {
	if len(s.HTTPCallees) == 0 {
		return nil
	}
	out := []Setting{{Path: "http_callees"}}
	for _, c := range s.HTTPCallees {
		path := "http_callees." + c.Name
		out = append(out,
			Setting{Path: path},
			Setting{Path: path + ".url", Type: "URL", Value: strconv.Quote(c.URL), Annotation: "http_callees.url"},
			Setting{Path: path + ".timeout", Type: "duration", Value: timefmt.Short(c.Timeout), Annotation: "http_callees.timeout"},
		)
	}
	return out
}
