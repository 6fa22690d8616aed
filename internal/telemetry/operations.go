package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// Attribute names of spans.
const (
	keyOperation = "azbackupflow.operation.id"
	keyFlow      = "azbackupflow.flow"
	keyStep      = "azbackupflow.step"
	keySeq       = "azbackupflow.seq"
	keyStatus    = "azbackupflow.status"
)

// StartOperation starts the trace of a new operation. It returns the W3C
// traceparent of the trace and a function to call when the operation is
// accepted. It serves as engine.Config.StartTrace.
//
// The trace is separate from the trace of the request, which it links to: one
// request can start thousands of operations, and each lives for hours.
func (t *Telemetry) StartOperation(ctx context.Context, op operation.Operation) (string, func()) {
	root, span := t.tracer.Start(ctx, "accept "+op.Flow, trace.WithNewRoot(), trace.WithLinks(trace.LinkFromContext(ctx)),
		trace.WithAttributes(attribute.String(keyOperation, op.ID), attribute.String(keyFlow, op.Flow)))
	return traceParent(root), func() {
		t.instruments.started.Add(root, 1, metric.WithAttributes(attribute.String("flow", op.Flow)))
		span.End()
	}
}

// current is the operation of an invocation of run-step.
type current struct {
	id  string
	row operation.Operation
	// unanswered is the operation of a save whose answer was lost. The next load
	// shows whether the save succeeded.
	unanswered operation.Operation
}

type currentKey struct{}

// StepRunner handles one delivery of a wake-up.
type StepRunner interface {
	RunStep(context.Context, operation.Delivery) error
}

// WrapStepRunner returns a runner that annotates spans and log lines with the
// operation. Saves are counted only within its calls; see WrapStore.
func (t *Telemetry) WrapStepRunner(next StepRunner) StepRunner { return stepRunner{next} }

type stepRunner struct{ next StepRunner }

// RunStep annotates the span and the log lines of the invocation with the
// operation, and runs the step.
func (s stepRunner) RunStep(ctx context.Context, d operation.Delivery) error {
	customhandler.Annotate(ctx, slog.String("op", d.Wakeup.OperationID), slog.Int64("seq", d.Wakeup.Seq))
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(keyOperation, d.Wakeup.OperationID),
		attribute.Int64(keySeq, d.Wakeup.Seq), attribute.Int("azbackupflow.delivery", d.Count))
	if !trace.SpanContextFromContext(remote(context.Background(), d.Wakeup.TraceParent)).IsValid() {
		// The operation has no trace yet; it starts here.
		d.Wakeup.TraceParent = traceParent(ctx)
	}
	return s.next.RunStep(context.WithValue(ctx, currentKey{}, &current{id: d.Wakeup.OperationID}), d)
}

// WrapStore returns a store that observes the loads and saves of an engine.
func (t *Telemetry) WrapStore(next engine.Store) engine.Store { return store{next, t} }

type store struct {
	engine.Store
	telemetry *Telemetry
}

// Load loads the row and annotates the span and the log lines of the invocation
// with flow and step.
func (s store) Load(ctx context.Context, id string) (engine.Row, error) {
	row, err := s.Store.Load(ctx, id)
	c, ok := ctx.Value(currentKey{}).(*current)
	if !ok || err != nil || c.id != id {
		return row, err
	}
	op := row.Operation
	if c.unanswered.WriteID != "" && c.unanswered.WriteID == op.WriteID {
		s.telemetry.recordSave(ctx, c.row, op)
	}
	c.row, c.unanswered = op, operation.Operation{}
	customhandler.Annotate(ctx, slog.String("flow", op.Flow), slog.String("step", op.Step))
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(keyFlow, op.Flow), attribute.String(keyStep, op.Step))
	return row, nil
}

// Save saves the row and records the progress of the operation.
func (s store) Save(ctx context.Context, row engine.Row, ev operation.Event) (string, error) {
	etag, err := s.Store.Save(ctx, row, ev)
	c, ok := ctx.Value(currentKey{}).(*current)
	if !ok || c.id != row.Operation.ID {
		return etag, err
	}
	if err != nil {
		c.unanswered = row.Operation
		return etag, err
	}
	s.telemetry.recordSave(ctx, c.row, row.Operation)
	c.row = row.Operation
	return etag, nil
}

// recordSave records one save of an operation.
func (t *Telemetry) recordSave(ctx context.Context, before, after operation.Operation) {
	ctx = context.WithoutCancel(ctx)
	labels := []attribute.KeyValue{attribute.String("flow", before.Flow), attribute.String("step", before.Step)}
	if after.Rescues > before.Rescues {
		t.instruments.rescues.Add(ctx, 1, metric.WithAttributes(labels...))
	}
	if after.Seq == before.Seq || before.Status.Terminal() {
		return // Notifications of an ended operation are not steps.
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(keyStatus, string(after.Status)))
	t.instruments.steps.Add(ctx, 1, metric.WithAttributes(append(labels, attribute.String("result", result(before, after)))...))
	switch {
	case after.Status.Terminal():
		t.recordEnd(ctx, after)
	case after.Status == operation.Parked:
		t.instruments.parked.Add(ctx, 1, metric.WithAttributes(labels...))
	default:
		t.instruments.waits.Record(ctx, max(0, after.DueAt.Sub(after.UpdatedAt).Seconds()), metric.WithAttributes(attribute.String("flow", after.Flow), attribute.String("step", after.Step)))
	}
}

// result returns the result of a step as the metrics name it.
func result(before, after operation.Operation) string {
	switch {
	case after.Status.Terminal(), after.Status == operation.Parked:
		return string(after.Status)
	case after.Step != before.Step:
		return "done"
	case after.Attempts > before.Attempts:
		return "failed"
	}
	return "waiting"
}

// recordEnd records the duration of an operation, and adds a span of that length
// to its trace.
func (t *Telemetry) recordEnd(ctx context.Context, op operation.Operation) {
	begin := op.CreatedAt
	if op.RetriedAt.After(begin) {
		begin = op.RetriedAt
	}
	t.instruments.durations.Record(ctx, op.EndedAt.Sub(begin).Seconds(), metric.WithAttributes(attribute.String("flow", op.Flow), attribute.String("status", string(op.Status))))
	parent := ctx
	if op.TraceParent != "" {
		parent = remote(context.Background(), op.TraceParent)
	}
	_, span := t.tracer.Start(parent, op.Flow, trace.WithTimestamp(begin), trace.WithAttributes(
		attribute.String(keyOperation, op.ID), attribute.String(keyFlow, op.Flow), attribute.String(keyStatus, string(op.Status))))
	if op.Status != operation.Succeeded && op.Status != operation.SucceededWithWarnings {
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(notBefore(op.EndedAt, begin)))
}

// notBefore returns end, or begin if a clock that was set back makes end
// earlier.
func notBefore(end, begin time.Time) time.Time {
	if end.Before(begin) {
		return begin
	}
	return end
}
