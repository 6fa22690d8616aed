package request_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

const data = `{"flow":"backup-now","parameters":{}}`

// event is a CloudEvent with further attributes, which win.
func event(more string) string {
	return `{"specversion":"1.0","id":"7","source":"https://example.com/orders","type":"com.example.backup","data":` + data + more + `}`
}

func TestUnwrap_ReturnsTheDataOfACloudEvent(t *testing.T) {
	t.Parallel()
	for _, more := range []string{
		``, `,"datacontenttype":"application/json"`, `,"datacontenttype":"application/json; charset=utf-8"`,
		`,"datacontenttype":"application/vnd.example+json"`, `,"subject":"x","time":"2026-11-21T03:00:00Z","dataschema":"urn:azbackupflow:schema:request:v1"`,
		`,"anextension":true`,
	} {
		c, err := request.Unwrap([]byte(event(more)))
		require.NoError(t, err, more)
		require.JSONEq(t, data, string(c.Body))
		require.Equal(t, "https://example.com/orders 7", c.Key)
		require.Empty(t, c.TraceParent)
	}
	c, err := request.Unwrap([]byte(event(`,"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"`)))
	require.NoError(t, err)
	require.Equal(t, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", c.TraceParent)
}

func TestUnwrap_KeepsOtherMessages(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{data, ``, `<`, `[]`, `null`, `{"id":"7","source":"s","data":{}}`} {
		c, err := request.Unwrap([]byte(raw))
		require.NoError(t, err)
		require.Equal(t, request.Content{Body: []byte(raw)}, c)
	}
}

func TestUnwrap_NamesInvalidAttribute(t *testing.T) {
	t.Parallel()
	for raw, field := range map[string]string{
		event(`,"specversion":"0.3"`):                          "specversion",
		event(`,"specversion":1.0`):                            "specversion",
		event(`,"id":""`):                                      "id",
		event(`,"id":7`):                                       "id",
		event(`,"source":""`):                                  "source",
		event(`,"source":"a b"`):                               "source",
		event(`,"type":""`):                                    "type",
		event(`,"data":null`):                                  "data",
		event(`,"data_base64":"e30="`):                         "data_base64",
		event(`,"datacontenttype":"text/xml"`):                 "datacontenttype",
		event(`,"datacontenttype":7`):                          "datacontenttype",
		`{"specversion":"1.0"}`:                                "source",
		`{"specversion":"1.0","id":"7","source":"s","data":7}`: "type",
	} {
		_, err := request.Unwrap([]byte(raw))
		fields := step.FieldsOf(err)
		require.NotEmpty(t, fields, raw)
		require.Equal(t, field, fields[0].Field, raw)
		require.NotEmpty(t, fields[0].Want)
	}
}

func TestUnwrap_KeysAreUnique(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	keys := map[string]string{}
	for _, e := range [][2]string{{"a", "b c"}, {"a", "b"}, {"ab", "c"}, {"a", "bc"}, {"a", long}, {"a", long + "y"}, {long, "a"}} {
		raw := strings.NewReplacer("https://example.com/orders", e[0], `"id":"7"`, `"id":"`+e[1]+`"`).Replace(event(""))
		c, err := request.Unwrap([]byte(raw))
		require.NoError(t, err)
		require.LessOrEqual(t, len(c.Key), request.MaxBulkKey)
		require.Empty(t, keys[c.Key], "%v has the key of another", e)
		keys[c.Key] = raw
	}
}

func TestUnwrap_DropsALongTraceContext(t *testing.T) {
	t.Parallel()
	for length, kept := range map[int]bool{128: true, 129: false} {
		c, err := request.Unwrap([]byte(`{"specversion":"1.0","source":"/s","id":"i","type":"t","traceparent":"` + strings.Repeat("a", length) + `","data":{}}`))
		require.NoError(t, err)
		require.Equal(t, kept, c.TraceParent != "")
	}
}
