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

// protocol is the one that the exporters speak.
const protocol = "http/protobuf"

// spanExporter makes the exporter of spans, nil where none is asked for.
func spanExporter(ctx context.Context, lookup func(string) (string, bool)) (sdktrace.SpanExporter, error) {
	if wanted, err := asked(lookup, "TRACES"); !wanted || err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("exporter of traces: %w", err)
	}
	return exporter, nil
}

// metricReader makes the reader that exports metrics, nil where none is asked
// for.
func metricReader(ctx context.Context, lookup func(string) (string, bool)) (sdkmetric.Reader, error) {
	if wanted, err := asked(lookup, "METRICS"); !wanted || err != nil {
		return nil, err
	}
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("exporter of metrics: %w", err)
	}
	return sdkmetric.NewPeriodicReader(exporter), nil
}

// asked reports whether the variables ask for a signal (TRACES or METRICS) to
// be exported: by naming the exporter, or by saying where to.
func asked(lookup func(string) (string, bool), signal string) (bool, error) {
	get := func(name string) string {
		value, _ := lookup(name)
		return strings.TrimSpace(value)
	}
	if strings.EqualFold(get("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	named := "OTEL_" + signal + "_EXPORTER"
	switch exporter := get(named); exporter {
	case "none":
		return false, nil
	case "otlp":
	case "":
		if get("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && get("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") == "" {
			return false, nil
		}
	default:
		return false, fmt.Errorf("%s is %q, want otlp or none", named, exporter)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_" + signal + "_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		switch spoken := get(name); spoken {
		case "":
			continue
		case protocol:
			return true, nil
		default:
			return false, fmt.Errorf("%s is %q, want %s", name, spoken, protocol)
		}
	}
	return true, nil
}

// Check says which of the OTEL_ variables cannot be honoured; nil if all can.
func Check(lookup func(string) (string, bool)) error {
	for _, signal := range []string{"TRACES", "METRICS"} {
		if _, err := asked(lookup, signal); err != nil {
			return err
		}
	}
	return nil
}
