package telemetry

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"azbackupflow/internal/operation"
)

// ARM makes the span of one call of Azure Resource Manager and counts it; it is
// arm.Config.Observe.
func (t *Telemetry) ARM(ctx context.Context, method, path string) (context.Context, func(status int, err error)) {
	kind := resourceType(path)
	ctx, span := t.tracer.Start(ctx, "ARM "+method+" "+kind, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", method), attribute.String("url.path", path), attribute.String("azure.resource_type", kind)))
	return ctx, func(status int, err error) {
		// The caller's own deadline must not lose the count.
		ctx := context.WithoutCancel(ctx)
		about := []attribute.KeyValue{attribute.String("method", method), attribute.String("resource_type", kind)}
		outcome := "ok"
		var known *operation.Error
		if errors.As(err, &known) {
			outcome = string(known.Class)
			span.SetAttributes(attribute.String("azbackupflow.error.code", known.Code), attribute.String("azbackupflow.error.class", outcome))
			if known.Class == operation.Throttled {
				t.instruments.throttles.Add(ctx, 1, metric.WithAttributes(about...))
			}
		}
		if status > 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", status))
		}
		t.instruments.armCalls.Add(ctx, 1, metric.WithAttributes(append(about, attribute.String("outcome", outcome))...))
		finish(span, err, false)
	}
}

// resourceType is the path without names, such as
// Microsoft.RecoveryServices/vaults/backupJobs, so that calls can be counted by
// it. A path of another form has no type.
func resourceType(path string) string {
	at := strings.LastIndex(strings.ToLower(path), "/providers/")
	if at < 0 {
		return "other"
	}
	parts := strings.Split(path[at+len("/providers/"):], "/")
	kind := parts[0]
	for n := 1; n < len(parts); n += 2 {
		kind += "/" + parts[n]
	}
	return kind
}

// Tables makes the span of each call of Table Storage; it is a policy of the
// client's pipeline, once per call with all its tries.
func (t *Telemetry) Tables() policy.Policy { return tablePolicy{t.tracer} }

type tablePolicy struct{ tracer trace.Tracer }

// Do passes the request on.
func (p tablePolicy) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	// The last segment is the table, with the keys in brackets, or $batch.
	table := raw.URL.Path[strings.LastIndexByte(raw.URL.Path, '/')+1:]
	table, _, _ = strings.Cut(table, "(")
	ctx, span := p.tracer.Start(raw.Context(), "table "+raw.Method+" "+table, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", raw.Method), attribute.String("db.system.name", "azure.table"), attribute.String("db.collection.name", table)))
	resp, err := req.WithContext(ctx).Next()
	if resp != nil {
		span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
		// 404, 409 and 412 are answers that the store asks for.
		if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusUnauthorized {
			span.SetStatus(codes.Error, "")
		}
	}
	finish(span, err, false)
	return resp, err
}

// Bus makes the span of one message that is sent; it is the Observe of a queue
// and of a publisher.
func (t *Telemetry) Bus(ctx context.Context, queue string) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, "send "+queue, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		attribute.String("messaging.system", "servicebus"), attribute.String("messaging.destination.name", queue)))
	return ctx, func(err error) { finish(span, err, false) }
}

// Reach makes the span of a look whether a queue can be reached.
func (t *Telemetry) Reach(ctx context.Context, queue string) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, "reach "+queue, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("messaging.system", "servicebus"), attribute.String("messaging.destination.name", queue)))
	return ctx, func(err error) { finish(span, err, false) }
}
