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

// Names of attributes.
const (
	keyOperation = "azbackupflow.operation.id"
	keyFlow      = "azbackupflow.flow"
	keyStep      = "azbackupflow.step"
	keySeq       = "azbackupflow.seq"
	keyStatus    = "azbackupflow.status"
)

// Begin begins the trace of a new operation; it is engine.Config.Begin. It is a
// trace of its own, linked to that of the request: a request may ask for
// thousands of operations, and each lives for hours.
func (t *Telemetry) Begin(ctx context.Context, op operation.Operation) (string, func()) {
	root, span := t.tracer.Start(ctx, "accept "+op.Flow, trace.WithNewRoot(), trace.WithLinks(trace.LinkFromContext(ctx)),
		trace.WithAttributes(attribute.String(keyOperation, op.ID), attribute.String(keyFlow, op.Flow)))
	return traceParent(root), func() {
		t.instruments.started.Add(root, 1, metric.WithAttributes(attribute.String("flow", op.Flow)))
		span.End()
	}
}

// current is the operation that an invocation of run-step works on.
type current struct {
	id  string
	row operation.Operation
	// unanswered is what was saved without an answer: the next load tells
	// whether it is there.
	unanswered operation.Operation
}

type currentKey struct{}

// StepRunner works on one delivery of a wake-up.
type StepRunner interface {
	RunStep(context.Context, operation.Delivery) error
}

// Steps observes a StepRunner.
func (t *Telemetry) Steps(next StepRunner) StepRunner { return stepRunner{next} }

type stepRunner struct{ next StepRunner }

// RunStep puts the operation on the invocation's span and on its lines.
func (s stepRunner) RunStep(ctx context.Context, d operation.Delivery) error {
	customhandler.Annotate(ctx, slog.String("op", d.Wakeup.OperationID), slog.Int64("seq", d.Wakeup.Seq))
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(keyOperation, d.Wakeup.OperationID),
		attribute.Int64(keySeq, d.Wakeup.Seq), attribute.Int("azbackupflow.delivery", d.Count))
	if !trace.SpanContextFromContext(remote(context.Background(), d.Wakeup.TraceParent)).IsValid() {
		// An operation from before there were traces: they begin here.
		d.Wakeup.TraceParent = traceParent(ctx)
	}
	return s.next.RunStep(context.WithValue(ctx, currentKey{}, &current{id: d.Wakeup.OperationID}), d)
}

// Store observes what an engine loads and saves.
func (t *Telemetry) Store(next engine.Store) engine.Store { return store{next, t} }

type store struct {
	engine.Store
	telemetry *Telemetry
}

// Load puts flow and step on the invocation's span and on its lines.
func (s store) Load(ctx context.Context, id string) (engine.Row, error) {
	row, err := s.Store.Load(ctx, id)
	c, ok := ctx.Value(currentKey{}).(*current)
	if !ok || err != nil || c.id != id {
		return row, err
	}
	op := row.Operation
	if c.unanswered.WriteID != "" && c.unanswered.WriteID == op.WriteID {
		s.telemetry.moved(ctx, c.row, op)
	}
	c.row, c.unanswered = op, operation.Operation{}
	customhandler.Annotate(ctx, slog.String("flow", op.Flow), slog.String("step", op.Step))
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(keyFlow, op.Flow), attribute.String(keyStep, op.Step))
	return row, nil
}

// Save counts what became of the operation.
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
	s.telemetry.moved(ctx, c.row, row.Operation)
	c.row = row.Operation
	return etag, nil
}

// moved counts one save of an operation.
func (t *Telemetry) moved(ctx context.Context, was, is operation.Operation) {
	ctx = context.WithoutCancel(ctx)
	at := []attribute.KeyValue{attribute.String("flow", was.Flow), attribute.String("step", was.Step)}
	if is.Rescues > was.Rescues {
		t.instruments.rescues.Add(ctx, 1, metric.WithAttributes(at...))
	}
	if is.Seq == was.Seq || was.Status.Terminal() {
		return // what an ended operation still owes is no step
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(keyStatus, string(is.Status)))
	t.instruments.steps.Add(ctx, 1, metric.WithAttributes(append(at, attribute.String("result", result(was, is)))...))
	switch {
	case is.Status.Terminal():
		t.ended(ctx, is)
	case is.Status == operation.Parked:
		t.instruments.parked.Add(ctx, 1, metric.WithAttributes(at...))
	default:
		t.instruments.waits.Record(ctx, max(0, is.DueAt.Sub(is.UpdatedAt).Seconds()), metric.WithAttributes(attribute.String("flow", is.Flow), attribute.String("step", is.Step)))
	}
}

// result says in a word what came of a step.
func result(was, is operation.Operation) string {
	switch {
	case is.Status.Terminal(), is.Status == operation.Parked:
		return string(is.Status)
	case is.Step != was.Step:
		return "done"
	case is.Attempts > was.Attempts:
		return "failed"
	}
	return "waiting"
}

// ended records how long the operation took, and puts a span of that length
// into its trace.
func (t *Telemetry) ended(ctx context.Context, op operation.Operation) {
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
	span.End(trace.WithTimestamp(later(op.EndedAt, begin)))
}

// later keeps a span from ending before it began where a clock was set back.
func later(end, begin time.Time) time.Time {
	if end.Before(begin) {
		return begin
	}
	return end
}

// Sweeper looks at every live operation.
type Sweeper interface {
	Sweep(context.Context) (engine.SweepResult, error)
}

// Sweep observes a Sweeper.
func (t *Telemetry) Sweep(next Sweeper) Sweeper { return sweeper{next, t} }

type sweeper struct {
	next      Sweeper
	telemetry *Telemetry
}

// Sweep records what one whole sweep found.
func (s sweeper) Sweep(ctx context.Context) (engine.SweepResult, error) {
	found, err := s.next.Sweep(ctx)
	if err != nil {
		return found, err
	}
	m, ctx := s.telemetry.instruments, context.WithoutCancel(ctx)
	m.live.Record(ctx, int64(found.Live))
	m.parkedNow.Record(ctx, int64(found.Parked))
	m.overdue.Record(ctx, int64(found.Overdue))
	return found, nil
}
