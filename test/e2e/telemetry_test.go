package e2e

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	tracedata "go.opentelemetry.io/proto/otlp/trace/v1"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// TestTelemetry_AnOperationIsOneTrace runs the first operation of the demo with
// a collector. There is one connected trace with every invocation, every call
// of ARM, and the calls of the table and the bus. The log has the same trace,
// and the metrics have the same counts.
func TestTelemetry_AnOperationIsOneTrace(t *testing.T) {
	t.Parallel()
	collector := newCollector(t)
	settings := collector.settings()
	settings["AZBACKUPFLOW_LOG_LEVEL"] = "DEBUG"
	settings["AZBACKUPFLOW_NOTICES"] = "notices"
	served := &counter{seen: map[string]int{}}
	l := startInTurn(t, stack.Config{SpeedFactor: 150, Settings: settings, Queues: []string{"notices"}, Fault: served.hook})
	l.ARM.Inject(armsim.Rule{Kind: "GET backupJobs", Times: 1, Effect: armsim.Answer(http.StatusTooManyRequests, `{"error":{"code":"TooManyRequests"}}`, http.Header{"Retry-After": {"1"}})})
	id := l.begin(protect("one-trace"))
	view := l.succeeds(id)
	events := l.history(id)

	var own []span
	var trace string
	require.Eventually(t, func() bool {
		seqs := map[int64]bool{}
		own = nil
		for _, s := range collector.spans() {
			if s.text("azbackupflow.operation.id") == id {
				trace = s.trace()
				seqs[s.number("azbackupflow.seq")] = true
			}
		}
		for _, s := range collector.spans() {
			if s.trace() == trace {
				own = append(own, s)
			}
		}
		for seq := int64(1); seq < view.Seq; seq++ {
			if !seqs[seq] {
				return false
			}
		}
		return ended(own, view.Flow) && len(strangers(own)) == 0
	}, maxWait, 50*time.Millisecond, "the trace is complete")

	// Every span about the operation is in that trace, which has one root.
	var roots []string
	calls, kinds := 0, map[string]int{}
	for _, s := range collector.spans() {
		if s.text("azbackupflow.operation.id") == id {
			require.Equal(t, trace, s.trace(), s.Name)
		}
	}
	for _, s := range own {
		if len(s.ParentSpanId) == 0 {
			roots = append(roots, s.Name)
			require.Len(t, s.Links, 1, "the trace starts at the request")
		}
		system, _, _ := strings.Cut(s.Name, " ")
		kinds[system]++
		if system == "ARM" {
			calls++
			require.Equal(t, tracedata.Span_SPAN_KIND_CLIENT, s.Kind)
		}
	}
	require.Equal(t, []string{"accept protect-file-share"}, roots)
	exchanges := 0
	for _, e := range events {
		exchanges += len(e.Exchanges)
	}
	require.Equal(t, exchanges, calls, "each call of ARM is a span")
	require.GreaterOrEqual(t, int64(kinds["run-step"]), view.Seq-1)
	require.GreaterOrEqual(t, int64(kinds["table"]), 2*(view.Seq-1), "a read and a transaction for each step")
	require.GreaterOrEqual(t, int64(kinds["send"]), view.Seq-2)

	require.Eventually(t, func() bool {
		return collector.total("azbackupflow.operation.duration", map[string]string{"flow": view.Flow, "status": "Succeeded"}) == 1 &&
			collector.total("azbackupflow.steps", map[string]string{"flow": view.Flow}) == view.Seq-1 &&
			collector.total("azbackupflow.arm.calls", nil) == int64(calls)
	}, maxWait, 50*time.Millisecond)
	require.Equal(t, int64(1), collector.total("azbackupflow.arm.throttles", nil))
	require.Equal(t, int64(1), collector.total("azbackupflow.arm.calls", map[string]string{"outcome": "Throttled"}))
	require.Equal(t, int64(1), collector.total("azbackupflow.operations.started", map[string]string{"flow": view.Flow}))
	require.Equal(t, view.Seq-2, collector.total("azbackupflow.waits", nil))
	l.linesName(id, trace)

	notices := 0
	for _, s := range own {
		if s.Name == "send notices" {
			notices++
		}
	}
	require.Equal(t, 2, notices, "the trace contains the notices of its start and its end")
	// These are the spans of all traces of the app.
	pinged := map[string]bool{}
	require.Equal(t, http.StatusOK, l.call(http.MethodGet, "/preflight", nil, nil).StatusCode)
	require.Eventually(t, func() bool {
		spans := map[string]int{}
		for _, s := range collector.spans() {
			switch system, queue, _ := strings.Cut(s.Name, " "); system {
			case "ping":
				pinged[queue] = true
			case "table":
				spans["table"]++
			case "send":
				spans["bus "+s.Name]++
			}
		}
		return len(pinged) == 3 && maps.Equal(spans, served.calls())
	}, maxWait, 50*time.Millisecond, "each call of the tables and the bus is a span")
}

// calls returns the spans of table calls, and of sent messages by their queue.
func (c *counter) calls() map[string]int {
	calls := map[string]int{}
	for key, n := range c.snapshot() {
		switch {
		case strings.HasPrefix(key, "table "):
			calls["table"] += n
		case strings.HasPrefix(key, "bus send "):
			calls[key] += n
		}
	}
	return calls
}

// linesName asserts that each line of an invocation that worked on the
// operation names the operation, its progress, the invocation and the trace.
func (l *local) linesName(id, trace string) {
	l.t.Helper()
	lines := 0
	for _, text := range l.output() {
		var line map[string]any
		require.NoError(l.t, json.Unmarshal([]byte(text), &line), text)
		if line["function"] != "run-step" || line["op"] != id {
			continue
		}
		lines++
		require.Equal(l.t, trace, line["traceId"], text)
		for _, key := range []string{"invocationId", "flow", "step", "seq"} {
			require.NotEmpty(l.t, line[key], "%s in %s", key, text)
			require.Equal(l.t, 1, strings.Count(text, `"`+key+`":`), text)
		}
	}
	require.NotZero(l.t, lines)
}

// ended reports whether the span of the whole operation has arrived.
func ended(spans []span, flow string) bool {
	for _, s := range spans {
		if s.Name == flow {
			return true
		}
	}
	return false
}

// strangers returns the spans whose parent is not among them.
func strangers(spans []span) (names []string) {
	known := map[string]bool{"": true}
	for _, s := range spans {
		known[hex.EncodeToString(s.SpanId)] = true
	}
	for _, s := range spans {
		if !known[hex.EncodeToString(s.ParentSpanId)] {
			names = append(names, s.Name)
		}
	}
	return names
}
