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

// StartARMCall starts the span of one call of Azure Resource Manager. The
// returned function ends the span and counts the call. It serves as
// arm.Config.Observe.
func (t *Telemetry) StartARMCall(ctx context.Context, method, path string) (context.Context, func(status int, err error)) {
	kind := resourceType(path)
	ctx, span := t.tracer.Start(ctx, "ARM "+method+" "+kind, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", method), attribute.String("url.path", path), attribute.String("azure.resource_type", kind)))
	return ctx, func(status int, err error) {
		// The call is counted even if the caller's deadline has passed.
		ctx := context.WithoutCancel(ctx)
		labels := []attribute.KeyValue{attribute.String("method", method), attribute.String("resource_type", kind)}
		outcome := "ok"
		var known *operation.Error
		if errors.As(err, &known) {
			outcome = string(known.Class)
			span.SetAttributes(attribute.String("azbackupflow.error.code", known.Code), attribute.String("azbackupflow.error.class", outcome))
			if known.Class == operation.Throttled {
				t.instruments.throttles.Add(ctx, 1, metric.WithAttributes(labels...))
			}
		}
		if status > 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", status))
		}
		t.instruments.armCalls.Add(ctx, 1, metric.WithAttributes(append(labels, attribute.String("outcome", outcome))...))
		finish(span, err, false)
	}
}

// resourceType returns the path without names, such as
// Microsoft.RecoveryServices/vaults/backupJobs. It returns "other" for a path
// without a resource provider. Metrics use it instead of
// the path, because there are too many different paths.
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

// TablePolicy returns a policy for the pipeline of the table client. It makes
// one span for each call, including its retries.
func (t *Telemetry) TablePolicy() policy.Policy { return tablePolicy{t.tracer} }

type tablePolicy struct{ tracer trace.Tracer }

// Do sends the request within a span.
func (p tablePolicy) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	// The last segment is the table name with the keys in parentheses, or $batch.
	table := raw.URL.Path[strings.LastIndexByte(raw.URL.Path, '/')+1:]
	table, _, _ = strings.Cut(table, "(")
	ctx, span := p.tracer.Start(raw.Context(), "table "+raw.Method+" "+table, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", raw.Method), attribute.String("db.system.name", "azure.table"), attribute.String("db.collection.name", table)))
	resp, err := req.WithContext(ctx).Next()
	if resp != nil {
		span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
		// 404, 409 and 412 are regular answers of conditional requests.
		if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusUnauthorized {
			span.SetStatus(codes.Error, "")
		}
	}
	finish(span, err, false)
	return resp, err
}

// StartSend starts the span of one message. It serves as queue.Observer.
func (t *Telemetry) StartSend(ctx context.Context, queue string) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, "send "+queue, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		attribute.String("messaging.system", "servicebus"), attribute.String("messaging.destination.name", queue)))
	return ctx, func(err error) { finish(span, err, false) }
}

// StartPing starts the span of one queue.Ping.
func (t *Telemetry) StartPing(ctx context.Context, queue string) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, "ping "+queue, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("messaging.system", "servicebus"), attribute.String("messaging.destination.name", queue)))
	return ctx, func(err error) { finish(span, err, false) }
}
