package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"azbackupflow/internal/customhandler"
)

// StartInvocation starts the span of one invocation. It serves as
// customhandler's observer of invocations.
//
// The parent is the trace context in the message, so that all invocations of an
// operation belong to the operation's trace. Without one it is the caller's. All
// log lines of the invocation contain the trace ID.
func (t *Telemetry) StartInvocation(ctx context.Context, inv customhandler.Invocation) (context.Context, func(status int, err error)) {
	caller := trace.SpanContextFromContext(remote(ctx, inv.Trace))
	options := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.String("azbackupflow.function", inv.Function), attribute.String("faas.invocation_id", inv.ID)),
	}
	name, parent := inv.Function, inv.Trace
	if header := t.messageTrace(inv); header != "" {
		parent = header
		if caller.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: caller}))
		}
	}
	if inv.Method != "" {
		name = inv.Method + " " + inv.Function
		options = append(options, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("http.request.method", inv.Method)))
	}
	ctx, span := t.tracer.Start(remote(ctx, parent), name, options...)
	customhandler.Annotate(ctx, slog.String("traceId", span.SpanContext().TraceID().String()))
	return ctx, func(status int, err error) {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		finish(span, err, status >= http.StatusInternalServerError)
	}
}

// finish ends a span. It records only the type of an error, because the text may
// contain secrets.
func finish(span trace.Span, err error, failed bool) {
	if err != nil {
		span.SetAttributes(attribute.String("error.type", fmt.Sprintf("%T", err)))
	}
	if err != nil || failed {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
