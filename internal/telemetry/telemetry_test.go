package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// rig is a Telemetry that exports to memory.
type rig struct {
	*Telemetry
	t      *testing.T
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
}

func newRig(t *testing.T) rig {
	t.Helper()
	r := rig{t: t, spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	all, err := newInstruments(sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader)).Meter(scopeName))
	require.NoError(t, err)
	r.Telemetry = &Telemetry{
		tracer:       sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans), sdktrace.WithSampler(sdktrace.AlwaysSample())).Tracer(scopeName),
		instruments:  all,
		messageTrace: func(inv customhandler.Invocation) string { return string(inv.Data["trace"]) },
	}
	return r
}

// metrics returns the sum or count of each recorded metric.
func (r rig) metrics() map[string]int64 {
	r.t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(r.t, r.reader.Collect(r.t.Context(), &data))
	all := map[string]int64{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					all[m.Name] += p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					all[m.Name] += int64(p.Count)
				}
			case metricdata.Gauge[int64]:
				all[m.Name] = d.DataPoints[0].Value
			}
		}
	}
	return all
}

const (
	operationTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	hostTrace      = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
)

func TestExporters_FollowVariables(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		variables map[string]string
		want      bool
		err       string
	}{
		"no variable":          {},
		"endpoint":             {variables: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, want: true},
		"endpoint for traces":  {variables: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/x"}, want: true},
		"endpoint for metrics": {variables: map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318/x"}},
		"exporter by name":     {variables: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, want: true},
		"exporter none":        {variables: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}},
		"disabled":             {variables: map[string]string{"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}},
		"unsupported exporter": {variables: map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, err: `OTEL_TRACES_EXPORTER is "zipkin"; use otlp or none`},
		"unsupported protocol": {variables: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, err: `OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"; use http/protobuf`},
		"the same protocol":    {variables: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lookup := func(name string) (string, bool) { v, ok := c.variables[name]; return v, ok }
			got, err := enabled(lookup, "TRACES")
			require.Equal(t, c.want, got)
			if c.err == "" {
				require.NoError(t, err)
				require.NoError(t, Check(lookup))
				return
			}
			require.EqualError(t, err, c.err)
			require.EqualError(t, Check(lookup), c.err)
		})
	}
}

func TestInvocation_BelongsToOperationAndLinksToCaller(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	inv := customhandler.Invocation{ID: "i", Function: "run-step", Trace: hostTrace, Data: map[string]json.RawMessage{"trace": json.RawMessage(operationTrace)}}
	_, end := r.StartInvocation(t.Context(), inv)
	end(200, nil)
	_, end = r.StartInvocation(t.Context(), customhandler.Invocation{Function: "api", Method: "POST", Trace: hostTrace})
	end(503, nil)
	_, end = r.StartInvocation(t.Context(), customhandler.Invocation{Function: "sweep", Trace: "not a trace"})
	end(500, errors.New("AccountKey=c2VjcmV0"))

	spans := r.spans.GetSpans()
	require.Len(t, spans, 3)
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", spans[0].SpanContext.TraceID().String())
	require.Equal(t, "b7ad6b7169203331", spans[0].Parent.SpanID().String())
	require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", spans[0].Links[0].SpanContext.TraceID().String())
	require.Equal(t, "POST api", spans[1].Name)
	require.Equal(t, trace.SpanKindServer, spans[1].SpanKind)
	require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", spans[1].SpanContext.TraceID().String())
	require.Equal(t, "Error", spans[1].Status.Code.String())
	require.False(t, spans[2].Parent.IsValid())
	require.Empty(t, spans[2].Status.Description, "the text of an error may contain secrets")
}

// stored is a store of one row whose saves can fail after they succeeded.
type stored struct {
	engine.Store
	row  engine.Row
	fail error
}

func (s *stored) Load(context.Context, string) (engine.Row, error) { return s.row, nil }

func (s *stored) Save(_ context.Context, row engine.Row, _ operation.Event) (string, error) {
	s.row = row
	return "etag", s.fail
}

type runnerFunc func(context.Context, operation.Delivery) error

func (f runnerFunc) RunStep(ctx context.Context, d operation.Delivery) error { return f(ctx, d) }

func TestSave_IsCountedOnceEvenWithoutAnswer(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	first := operation.Operation{Identity: operation.Identity{ID: "op", Flow: "f", CreatedAt: now, TraceParent: operationTrace}, Progress: operation.Progress{Step: "one", Seq: 4, Status: operation.Running, WriteID: "a"}}
	second := first
	second.Step, second.Seq, second.WriteID, second.Rescues = "two", 5, "b", 1
	second.UpdatedAt, second.DueAt = now, now.Add(time.Minute)
	last := second
	last.Seq, last.WriteID, last.Status, last.EndedAt = 6, "c", operation.Failed, now.Add(time.Hour)

	r := newRig(t)
	inner := &stored{row: engine.Row{Operation: first}}
	s := r.WrapStore(inner)
	run := func(ctx context.Context, d operation.Delivery) error {
		require.Equal(t, operationTrace, d.Wakeup.TraceParent)
		_, err := s.Load(ctx, "op")
		require.NoError(t, err)
		_, err = s.Save(ctx, engine.Row{Operation: second}, operation.Event{})
		require.NoError(t, err)
		inner.fail = errors.New("no answer")
		_, err = s.Save(ctx, engine.Row{Operation: last}, operation.Event{})
		require.Error(t, err)
		require.Equal(t, int64(0), r.metrics()["azbackupflow.operation.duration"])
		for range 2 {
			_, err = s.Load(ctx, "op")
			require.NoError(t, err)
		}
		return nil
	}
	d := operation.Delivery{Wakeup: operation.Wakeup{OperationID: "op", Seq: 4, TraceParent: operationTrace}, Count: 1}
	require.NoError(t, r.WrapStepRunner(runnerFunc(run)).RunStep(t.Context(), d))
	require.Equal(t, map[string]int64{
		"azbackupflow.steps": 2, "azbackupflow.waits": 1, "azbackupflow.rescues": 1, "azbackupflow.operation.duration": 1,
	}, r.metrics())
	spans := r.spans.GetSpans()
	require.Len(t, spans, 1)
	require.Equal(t, time.Hour, spans[0].EndTime.Sub(spans[0].StartTime))
	require.Equal(t, "b7ad6b7169203331", spans[0].Parent.SpanID().String())

	// Loads and saves outside an invocation are not counted.
	_, err := s.Load(t.Context(), "op")
	require.NoError(t, err)
	_, err = s.Save(t.Context(), engine.Row{Operation: last}, operation.Event{})
	require.Error(t, err)
}

func TestOperation_WithoutTraceGetsOneAtNextInvocation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, end := r.StartInvocation(t.Context(), customhandler.Invocation{Function: "run-step"})
	var carried string
	run := func(_ context.Context, d operation.Delivery) error { carried = d.Wakeup.TraceParent; return nil }
	require.NoError(t, r.WrapStepRunner(runnerFunc(run)).RunStep(ctx, operation.Delivery{Wakeup: operation.Wakeup{OperationID: "op", Seq: 1}}))
	end(200, nil)
	require.Contains(t, carried, r.spans.GetSpans()[0].SpanContext.TraceID().String())
}

