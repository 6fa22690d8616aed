// Package e2e runs whole operations through the real parts: the packaged
// handler program, started from the packaged host.json by the stand-in for the
// Functions host, over AMQP, Table Storage and HTTP.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/functionshost"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/packaging"
)

// dist is the package that all tests run: the output of make package.
var dist string // made once by TestMain

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "azbackupflow-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		dist = filepath.Join(dir, "dist")
		_, err = packaging.Build(context.Background(), packaging.Config{
			Root: "../..", Folder: dist, Archive: filepath.Join(dir, "dist.zip"), Version: "e2e",
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// local is a running stack with the output of its handler.
type local struct {
	*stack.Stack
	t *testing.T

	mu    sync.Mutex
	lines []string
}

// maxWait is the maximum time to wait for a condition. Only a failing test
// waits this long.
const maxWait = 90 * time.Second

// start starts a stack and stops it at the end of the test. The stack runs the
// package of all tests unless the configuration names another one.
func start(t *testing.T, c stack.Config) *local {
	t.Helper()
	if _, err := os.Stat("../../internal/local/azurite/node_modules"); err != nil {
		t.Skip("needs Azurite: make deps")
	}
	l := &local{t: t}
	if c.Dist == "" {
		c.Dist = dist
	}
	c.Output = func(line functionshost.HandlerLine) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, line.Text)
	}
	c.Fault = late(c.Fault)
	c.RequireSignedPolls = true
	var err error
	l.Stack, err = stack.New(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error("stop the stack:", err)
		}
		if t.Failed() {
			lines := l.output()
			t.Log("the last output of the handler:\n" + strings.Join(lines[max(0, len(lines)-60):], "\n"))
		}
	})
	return l
}

// output returns the output of the handler so far.
func (l *local) output() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// says waits until the handler has written a text, and returns the whole
// output. A handler writes its log after its answer.
func (l *local) says(text string) (written string) {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		written = strings.Join(l.output(), "\n")
		return strings.Contains(written, text)
	}, maxWait, 20*time.Millisecond, "the handler does not log: "+text)
	return written
}

// answer is the answer of the HTTP API without its body.
type answer struct {
	StatusCode int
	Header     http.Header
}

// call sends one request to the HTTP API and decodes the answer into into.
func (l *local) call(method, path string, body any, into any) *answer {
	l.t.Helper()
	res, raw, err := l.try(method, path, body)
	require.NoError(l.t, err)
	if into != nil {
		require.NoErrorf(l.t, json.Unmarshal(raw, into), "%s %s: %s", method, path, raw)
	}
	return res
}

// try is call for a time when the API may be unavailable.
func (l *local) try(method, path string, body any) (*answer, []byte, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return nil, nil, err
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(l.t.Context(), method, l.URL()+"/api"+path, reader)
	if err != nil {
		return nil, nil, err
	}
	res, err := (&http.Client{Timeout: maxWait}).Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return &answer{res.StatusCode, res.Header}, raw, err
}

// begin requests an operation, with retries, and returns its ID.
func (l *local) begin(request map[string]any) string {
	l.t.Helper()
	var v api.Operation
	var rejected string
	require.Eventually(l.t, func() bool {
		res, raw, err := l.try(http.MethodPost, "/operations", request)
		if err != nil || res.StatusCode >= http.StatusInternalServerError {
			return false
		}
		if res.StatusCode >= http.StatusBadRequest {
			rejected = string(raw)
			return true
		}
		return json.Unmarshal(raw, &v) == nil
	}, maxWait, 50*time.Millisecond)
	require.Empty(l.t, rejected)
	return v.ID
}

// get reads an operation; ok is false while the API is unavailable.
func (l *local) get(id string) (v api.Operation, ok bool) {
	res, raw, err := l.try(http.MethodGet, "/operations/"+id, nil)
	if err != nil || res.StatusCode != http.StatusOK {
		return v, false
	}
	return v, json.Unmarshal(raw, &v) == nil
}

// await waits until the operation has ended or is parked.
func (l *local) await(id string) (v api.Operation) {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		var ok bool
		v, ok = l.get(id)
		return ok && (v.Status.Terminal() || v.Status == api.Parked)
	}, maxWait, 50*time.Millisecond, "operation %s does not end: %+v", id, &v)
	return v
}

// succeeds waits for the operation to succeed.
func (l *local) succeeds(id string) api.Operation {
	l.t.Helper()
	v := l.await(id)
	require.Equalf(l.t, api.Succeeded, v.Status, "%+v", v.Error)
	return v
}

// history returns the history of an operation.
func (l *local) history(id string) []api.Event {
	l.t.Helper()
	var h struct{ Events []api.Event }
	res := l.call(http.MethodGet, "/operations/"+id+"/history", nil, &h)
	require.Equal(l.t, http.StatusOK, res.StatusCode)
	return h.Events
}

const (
	demoVault   = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	demoAccount = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2"
)

// protect requests protection and a backup of the share of the Learn page.
func protect(key string) map[string]any {
	return map[string]any{
		"flow": "protect-file-share", "key": key, "parameters": fileShare{demoAccount, "testshare"}.parameters(),
	}
}

// backup requests an on-demand backup of a protected file share.
func backup(key, account, name string) map[string]any {
	return map[string]any{
		"flow": "backup-now", "key": key,
		"parameters": map[string]any{"fileShare": map[string]any{"vaultId": demoVault, "storageAccountId": account, "name": name}},
	}
}
