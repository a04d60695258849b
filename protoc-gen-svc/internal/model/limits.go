package model

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// Limits are what one replica accepts at the most.
type Limits struct {
	Concurrency uint32
	// Adaptive says that the limit of calls in progress follows the latency.
	Adaptive                          bool
	Connections, StreamsPerConnection uint32
	MessageSize, HeaderSize           Size
}

// Size is a Kubernetes quantity of bytes.
type Size struct {
	Text  string
	Bytes int64
}

// RateLimit is how often one caller may call.
type RateLimit struct {
	PerSecond float64
	Burst     uint32
	// Key is the metadata that tells callers apart; empty: their addresses do.
	Key string
}

// Stream are the bounds of a stream; zero means none.
type Stream struct {
	MaxAge, IdleTimeout, SendTimeout time.Duration
	MaxMessages                      uint64
}

// The limits of a contract that says nothing.
const (
	defaultMaxAge = 30 * time.Minute
	defaultIdle   = 5 * time.Minute
	defaultSend   = 30 * time.Second

	// maxRate is far beyond what one replica answers.
	maxRate = 1e6
)

func (b *builder) limits(s *Service, o *svcv1.Limits) Limits {
	at := s.origin().in("limits")
	connections, concurrency := s.GoRuntime.counts(o)
	return Limits{
		Concurrency:          concurrency,
		Adaptive:             o.GetAdaptive(),
		Connections:          connections,
		StreamsPerConnection: orDefault(o.GetStreamsPerConnection(), defaults.StreamsPerConnection),
		// A larger message does not fit the frame of gRPC; a header below the lower
		// bound has no room for what gRPC itself and tracing send.
		MessageSize: b.size(at.in("message_size"), o.GetMessageSize(), binary(defaults.MessageBytes), "1Ki", "2047Mi"),
		HeaderSize:  b.size(at.in("header_size"), o.GetHeaderSize(), binary(defaults.HeaderBytes), "4Ki", "16Mi"),
	}
}

// binary writes a size as the largest of the binary suffixes that divides it.
func binary(bytes int64) string {
	suffixes := []string{"", "Ki", "Mi", "Gi", "Ti"}
	for len(suffixes) > 1 && bytes%1024 == 0 {
		bytes, suffixes = bytes/1024, suffixes[1:]
	}
	return strconv.FormatInt(bytes, 10) + suffixes[0]
}

func (b *builder) size(at Origin, text, byDefault, least, most string) Size {
	text = orDefault(text, byDefault)
	bytes := b.bytes(at, limitSize, text, byDefault, least, most)
	return Size{text, int64(bytes)}
}

// bytes reads a size, and refuses with a diagnostic of its own one that is out of bounds.
// It is 0 for what is none, or out of bounds: nothing further is said of it.
func (b *builder) bytes(at Origin, outside finding, text, byDefault, least, most string) float64 {
	bytes, err := quantity(text, nearestSize(text, byDefault, least, most))
	switch {
	case err != nil:
		b.reject(at, err)
	case compareSizes(text, least) < 0 || compareSizes(text, most) > 0:
		b.fault(at, outside, text, least, most)
		return 0
	}
	return bytes
}

// concurrency is the limit of a method. Of a unary one, the server's comes first.
func (b *builder) concurrency(s *Service, m *Method, o *svcv1.Method) uint32 {
	if n := o.GetConcurrency(); m.Kind == Unary && n > s.Limits.Concurrency {
		b.fault(m.origin().in("concurrency"), methodConcurrency, n, s.Limits.Concurrency)
	}
	return o.GetConcurrency()
}

func (b *builder) rateLimit(s *Service, m *Method, o *svcv1.RateLimit) *RateLimit {
	if o == nil {
		return nil
	}
	at := m.origin().in("rate_limit")
	if !(o.GetPerSecond() > 0 && o.GetPerSecond() <= maxRate) {
		b.fault(at.in("per_second"), ratePerSecond, o.GetPerSecond(), int(maxRate))
	}
	if keys := propagated(s); o.GetKey() != "" && !slices.Contains(keys, o.GetKey()) {
		b.fault(at.in("key"), rateKey, o.GetKey(), didYouMean(o.GetKey(), keys))
	}
	return &RateLimit{
		PerSecond: o.GetPerSecond(),
		Burst:     orDefault(o.GetBurst(), uint32(math.Ceil(o.GetPerSecond()))),
		Key:       o.GetKey(),
	}
}

