package storageproxy_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/azurite"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/storageproxy"
)

const row = `{"PartitionKey":"it's p","RowKey":"r","Status":"Running"}`

func startAzurite(t *testing.T) *azurite.Server {
	t.Helper()
	s, err := azurite.New(t.Context(), azurite.Config{})
	if errors.Is(err, azurite.ErrNotInstalled) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

func startProxy(t *testing.T, target string, hook fault.Hook) *storageproxy.Proxy {
	t.Helper()
	p, err := storageproxy.New(t.Context(), storageproxy.Config{Target: target, Fault: hook})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// client never retries, so that a test sees the result of each request.
func client(t *testing.T, connection, table string) *aztables.Client {
	t.Helper()
	options := &aztables.ClientOptions{ClientOptions: policy.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}}
	service, err := aztables.NewServiceClientFromConnectionString(connection, options)
	require.NoError(t, err)
	return service.NewClient(table)
}

// moments records the calls of the hook.
type moments struct {
	mu   sync.Mutex
	seen []string
}

func (m *moments) hook(at fault.Moment, r fault.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, at.String()+" "+r.Kind)
}

func (m *moments) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.seen)
}

func TestProxy_TablesClientWorksAndRequestsAreNamed(t *testing.T) {
	t.Parallel()
	var seen moments
	p := startProxy(t, startAzurite(t).ConnectionString(), seen.hook)
	operations := client(t, p.ConnectionString(), "operations")
	ctx := t.Context()

	_, err := operations.CreateTable(ctx, nil)
	require.NoError(t, err)
	added, err := operations.AddEntity(ctx, []byte(row), nil)
	require.NoError(t, err)
	got, err := operations.GetEntity(ctx, "it's p", "r", nil)
	require.NoError(t, err)
	require.Equal(t, added.ETag, got.ETag)
	require.Contains(t, string(got.Value), "Running")
	_, err = operations.UpdateEntity(ctx, []byte(strings.Replace(row, "Running", "Failed", 1)), &aztables.UpdateEntityOptions{UpdateMode: aztables.UpdateModeReplace, IfMatch: &got.ETag})
	require.NoError(t, err)
	_, err = operations.UpdateEntity(ctx, []byte(row), &aztables.UpdateEntityOptions{UpdateMode: aztables.UpdateModeMerge, IfMatch: &got.ETag})
	var rejected *azcore.ResponseError
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, "UpdateConditionNotSatisfied", rejected.ErrorCode)

	pages := operations.NewListEntitiesPager(&aztables.ListEntitiesOptions{Filter: to.Ptr("PartitionKey eq 'it''s p' and Status eq 'Failed'"), Top: to.Ptr[int32](1)})
	page, err := pages.NextPage(ctx)
	require.NoError(t, err)
	require.Len(t, page.Entities, 1)

	_, err = operations.SubmitTransaction(ctx, []aztables.TransactionAction{
		{ActionType: aztables.TransactionTypeUpdateReplace, Entity: []byte(row)},
		{ActionType: aztables.TransactionTypeAdd, Entity: []byte(strings.Replace(row, `"r"`, `"s"`, 1))},
	}, nil)
	require.NoError(t, err)
	_, err = operations.DeleteEntity(ctx, "it's p", "s", nil)
	require.NoError(t, err)

	var before []string
	for _, s := range seen.all() {
		if kind, ok := strings.CutPrefix(s, "before "); ok {
			before = append(before, kind)
		}
	}
	require.Equal(t, []string{
		"POST Tables",
		"POST operations",
		"GET operations",
		"PUT operations",
		"PATCH operations",
		"GET operations",
		"BATCH operations",
		"DELETE operations",
	}, before)
}

func TestFaultHook_BeforePrecedesTheEffectAndDuringTheAnswer(t *testing.T) {
	t.Parallel()
	s := startAzurite(t)
	direct := client(t, s.ConnectionString(), "operations")
	_, err := direct.CreateTable(t.Context(), nil)
	require.NoError(t, err)

	var order moments
	var answered atomic.Bool
	p := startProxy(t, s.ConnectionString(), func(at fault.Moment, r fault.Request) {
		_, err := direct.GetEntity(context.Background(), "it's p", "r", nil)
		there := "absent"
		if err == nil {
			there = "there"
		}
		if at != fault.After && answered.Load() {
			there += " answered"
		}
		order.hook(at, fault.Request{Kind: there})
	})
	_, err = client(t, p.ConnectionString(), "operations").AddEntity(t.Context(), []byte(row), nil)
	answered.Store(true)
	require.NoError(t, err)
	want := []string{"before absent", "during there", "after there"}
	require.Eventually(t, func() bool { return slices.Equal(want, order.all()) }, waitLimit, poll)
}

func TestFaultHook_AfterFollowsTheAnswer(t *testing.T) {
	t.Parallel()
	answered := make(chan struct{})
	var told atomic.Bool
	p := startProxy(t, startAzurite(t).ConnectionString(), func(at fault.Moment, _ fault.Request) {
		if at == fault.After {
			<-answered // This would block forever if the answer waited for the hook.
			told.Store(true)
		}
	})
	operations := client(t, p.ConnectionString(), "operations")
	_, err := operations.CreateTable(t.Context(), nil)
	require.NoError(t, err)
	close(answered)
	require.Eventually(t, told.Load, waitLimit, poll)

	// An answer without a body is forwarded in the same way.
	_, err = operations.Delete(t.Context(), nil)
	require.NoError(t, err)
}

