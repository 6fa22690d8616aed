// Package telemetry makes OpenTelemetry traces and metrics: one trace for each
// operation across all its invocations, with a span for each call of a
// dependency. It exports them only if the standard OTEL_ variables set an
// endpoint
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
//
// Spans and metrics contain no error messages, queries, headers or bodies, so
// that they cannot contain tokens or signatures.
//
// The package wraps the ports of the engine and its clients. It must not know
// flows, and nothing may depend on its results.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"azbackupflow/internal/customhandler"
)

// scopeName is the instrumentation scope of all spans and metrics.
const scopeName = "azbackupflow"

// Config configures a Telemetry. MessageTrace is optional.
type Config struct {
	// Lookup returns an environment variable.
	Lookup  func(name string) (string, bool)
	Version string
	Log     *slog.Logger
	// MessageTrace returns the W3C trace context in the message of an
	// invocation, empty if there is none.
	MessageTrace func(customhandler.Invocation) string
}

// Telemetry holds the tracer and the metrics of the program.
type Telemetry struct {
	tracer       trace.Tracer
	instruments  instruments
	messageTrace func(customhandler.Invocation) string
	shutdowns    []func(context.Context) error
}

// New returns a Telemetry with an exporter for each signal that the OTEL_
// variables enable. Without exporters, log lines still contain trace IDs. New
// does not connect. It logs variables with unsupported values and ignores them.
func New(ctx context.Context, c Config) (*Telemetry, error) {
	if c.MessageTrace == nil {
		c.MessageTrace = func(customhandler.Invocation) string { return "" }
	}
	warn := func(err error) {
		if err != nil {
			c.Log.WarnContext(ctx, "telemetry incomplete", "error", err)
		}
	}
	// OpenTelemetry reports failed exports to a handler of the whole process. The
	// default handler writes to stderr.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(warn))
	t := &Telemetry{messageTrace: c.MessageTrace}

	attributes, err := resourceOf(ctx, c)
	warn(err)
	spans, err := spanExporter(ctx, c.Lookup)
	warn(err)
	tracing := []sdktrace.TracerProviderOption{sdktrace.WithResource(attributes)}
	if sampler, _ := c.Lookup("OTEL_TRACES_SAMPLER"); sampler == "" {
		// The default sampler would follow the sampled flag of the Functions
		// host's trace context, which is off while the host exports no traces.
		tracing = append(tracing, sdktrace.WithSampler(sdktrace.AlwaysSample()))
	}
	if spans != nil {
		tracing = append(tracing, sdktrace.WithBatcher(spans))
	}
	tracers := sdktrace.NewTracerProvider(tracing...)
	t.tracer = tracers.Tracer(scopeName, trace.WithInstrumentationVersion(c.Version))

	readers, err := metricReader(ctx, c.Lookup)
	warn(err)
	metering := []sdkmetric.Option{sdkmetric.WithResource(attributes)}
	if readers != nil {
		metering = append(metering, sdkmetric.WithReader(readers))
	}
	meters := sdkmetric.NewMeterProvider(metering...)
	t.instruments, err = newInstruments(meters.Meter(scopeName))
	if err != nil {
		return nil, fmt.Errorf("create metrics: %w", err)
	}
	t.shutdowns = []func(context.Context) error{tracers.Shutdown, meters.Shutdown}
	return t, nil
}

// Close exports the remaining spans and metrics.
func (t *Telemetry) Close(ctx context.Context) error {
	var failures []error
	for _, end := range t.shutdowns {
		failures = append(failures, end(ctx))
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("close telemetry: %w", err)
	}
	return nil
}

// resourceOf returns the attributes of this program. OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES take precedence.
func resourceOf(ctx context.Context, c Config) (*resource.Resource, error) {
	attrs := []attribute.KeyValue{
		attribute.String("service.name", "azbackupflow"), attribute.String("service.version", c.Version),
	}
	// Azure sets the names of the app and its instance.
	for variable, key := range map[string]string{
		"WEBSITE_SITE_NAME": "faas.name", "WEBSITE_INSTANCE_ID": "faas.instance", "REGION_NAME": "cloud.region",
	} {
		if value, _ := c.Lookup(variable); value != "" {
			attrs = append(attrs, attribute.String(key, value))
		}
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(attrs...), resource.WithFromEnv())
	if about == nil {
		about = resource.NewSchemaless(attrs...)
	}
	return about, err
}

// traceParent returns the context of the span as a W3C traceparent header.
func traceParent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}

// remote returns a context whose next span has the traceparent header as its
// parent. An empty or malformed header has no effect.
func remote(ctx context.Context, header string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": header})
}
