package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/operation"
)

// sendByJavaScript sends messages to the queue requests with npm's
// @azure/service-bus.
func (l *local) sendByJavaScript(messages ...map[string]any) {
	l.t.Helper()
	folder := filepath.Join("..", "outside", "servicebus")
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "@azure", "service-bus")); err != nil {
		l.t.Skip("@azure/service-bus is not installed: run npm ci --ignore-scripts in test/outside/servicebus")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		l.t.Skip("node is not installed")
	}
	cmd := exec.CommandContext(l.t.Context(), node, "send.mjs")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "SERVICEBUS_CONNECTION="+l.Broker.ConnectionString(), "SERVICEBUS_QUEUE=requests")
	cmd.Stdin = bytes.NewReader(encoded(messages))
	output, err := cmd.CombinedOutput()
	require.NoErrorf(l.t, err, "%s", output)
}

// cloudEvent returns an event in structured mode with data.
func cloudEvent(id string, data any) map[string]any {
	return map[string]any{"specversion": "1.0", "id": id, "source": "https://example.com/orders", "type": "com.example.backup.requested", "data": data}
}

// TestQueueRequest_AcceptsTheFormatsOfOtherSystems sends messages in the
// formats of other systems, with clients that share no code. The flows run to
// completion.
func TestQueueRequest_AcceptsTheFormatsOfOtherSystems(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	one, two, three := newSite(&world, "one", protected), newSite(&world, "two", protected), newSite(&world, "three", protected)
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world})
	l.send("requests", message("by-go", one.backup()))
	plain, inEvent := two.backup(), three.backup()
	delete(plain, "key")
	delete(inEvent, "key")
	l.sendByJavaScript(
		map[string]any{"messageId": "by-javascript", "contentType": "application/json", "body": plain},
		map[string]any{"messageId": "m3", "contentType": "application/cloudevents+json", "body": cloudEvent("7", inEvent)},
	)
	l.backedUpOnce(one, operation.ID("local", "backup-now", fmt.Sprint(one.backup()["key"])))
	l.backedUpOnce(two, operation.ID("local", "backup-now", "by-javascript"))
	l.backedUpOnce(three, operation.ID("local", "backup-now", "https://example.com/orders 7"))
	l.requireNothingLeft("requests")
	require.Empty(t, l.rejectedRequests())
}

// bulkServers is the number of operations that the bulks start.
const bulkServers = 1000

// thousand adds a thousand protected flexible servers to the vault of the site.
func (s serverSite) thousand(world *armsim.World) (targets []any) {
	for i := range bulkServers {
		server := armsim.FlexibleServer{Subscription: armsim.DemoSubscription, ResourceGroup: "servers", Name: fmt.Sprintf("pg%04d", i), Location: s.vault.Location}
		world.FlexibleServers = append(world.FlexibleServers, server)
		world.ProtectedDatasources = append(world.ProtectedDatasources, armsim.ProtectedDatasource{
			Vault: s.vault.ID(), Policy: "flexible", Datasource: server.ID(), Instance: server.Name,
		})
		targets = append(targets, map[string]any{"serverId": server.ID(), "instanceName": server.Name})
	}
	return targets
}

// TestBulk_AThousandOperationsComplete starts a thousand operations by a few
// bulk messages over every channel. All complete, are listed by their label,
// and need little memory.
func TestBulk_AThousandOperationsComplete(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	s := newServerSite(&world, "bulk")
	targets := s.thousand(&world)
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Settings: withoutSweep()})
	bulk := func(key string, targets ...any) map[string]any {
		return map[string]any{"key": key, "targets": targets, "template": map[string]any{
			"flow":       "protect-postgres",
			"parameters": map[string]any{"vaultId": s.vault.ID(), "location": s.vault.Location, "policy": "flexible"},
			"labels":     map[string]any{"bulk": "all servers"},
		}}
	}
	wrong := map[string]any{"serverId": "pg0001"}
	began := time.Now()
	l.send("requests", message("first", bulk("first", append([]any{wrong}, targets[:600]...)...)))
	l.sendByJavaScript(map[string]any{"messageId": "second", "contentType": "application/cloudevents+json", "body": cloudEvent("second", bulk("", targets[600:800]...))})
	var answer api.BulkResult
	res := l.call(http.MethodPost, "/operations:bulk", bulk("third", append([]any{wrong}, targets[800:]...)...), &answer)
	require.Equal(t, http.StatusAccepted, res.StatusCode)
	require.Len(t, answer.Accepted, 200)
	require.Len(t, answer.Rejected, 1)
	require.Equal(t, "parameters.serverId", answer.Rejected[0].Fields[0].Field)

	var all []api.Operation
	require.Eventually(t, func() bool {
		all = l.pagesOf("bulk=all servers", 100)
		for _, v := range all {
			if !v.Status.Terminal() {
				return false
			}
		}
		return len(all) == bulkServers
	}, 3*maxWait, time.Second, "not all operations end")
	t.Logf("%d operations ended after %v", len(all), time.Since(began).Round(time.Second))
	servers := map[string]bool{}
	for i, v := range all {
		require.Equal(t, api.Succeeded, v.Status)
		require.False(t, i > 0 && v.CreatedAt.After(all[i-1].CreatedAt), "not the newest first")
		var p struct{ ServerID string }
		require.NoError(t, json.Unmarshal(v.Parameters, &p))
		servers[p.ServerID] = true
	}
	require.Len(t, servers, bulkServers)
	for _, a := range answer.Accepted {
		v, ok := l.get(a.ID)
		require.True(t, ok)
		require.Equal(t, a.Key, v.Key)
		break
	}
	// Only the item with the wrong target is recorded. The one over HTTP was
	// answered directly.
	r := l.rejectedRequestOf("first#0")
	require.Equal(t, "parameters.serverId", r.Fields[0].Field)
	require.Len(t, l.rejectedRequests(), 1)
	l.requireNothingLeft("requests")
	l.requireNothingLeft("steps")

	peak, ok := peakMemory(t, l.Host().HandlerPID())
	if !ok {
		t.Log("the handler's memory can only be read on Linux")
		return
	}
	t.Logf("the handler's memory was at most %d MB", peak>>20)
	require.Less(t, peak, 100<<20)
}

// pagesOf returns all operations with a label, page by page.
func (l *local) pagesOf(label string, pageSize int) (all []api.Operation) {
	l.t.Helper()
	seen := map[string]bool{}
	next := ""
	for {
		query := url.Values{"label": {label}, "pageSize": {strconv.Itoa(pageSize)}}
		if next != "" {
			query.Set("continue", next)
		}
		var page api.OperationPage
		res := l.call(http.MethodGet, "/operations?"+query.Encode(), nil, &page)
		require.Equal(l.t, http.StatusOK, res.StatusCode)
		require.LessOrEqual(l.t, len(page.Operations), pageSize)
		for _, v := range page.Operations {
			require.False(l.t, seen[v.ID], "%s is listed twice", v.ID)
			seen[v.ID] = true
		}
		all = append(all, page.Operations...)
		if next = page.Continue; next == "" {
			return all
		}
	}
}

// peakMemory returns the peak memory of a process in bytes.
func peakMemory(t *testing.T, pid int) (int, bool) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(raw)
	require.NotNil(t, found)
	kilobytes, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return kilobytes << 10, true
}