func TestARMCall_IsCountedByResourceType(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupJobs":                             "Microsoft.RecoveryServices/vaults/backupJobs",
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupJobs/j":                           "Microsoft.RecoveryServices/vaults/backupJobs",
		"/subscriptions/s/resourceGroups/g/providers/A/b/c/providers/Microsoft.Authorization/permissions":                        "Microsoft.Authorization/permissions",
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v/backupInstances/i/recoveryPoints/r": "Microsoft.DataProtection/backupVaults/backupInstances/recoveryPoints",
		"/subscriptions/s": "other",
	} {
		require.Equal(t, want, resourceType(path), path)
	}
	r := newRig(t)
	_, done := r.StartARMCall(t.Context(), "GET", "/subscriptions/s")
	done(429, &operation.Error{Code: "TooManyRequests", Class: operation.Throttled, HTTPStatus: 429})
	require.Equal(t, map[string]int64{"azbackupflow.arm.calls": 1, "azbackupflow.arm.throttles": 1}, r.metrics())
}

type sweeperFunc func() (engine.SweepResult, error)

func (f sweeperFunc) Sweep(context.Context) (engine.SweepResult, error) { return f() }

func TestSweep_RecordsOnlyCompleteSweeps(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.WrapSweeper(sweeperFunc(func() (engine.SweepResult, error) { return engine.SweepResult{Live: 1}, errors.New("interrupted") })).Sweep(t.Context())
	require.Error(t, err)
	require.Empty(t, r.metrics())
	_, err = r.WrapSweeper(sweeperFunc(func() (engine.SweepResult, error) { return engine.SweepResult{Live: 3, Parked: 2, Overdue: 1}, nil })).Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{
		"azbackupflow.operations.live": 3, "azbackupflow.operations.currently_parked": 2, "azbackupflow.operations.overdue": 1,
	}, r.metrics())
}

func TestDocs_DescribeEveryMetric(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/telemetry.md")
	require.NoError(t, err)
	r := newRig(t)
	m, ctx := r.instruments, t.Context()
	for _, c := range []interface {
		Add(context.Context, int64, ...metric.AddOption)
	}{m.started, m.parked, m.steps, m.rescues, m.armCalls, m.throttles} {
		c.Add(ctx, 1)
	}
	m.waits.Record(ctx, 1)
	m.durations.Record(ctx, 1)
	m.live.Record(ctx, 1)
	m.parkedNow.Record(ctx, 1)
	m.overdue.Record(ctx, 1)
	all := r.metrics()
	require.Len(t, all, 11)
	for name := range all {
		require.Contains(t, string(page), "`"+name+"`")
	}
}

func TestNew_WithoutVariablesStillMakesTraceIDs(t *testing.T) {
	t.Parallel()
	made, err := New(t.Context(), Config{Lookup: func(string) (string, bool) { return "", false }, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	header, accepted := made.StartOperation(t.Context(), operation.Operation{Identity: operation.Identity{ID: "op", Flow: "f"}})
	accepted()
	require.True(t, trace.SpanContextFromContext(remote(t.Context(), header)).IsSampled())
	require.NoError(t, made.Close(t.Context()))
}
