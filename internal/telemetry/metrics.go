package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// instruments are the metrics. docs/telemetry.md lists them.
type instruments struct {
	started, steps, parked, rescues metric.Int64Counter
	armCalls, throttles             metric.Int64Counter
	waits, durations                metric.Float64Histogram
	live, overdue, parkedNow        metric.Int64Gauge
}

func newInstruments(m metric.Meter) (instruments, error) {
	var failures []error
	counter := func(name, unit, what string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
		failures = append(failures, err)
		return c
	}
	gauge := func(name, what string) metric.Int64Gauge {
		g, err := m.Int64Gauge(name, metric.WithUnit("{operation}"), metric.WithDescription(what))
		failures = append(failures, err)
		return g
	}
	histogram := func(name, what string, bounds ...float64) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what), metric.WithExplicitBucketBoundaries(bounds...))
		failures = append(failures, err)
		return h
	}
	all := instruments{
		started:   counter("azbackupflow.operations.started", "{operation}", "Operations that were accepted."),
		parked:    counter("azbackupflow.operations.parked", "{operation}", "Operations that were parked for a person to look at."),
		steps:     counter("azbackupflow.steps", "{step}", "Steps that were run and saved, by what came of them."),
		rescues:   counter("azbackupflow.rescues", "{rescue}", "Wake-ups of the sweep that were delivered."),
		armCalls:  counter("azbackupflow.arm.calls", "{call}", "Calls of Azure Resource Manager, by what came of them."),
		throttles: counter("azbackupflow.arm.throttles", "{call}", "Calls that Azure Resource Manager asked to make later."),
		waits:     histogram("azbackupflow.waits", "How long an operation is going to wait before its next step.", 1, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400),
		durations: histogram("azbackupflow.operation.duration", "How long operations took from their start to their end.", 10, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 259200),
		live:      gauge("azbackupflow.operations.live", "Operations that have not ended, when the sweep last looked."),
		parkedNow: gauge("azbackupflow.operations.waiting_for_a_person", "Operations that are parked, when the sweep last looked."),
		overdue:   gauge("azbackupflow.operations.overdue", "Operations whose message had not come, when the sweep last looked."),
	}
	return all, errors.Join(failures...)
}
