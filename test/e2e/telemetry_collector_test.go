package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	metricsv1 "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	metricsdata "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracedata "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// collector receives the telemetry of the handler, as an OpenTelemetry
// collector does: OTLP over HTTP, in protobuf.
type collector struct {
	url string

	mu      sync.Mutex
	traced  []span
	metered map[string]*metricsdata.Metric
	all     []string
}

// span is an exported span.
type span struct{ *tracedata.Span }

func (s span) trace() string { return hex.EncodeToString(s.TraceId) }

// text is a string attribute, number an integer one.
func (s span) text(key string) string { return valueOf(s.Attributes, key).GetStringValue() }

func (s span) number(key string) int64 { return valueOf(s.Attributes, key).GetIntValue() }

func valueOf(attributes []*commonv1.KeyValue, key string) *commonv1.AnyValue {
	for _, a := range attributes {
		if a.Key == key {
			return a.Value
		}
	}
	return nil
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{metered: map[string]*metricsdata.Metric{}}
	receive := func(into proto.Message, took func()) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			c.mu.Lock()
			defer c.mu.Unlock()
			if !assert.NoError(t, err) || !assert.Equal(t, "application/x-protobuf", r.Header.Get("Content-Type")) ||
				!assert.NoError(t, proto.Unmarshal(body, into)) {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			c.all = append(c.all, string(body), prototext.Format(into))
			took()
			w.Header().Set("Content-Type", "application/x-protobuf")
		}
	}
	traces, metrics := &tracev1.ExportTraceServiceRequest{}, &metricsv1.ExportMetricsServiceRequest{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", receive(traces, func() {
		for _, resource := range traces.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					c.traced = append(c.traced, span{s})
				}
			}
		}
	}))
	mux.HandleFunc("POST /v1/metrics", receive(metrics, func() {
		for _, resource := range metrics.ResourceMetrics {
			for _, scope := range resource.ScopeMetrics {
				for _, m := range scope.Metrics {
					c.metered[m.Name] = m // cumulative: the last value includes all
				}
			}
		}
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// settings returns the settings that make the handler export here, and soon.
func (c *collector) settings() map[string]string {
	return map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": c.url, "OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "200",
	}
}

func (c *collector) spans() []span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]span(nil), c.traced...)
}

// texts returns all received bodies, as bytes and as text.
func (c *collector) texts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.all...)
}

// total sums a metric over the data points with these attributes: the value of
// a counter, the count of a histogram.
func (c *collector) total(metric string, attributes map[string]string) (sum int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.metered[metric]
	fits := func(of []*commonv1.KeyValue) bool {
		for key, want := range attributes {
			if valueOf(of, key).GetStringValue() != want {
				return false
			}
		}
		return true
	}
	for _, p := range m.GetSum().GetDataPoints() {
		if fits(p.Attributes) {
			sum += p.GetAsInt()
		}
	}
	for _, p := range m.GetHistogram().GetDataPoints() {
		if fits(p.Attributes) {
			sum += int64(p.GetCount())
		}
	}
	return sum
}