// RateLimited are the methods that one caller may call only so often.
func (s *Service) RateLimited() []*Method {
	var out []*Method
	for _, m := range s.Methods {
		if m.RateLimit != nil {
			out = append(out, m)
		}
	}
	return out
}

// rateLimitSettings are the rates, by RPC.
func (s *Service) rateLimitSettings() (out []Setting) {
	for _, m := range s.RateLimited() {
		if out == nil {
			out = append(out, Setting{Path: "rate_limits"})
		}
		path := "rate_limits." + m.Name
		out = append(out,
			Setting{Path: path},
			Setting{Path: path + ".per_second", Type: "number", Value: strconv.FormatFloat(m.RateLimit.PerSecond, 'f', -1, 64), Annotation: "rate_limit.per_second", OfMethod: true, Hot: true},
			Setting{Path: path + ".burst", Type: "integer", Value: strconv.FormatUint(uint64(m.RateLimit.Burst), 10), Annotation: "rate_limit.burst", OfMethod: true, Hot: true},
		)
	}
	return out
}

// propagated are the keys of metadata that the service lets through.
func propagated(s *Service) []string {
	var keys []string
	for _, p := range extension[*svcv1.Service](s.proto.Desc, svcv1.E_Service).GetPropagate() {
		keys = append(keys, p.GetKey())
	}
	return keys
}

// stream reads the bounds of a stream. It comes after the timeout, which none of
// them may make meaningless.
func (b *builder) stream(m *Method, o *svcv1.Stream) *Stream {
	at := m.origin().in("stream")
	s := b.streamValues(at, m, o)
	switch {
	case m.Kind == Unary && o != nil:
		b.fault(at, streamUnary)
	case s.MaxMessages > 0 && m.Kind == ServerStream:
		b.fault(at.in("max_messages"), streamMessages)
	}
	if o.GetIdleTimeout() != "" && s.MaxAge > 0 && s.IdleTimeout >= s.MaxAge {
		b.fault(at.in("idle_timeout"), streamIdle, s.IdleTimeout, s.MaxAge)
	}
	if m.Kind == Unary {
		return nil
	}
	if s.MaxAge > 0 && m.Timeout > s.MaxAge {
		b.fault(m.origin().in("timeout"), streamDeadline, m.Timeout, s.MaxAge)
	}
	return s
}

// streamValues reads the fields, whether or not the method is a stream.
func (b *builder) streamValues(at Origin, m *Method, o *svcv1.Stream) *Stream {
	s := &Stream{MaxMessages: o.GetMaxMessages()}
	for _, bound := range []struct {
		field, text string
		byDefault   time.Duration
		to          *time.Duration
	}{
		{"max_age", o.GetMaxAge(), max(defaultMaxAge, m.Timeout), &s.MaxAge},
		{"idle_timeout", o.GetIdleTimeout(), defaultIdle, &s.IdleTimeout},
		{"send_timeout", o.GetSendTimeout(), defaultSend, &s.SendTimeout},
	} {
		var err error
		if *bound.to, err = duration(bound.text, bound.byDefault); err != nil {
			b.reject(at.in(bound.field), err)
		}
	}
	return s
}

// Streams reports whether any method of the service is a stream.
func (s *Service) Streams() bool {
	return slices.ContainsFunc(s.Methods, func(m *Method) bool { return m.Stream != nil })
}

// limitSettings are the limits that depend on the machine. What callers were
// promised, the sizes for instance, is for the contract to say.
func (s *Service) limitSettings() []Setting {
	integer := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	return []Setting{
		{Path: "limits"},
		{Path: "limits.concurrency", Type: "integer", Value: integer(s.Limits.Concurrency), Annotation: "limits.concurrency", Hot: true},
		{Path: "limits.adaptive", Type: "boolean", Value: strconv.FormatBool(s.Limits.Adaptive), Annotation: "limits.adaptive", Hot: true},
		{Path: "limits.connections", Type: "integer", Value: integer(s.Limits.Connections), Annotation: "limits.connections", Hot: true},
	}
}
