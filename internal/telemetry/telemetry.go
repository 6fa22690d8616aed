// Package telemetry makes the program observable: one trace per operation
// across all its invocations, with spans for what each invocation calls, and
// metrics. It is OpenTelemetry; what is made leaves the program only where the
// standard OTEL_ variables say where to
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
//
// Spans and metrics hold no free text: no error message, no query, no header,
// no body. What could carry a token or a signature has no way in.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"azbackupflow/internal/customhandler"
)

// scopeName names this program's instruments to a backend.
const scopeName = "azbackupflow"

// Config says what to observe with.
type Config struct {
	// Lookup finds an environment variable.
	Lookup  func(name string) (string, bool)
	Version string
	Now     func() time.Time
	Log     *slog.Logger
	// Carried gives the W3C trace context in the message of an invocation,
	// empty if it has none; nil where messages carry none.
	Carried func(customhandler.Invocation) string
}

// Telemetry observes one program.
type Telemetry struct {
	tracer      trace.Tracer
	instruments instruments
	carried     func(customhandler.Invocation) string
	now         func() time.Time
	close       []func(context.Context) error
}

// New makes the providers, with an exporter for each signal that the OTEL_
// variables ask for; without any, trace ids still reach the log. It calls
// nobody. A variable that cannot be honoured is logged and does not keep the
// program from its work.
func New(ctx context.Context, c Config) (*Telemetry, error) {
	if c.Carried == nil {
		c.Carried = func(customhandler.Invocation) string { return "" }
	}
	warn := func(err error) {
		if err != nil {
			c.Log.WarnContext(ctx, "telemetry is incomplete", "error", err)
		}
	}
	// The library reports what it cannot send to a handler of the whole process,
	// which would write to stderr.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(warn))
	t := &Telemetry{carried: c.Carried, now: c.Now}

	about, err := resourceOf(ctx, c)
	warn(err)
	spans, err := spanExporter(ctx, c.Lookup)
	warn(err)
	tracing := []sdktrace.TracerProviderOption{sdktrace.WithResource(about)}
	if sampler, _ := c.Lookup("OTEL_TRACES_SAMPLER"); sampler == "" {
		// The default would follow the sampled flag of the Functions host's
		// own trace context, which is off while nothing listens to the host.
		tracing = append(tracing, sdktrace.WithSampler(sdktrace.AlwaysSample()))
	}
	if spans != nil {
		tracing = append(tracing, sdktrace.WithBatcher(spans))
	}
	tracers := sdktrace.NewTracerProvider(tracing...)
	t.tracer = tracers.Tracer(scopeName, trace.WithInstrumentationVersion(c.Version))

	readers, err := metricReader(ctx, c.Lookup)
	warn(err)
	metering := []sdkmetric.Option{sdkmetric.WithResource(about)}
	if readers != nil {
		metering = append(metering, sdkmetric.WithReader(readers))
	}
	meters := sdkmetric.NewMeterProvider(metering...)
	t.instruments, err = newInstruments(meters.Meter(scopeName))
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	t.close = []func(context.Context) error{tracers.Shutdown, meters.Shutdown}
	return t, nil
}

// Close sends what has not been sent yet.
func (t *Telemetry) Close(ctx context.Context) error {
	var failures []error
	for _, end := range t.close {
		failures = append(failures, end(ctx))
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("telemetry: %w", err)
	}
	return nil
}

// resourceOf describes this program; OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES win.
func resourceOf(ctx context.Context, c Config) (*resource.Resource, error) {
	attrs := []attribute.KeyValue{
		attribute.String("service.name", "azbackupflow"), attribute.String("service.version", c.Version),
	}
	// The names that Azure gives the app and its instance.
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

// traceParent writes a span's context as the W3C header of that name.
func traceParent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}

// remote gives a context whose next span has the W3C trace context as parent;
// one that is empty or malformed has no effect.
func remote(ctx context.Context, header string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": header})
}
