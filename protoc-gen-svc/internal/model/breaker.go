package model

import (
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/internal/defaults"
	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/timefmt"
)

// defaultBreaker is the breaker of a callee about which nothing is said.
var defaultBreaker = Breaker{
	FailurePercent: defaults.BreakerFailurePercent,
	MinCalls:       defaults.BreakerMinCalls,
	Window:         defaults.BreakerWindow,
	Open:           defaults.BreakerOpen,
}

func (b *builder) breaker(at Origin, o *svcv1.Breaker) *Breaker {
	out := b.breakerValues(at, o)
	if !o.GetOff() {
		return out
	}
	o.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if fd.Name() != "off" {
			b.fault(at.in(string(fd.Name())), breakerOff)
		}
		return true
	})
	return nil
}

// breakerValues reads the fields, whether or not the breaker is on.
func (b *builder) breakerValues(at Origin, o *svcv1.Breaker) *Breaker {
	out := defaultBreaker
	out.FailurePercent = orDefault(o.GetFailurePercent(), out.FailurePercent)
	if out.FailurePercent > 100 {
		b.fault(at.in("failure_percent"), breakerPercent, out.FailurePercent)
	}
	out.MinCalls = orDefault(o.GetMinCalls(), out.MinCalls)
	var err error
	if out.Window, err = positive(o.GetWindow(), out.Window); err != nil {
		b.reject(at.in("window"), err)
	}
	if out.Open, err = positive(o.GetOpen(), out.Open); err != nil {
		b.reject(at.in("open"), err)
	}
	return &out
}

// breakerSettings are what config.yaml says about a breaker that is not the default: with
// that of every callee, it would be twice as long.
func (c *Callee) breakerSettings() []Setting {
	custom := c.CustomBreaker()
	if custom == nil {
		return nil
	}
	return custom.settings("callees." + c.Key + ".breaker")
}

func (b *Breaker) settings(path string) []Setting {
	value := func(key, typ, value string) Setting {
		return Setting{Path: path + "." + key, Type: typ, Value: value, Annotation: "callees.breaker." + key, Hot: true}
	}
	return []Setting{
		{Path: path},
		value("failure_percent", "integer", strconv.FormatUint(uint64(b.FailurePercent), 10)),
		value("min_calls", "integer", strconv.FormatUint(uint64(b.MinCalls), 10)),
		value("window", "duration", timefmt.Short(b.Window)),
		value("open", "duration", timefmt.Short(b.Open)),
	}
}

// CustomBreaker is the breaker as far as it is not the default, and nil where it is.
func (c *Callee) CustomBreaker() *Breaker {
	if c.Breaker == nil || *c.Breaker == defaultBreaker {
		return nil
	}
	return c.Breaker
}
