package telemetry

import (
	"context"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// protocol is the only OTLP protocol of the exporters.
const protocol = "http/protobuf"

// spanExporter returns the exporter of spans, nil if traces are not exported.
func spanExporter(ctx context.Context, lookup func(string) (string, bool)) (sdktrace.SpanExporter, error) {
	if on, err := enabled(lookup, "TRACES"); !on || err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("create trace exporter: %w", err)
	}
	return exporter, nil
}

// metricReader returns the reader that exports metrics, nil if metrics are not
// exported.
func metricReader(ctx context.Context, lookup func(string) (string, bool)) (sdkmetric.Reader, error) {
	if on, err := enabled(lookup, "METRICS"); !on || err != nil {
		return nil, err
	}
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("create metric exporter: %w", err)
	}
	return sdkmetric.NewPeriodicReader(exporter), nil
}

// enabled reports whether the variables enable the export of a signal (TRACES or
// METRICS), either by naming the exporter or by setting an endpoint.
func enabled(lookup func(string) (string, bool), signal string) (bool, error) {
	get := func(name string) string {
		value, _ := lookup(name)
		return strings.TrimSpace(value)
	}
	if strings.EqualFold(get("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	variable := "OTEL_" + signal + "_EXPORTER"
	switch exporter := get(variable); exporter {
	case "none":
		return false, nil
	case "otlp":
	case "":
		if get("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && get("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") == "" {
			return false, nil
		}
	default:
		return false, fmt.Errorf("%s is %q; use otlp or none", variable, exporter)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_" + signal + "_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		switch value := get(name); value {
		case "":
			continue
		case protocol:
			return true, nil
		default:
			return false, fmt.Errorf("%s is %q; use %s", name, value, protocol)
		}
	}
	return true, nil
}

// Check returns an error that names the first OTEL_ variable with an unsupported
// value.
func Check(lookup func(string) (string, bool)) error {
	for _, signal := range []string{"TRACES", "METRICS"} {
		if _, err := enabled(lookup, signal); err != nil {
			return err
		}
	}
	return nil
}
