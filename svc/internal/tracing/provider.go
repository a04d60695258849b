// Package tracing makes the spans of RPCs with OpenTelemetry.
//
// A [Provider] is made once, at start, from a few options and the standard
// OTEL_* variables of the environment. Servers and clients bind their methods
// ([Server], [Client], [HTTP]) to it, or to any other TracerProvider, and start a
// span per call. Spans carry what OpenTelemetry's semantic conventions for gRPC ask
// for. Trace context and baggage travel in the W3C headers, over HTTP as over gRPC.
//
// Nothing global is set: a process may have several providers, and a test its
// own.
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope is the name of the tracer, by which traces say what made their spans.
const scope = "github.com/protosvc/protosvc/svc"

// Options say what spans are recorded and where they are sent.
type Options struct {
	// Service, Version, System and Team describe the process in every span, as
	// service.name, service.version, service.namespace and team; an empty system or
	// team is left out. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over them.
	Service, Version, System, Team string

	// SampleRatio is the share of traces recorded when the trace starts here,
	// from 0 (none, the default) to 1 (all). A trace that starts elsewhere is
	// recorded if its caller records it. OTEL_TRACES_SAMPLER replaces both rules.
	SampleRatio float64

	// Exporter receives the recorded spans in batches. Nil means OTLP over
	// gRPC to the endpoint that OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or
	// OTEL_EXPORTER_OTLP_ENDPOINT names; when neither is set, or
	// OTEL_TRACES_EXPORTER is "none", spans go nowhere, but trace ids still
	// travel and stand in logs.
	Exporter sdktrace.SpanExporter

	// Processor sees each recorded span when it starts and when it ends, besides the
	// exporter. Nil means nobody does.
	Processor sdktrace.SpanProcessor

	// Log is told when an export fails, and when exports work again. Nil means
	// nobody is told.
	Log *slog.Logger
}

// Provider is what a process makes its spans with. The zero value records nothing and
// makes no ids, but passes on the trace context of its callers.
type Provider struct {
	sdk   *sdktrace.TracerProvider // nil: disabled
	share share
}

// share samples a share of the traces that start here. It can change.
type share struct {
	sampler atomic.Pointer[sdktrace.Sampler]
}

func (s *share) set(ratio float64) {
	sampler := sdktrace.TraceIDRatioBased(ratio)
	s.sampler.Store(&sampler)
}

func (s *share) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	return (*s.sampler.Load()).ShouldSample(p)
}

func (s *share) Description() string { return (*s.sampler.Load()).Description() }

// SetSampleRatio changes the share of the traces recorded that start here. Where the
// environment has said how to sample, it changes nothing.
func (p *Provider) SetSampleRatio(ratio float64) { p.share.set(ratio) }

// New returns a provider. OTEL_SDK_DISABLED=true makes it a disabled one, as
// the zero value is. An error names the option or variable that is wrong.
// The context limits the setting up of the exporter; nothing is dialled yet.
func New(ctx context.Context, o Options) (*Provider, error) {
	env, err := readEnvironment()
	if err != nil {
		return nil, err
	}
	if env.disabled {
		return &Provider{}, nil
	}
	if o.SampleRatio < 0 || o.SampleRatio > 1 || o.SampleRatio != o.SampleRatio {
		return nil, fmt.Errorf("sample ratio %v is not between 0 and 1", o.SampleRatio)
	}
	described, err := describe(ctx, o)
	if err != nil {
		return nil, err
	}
	p := new(Provider)
	p.SetSampleRatio(o.SampleRatio)
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(described)}
	if !env.sampler { // the SDK applies the sampler of the environment itself
		options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(&p.share)))
	}
	exporter, err := newExporter(ctx, o, env)
	if err != nil {
		return nil, err
	}
	if exporter != nil {
		options = append(options, sdktrace.WithBatcher(exporter))
	}
	if o.Processor != nil {
		options = append(options, sdktrace.WithSpanProcessor(o.Processor))
	}
	p.sdk = sdktrace.NewTracerProvider(options...)
	return p, nil
}

// describe returns the attributes of the process. The environment comes last,
// since whoever deploys a binary knows more than whoever built it.
func describe(ctx context.Context, o Options) (*resource.Resource, error) {
	attributes := []attribute.KeyValue{semconv.ServiceName(o.Service), semconv.ServiceVersion(o.Version)}
	if o.System != "" {
		attributes = append(attributes, semconv.ServiceNamespace(o.System))
	}
	if o.Team != "" {
		attributes = append(attributes, attribute.String("team", o.Team))
	}
	described, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attributes...),
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return described, nil
}

// TracerProvider returns the provider as OpenTelemetry's own type.
func (p *Provider) TracerProvider() trace.TracerProvider {
	if p == nil || p.sdk == nil {
		return noop.NewTracerProvider()
	}
	return p.sdk
}

// tracer returns the tracer that the spans of RPCs are made with. Without a provider
// it records nothing.
func tracer(p trace.TracerProvider) trace.Tracer {
	if p == nil {
		p = noop.NewTracerProvider()
	}
	return p.Tracer(scope)
}

// Propagator has trace context and baggage travel in the W3C headers traceparent,
// tracestate and baggage.
func Propagator() propagation.TextMapPropagator {
	return propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
}

// Flush exports all spans that have ended, and waits until that is done or the
// context is.
func (p *Provider) Flush(ctx context.Context) error {
	if p.sdk == nil {
		return nil
	}
	return p.sdk.ForceFlush(ctx)
}

// Shutdown flushes and then stops the provider; spans that start afterwards
// are not recorded. It returns the context's error when the time was too short.
func (p *Provider) Shutdown(ctx context.Context) error {
	if p.sdk == nil {
		return nil
	}
	return p.sdk.Shutdown(ctx)
}
