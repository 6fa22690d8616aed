package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// instruments holds the metrics. docs/telemetry.md describes them.
type instruments struct {
	started, steps, parked, rescues metric.Int64Counter
	armCalls, throttles             metric.Int64Counter
	waits, durations                metric.Float64Histogram
	live, overdue, parkedNow        metric.Int64Gauge
}

func newInstruments(m metric.Meter) (instruments, error) {
	var failures []error
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		failures = append(failures, err)
		return c
	}
	gauge := func(name, description string) metric.Int64Gauge {
		g, err := m.Int64Gauge(name, metric.WithUnit("{operation}"), metric.WithDescription(description))
		failures = append(failures, err)
		return g
	}
	histogram := func(name, description string, bounds ...float64) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(bounds...))
		failures = append(failures, err)
		return h
	}
	all := instruments{
		started:   counter("azbackupflow.operations.started", "{operation}", "Accepted operations."),
		parked:    counter("azbackupflow.operations.parked", "{operation}", "Operations that were parked, because an operator must decide."),
		steps:     counter("azbackupflow.steps", "{step}", "Steps that were run and saved, by result."),
		rescues:   counter("azbackupflow.rescues", "{rescue}", "Delivered wake-ups of the sweep."),
		armCalls:  counter("azbackupflow.arm.calls", "{call}", "Calls of Azure Resource Manager, by outcome."),
		throttles: counter("azbackupflow.arm.throttles", "{call}", "Calls that Azure Resource Manager throttled."),
		waits:     histogram("azbackupflow.waits", "Wait of an operation before its next step.", 1, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400),
		durations: histogram("azbackupflow.operation.duration", "Duration of operations from start to end.", 10, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 259200),
		live:      gauge("azbackupflow.operations.live", "Operations that have not ended, at the last sweep."),
		parkedNow: gauge("azbackupflow.operations.currently_parked", "Operations that are parked, at the last sweep."),
		overdue:   gauge("azbackupflow.operations.overdue", "Operations whose wake-up is overdue, at the last sweep."),
	}
	return all, errors.Join(failures...)
}