func TestProxy_ClientKilledBeforeForwardingHasNoEffect(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows reports a disconnected client late")
	}
	var died, forwarded atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { forwarded.Add(1) }))
	t.Cleanup(target.Close)
	clients := map[string]*net.TCPConn{} // by the request that each sends
	var p *storageproxy.Proxy
	p = startProxy(t, "TableEndpoint="+target.URL+"/a", func(at fault.Moment, r fault.Request) {
		if at != fault.Before {
			return
		}
		// A busy kernel reports the disconnect late. Until then, the client has died
		// during the request.
		assert.NoError(t, clients[r.Detail].Close())
		assert.Eventually(t, func() bool { return p.SeesEndOf(clients[r.Detail].LocalAddr()) }, waitLimit, poll)
		died.Add(1)
	})
	address, err := net.ResolveTCPAddr("tcp", strings.TrimSuffix(strings.TrimPrefix(p.Endpoint(), "http://"), "/a"))
	require.NoError(t, err)
	for i := range 100 {
		c, err := net.DialTCP("tcp", nil, address)
		require.NoError(t, err)
		clients[fmt.Sprintf("POST /a/operations%d", i)] = c
	}
	for request, c := range clients {
		_, err = c.Write([]byte(request + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"))
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return died.Load() == 100 }, waitLimit, poll)
	require.Eventually(t, func() bool { return p.Connections() == 0 }, waitLimit, poll)
	require.Zero(t, forwarded.Load())
}

func TestProxy_ClientKilledDuringTheRequestHasItsEffect(t *testing.T) {
	t.Parallel()
	s := startAzurite(t)
	direct := client(t, s.ConnectionString(), "operations")
	_, err := direct.CreateTable(t.Context(), nil)
	require.NoError(t, err)
	ctx, die := context.WithCancel(t.Context())
	p := startProxy(t, s.ConnectionString(), func(at fault.Moment, _ fault.Request) {
		if at == fault.During {
			die()
		}
	})
	_, err = client(t, p.ConnectionString(), "operations").AddEntity(ctx, []byte(row), nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = direct.GetEntity(t.Context(), "it's p", "r", nil)
	require.NoError(t, err)
}

func TestOutage_BreaksConnectionsUntilItEnds(t *testing.T) {
	t.Parallel()
	p := startProxy(t, startAzurite(t).ConnectionString(), nil)
	operations := client(t, p.ConnectionString(), "operations")
	_, err := operations.CreateTable(t.Context(), nil)
	require.NoError(t, err)

	p.SetAvailable(false)
	for range 3 {
		_, err = operations.AddEntity(t.Context(), []byte(row), nil)
		require.Error(t, err)
		var answer *azcore.ResponseError
		require.NotErrorAs(t, err, &answer, "an unavailable service does not answer")
	}
	p.SetAvailable(true)
	_, err = operations.AddEntity(t.Context(), []byte(row), nil)
	require.NoError(t, err)
}

func TestOutage_BreaksTheRequestInProgress(t *testing.T) {
	t.Parallel()
	s := startAzurite(t)
	var p *storageproxy.Proxy
	var leaveAt atomic.Int64
	leaveAt.Store(-1)
	p = startProxy(t, s.ConnectionString(), func(at fault.Moment, _ fault.Request) {
		if leaveAt.CompareAndSwap(int64(at), -1) {
			p.SetAvailable(false)
		}
	})
	direct := client(t, s.ConnectionString(), "operations")
	_, err := direct.CreateTable(t.Context(), nil)
	require.NoError(t, err)
	operations := client(t, p.ConnectionString(), "operations")

	leaveAt.Store(int64(fault.Before))
	_, err = operations.AddEntity(t.Context(), []byte(row), nil)
	require.Error(t, err)
	_, err = direct.GetEntity(t.Context(), "it's p", "r", nil)
	require.Error(t, err, "the client disconnected before the request took effect")

	p.SetAvailable(true)
	leaveAt.Store(int64(fault.During))
	_, err = operations.AddEntity(t.Context(), []byte(row), nil)
	require.Error(t, err)
	_, err = direct.GetEntity(t.Context(), "it's p", "r", nil)
	require.NoError(t, err, "the client disconnected after the request took effect")
}

func TestProxy_StoppedTargetLooksLikeAnUnreachableService(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	var seen moments
	p := startProxy(t, "AccountName=a;AccountKey=a2V5;TableEndpoint="+gone.URL+"/a", seen.hook)
	_, err := client(t, p.ConnectionString(), "operations").CreateTable(t.Context(), nil)
	require.Error(t, err)
	var answer *azcore.ResponseError
	require.NotErrorAs(t, err, &answer)
	require.Equal(t, []string{"before POST Tables"}, seen.all())
}

func TestProxy_RejectsATargetWithoutATableEndpoint(t *testing.T) {
	t.Parallel()
	_, err := storageproxy.New(t.Context(), storageproxy.Config{Target: "AccountName=a;AccountKey=secret"})
	require.ErrorContains(t, err, "names no TableEndpoint")
	_, err = storageproxy.New(t.Context(), storageproxy.Config{Target: "AccountKey=secret;TableEndpoint=http://%zz"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}
