package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/stack"
)

const byteOrderMark = "\xef\xbb\xbf"

// TestRequest_MayBeginWithAByteOrderMark sends requests and a bulk as .NET senders
// write them.
func TestRequest_MayBeginWithAByteOrderMark(t *testing.T) {
	t.Parallel()
	l := start(t, stack.Config{SpeedFactor: 150})
	body := func(request map[string]any) string {
		raw, err := json.Marshal(request)
		require.NoError(t, err)
		return byteOrderMark + string(raw)
	}
	var started api.Operation
	require.Equal(t, http.StatusAccepted, l.call(http.MethodPost, "/operations", body(protect("mark-http")), &started).StatusCode)
	single := protect("mark-queue")
	template := protect("mark-bulk")
	delete(template, "key")
	bulk := map[string]any{"key": "mark-bulk", "template": template, "targets": []any{map[string]any{}}}
	l.send("requests",
		&azservicebus.Message{Body: []byte(body(single))},
		&azservicebus.Message{Body: []byte(body(bulk))})
	var list api.OperationPage
	require.Eventually(t, func() bool {
		res, raw, err := l.try(http.MethodGet, "/operations", nil)
		return err == nil && res.StatusCode == http.StatusOK && json.Unmarshal(raw, &list) == nil && len(list.Operations) == 3
	}, maxWait, 50*time.Millisecond, "three operations: %+v", &list)
}

// TestFunctionKey_IsInNoLogAndNoTrace sends the function key in the query, as the
// host passes it on, to routes that work, fail and do not exist.
func TestFunctionKey_IsInNoLogAndNoTrace(t *testing.T) {
	t.Parallel()
	const key = "s3cretFunctionKey"
	collector := newCollector(t)
	settings := collector.settings()
	settings["AZBACKUPFLOW_LOG_LEVEL"] = "DEBUG"
	l := startInTurn(t, stack.Config{SpeedFactor: 150, Settings: settings})
	for _, path := range []string{"/operations", "/operations/x", "/nowhere", "/operations:bulk", "/preflight", "/rejected/%2F"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			_, raw, err := l.try(method, path+"?code="+key, "no JSON")
			require.NoError(t, err)
			require.NotContains(t, string(raw), key, method+" "+path)
		}
	}
	id := l.begin(protect("with-key"))
	l.succeeds(id)
	require.Eventually(t, func() bool {
		for _, s := range collector.spans() {
			if s.text("azbackupflow.operation.id") == id {
				return true
			}
		}
		return false
	}, maxWait, 50*time.Millisecond, "the trace arrives")
	require.NotContains(t, strings.Join(collector.texts(), "\n"), key)
	require.NotContains(t, strings.Join(l.output(), "\n"), key)
}
