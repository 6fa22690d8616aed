package armsim_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
)

func TestRule_AnswersInPlaceOfAzure(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	remove := b.sim.Inject(armsim.Rule{
		Kind: "POST backup", Skip: 1, Times: 2,
		Effect: armsim.AnswerError(429, "ResourceRequestsThrottled", "wait", http.Header{"Retry-After": {"7"}}),
	})
	machine := `{"properties":{"objectType":"IaasVMBackupRequest"}}`
	b.started(http.MethodPost, machineItem+"/backup", machine)
	for range 2 {
		r := b.send(http.MethodPost, shareItem+"/backup?"+version, backupBody)
		require.Equal(t, 429, r.status)
		require.Equal(t, "7", r.header.Get("Retry-After"))
		require.Equal(t, "ResourceRequestsThrottled", r.at("error/code"))
		require.NotEmpty(t, r.header.Get("x-ms-request-id"))
	}
	require.Len(t, b.sim.Backups(), 1)
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	remove()

	b.sim.Inject(armsim.Rule{
		Match:  func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/backupJobs") },
		Effect: armsim.Answer(502, "<html>bad gateway</html>", http.Header{"Content-Type": {"text/html"}}),
	})
	page := b.get(vaultID + "/backupJobs?" + version)
	require.Equal(t, 502, page.status)
	require.Equal(t, "text/html", page.header.Get("Content-Type"))
	require.Equal(t, "<html>bad gateway</html>", page.text)
	require.Equal(t, http.StatusOK, b.get(vaultID+"?"+version).status)
}

func TestRule_ResetsTheConnectionBeforeOrAfterTheEffect(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	remove := b.sim.Inject(armsim.Rule{Kind: "POST backup", Effect: armsim.ResetBefore()})
	_, err := b.try(http.MethodPost, shareItem+"/backup?"+version, backupBody)
	require.Error(t, err)
	require.Empty(t, b.sim.Backups())
	remove()

	b.sim.Inject(armsim.Rule{Kind: "POST backup", Effect: armsim.ResetAfter()})
	_, err = b.try(http.MethodPost, shareItem+"/backup?"+version, backupBody, "x-ms-client-request-id", "attempt")
	require.Error(t, err)
	require.Len(t, b.sim.Backups(), 1)
	b.clock.Advance(30 * time.Second)
	require.Equal(t, "attempt", b.list("backupJobs", "operation eq 'Backup'").at("value/0/properties/activityId"))
	requests := b.sim.Requests()
	require.Zero(t, requests[len(requests)-2].Status)
}

func TestRule_DelayedRequestOfADisconnectedClientHasNoEffect(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.sim.Inject(armsim.Rule{Kind: "POST refreshContainers", Effect: armsim.Delay(time.Hour)})
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.sim.Endpoint()+fabric+"/refreshContainers?"+version, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+b.token)
	gone := make(chan error, 1)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err == nil {
			err = resp.Body.Close()
		}
		gone <- err
	}()
	require.Eventually(t, func() bool { return len(b.sim.Requests()) == 1 }, 5*time.Second, time.Millisecond)
	leave()
	require.ErrorIs(t, <-gone, context.Canceled)
	b.clock.Advance(time.Minute)
	require.Empty(t, b.list("backupFabrics/Azure/protectableContainers", "").list())
}

func TestRule_DelayedRequestIsServed(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.sim.Inject(armsim.Rule{Effect: armsim.Delay(time.Millisecond)})
	require.Equal(t, http.StatusOK, b.get(vaultID+"?"+version).status)
}

func TestRule_PointsStatusURLsToAnotherHost(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.sim.Inject(armsim.Rule{Kind: "POST refreshContainers", Effect: armsim.ForeignStatus("evil.example")})
	r := b.started(http.MethodPost, fabric+"/refreshContainers", "")
	for _, h := range []string{"Azure-AsyncOperation", "Location"} {
		require.True(t, strings.HasPrefix(r.header.Get(h), "https://evil.example/subscriptions/"), h)
	}
}

func TestRule_ExpiresAStatusURL(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	b.sim.Inject(armsim.Rule{Kind: "POST backup", Times: 1, Effect: armsim.ExpiredStatus()})
	r := b.started(http.MethodPost, shareItem+"/backup", backupBody)
	for _, h := range []string{"Azure-AsyncOperation", "Location"} {
		got := b.get(r.header.Get(h))
		require.Equal(t, http.StatusNotFound, got.status)
		require.NotEmpty(t, got.at("error/code"))
	}
	b.clock.Advance(30 * time.Second)
	require.Equal(t, "Completed", b.job().at("properties/status"), "the backup itself continues")
}

func TestRule_CallbackAnswersOrObserves(t *testing.T) {
	t.Parallel()
	b := start(t)
	answer := false
	b.sim.Inject(armsim.Rule{Effect: armsim.Callback(func(w http.ResponseWriter, _ *http.Request) bool {
		if answer {
			w.WriteHeader(http.StatusTeapot)
		}
		return answer
	})})
	require.Equal(t, http.StatusOK, b.get(vaultID+"?"+version).status)
	answer = true
	require.Equal(t, http.StatusTeapot, b.get(vaultID+"?"+version).status)
	require.Equal(t, http.StatusTeapot, b.sim.Requests()[1].Status)
}

func TestFaultHook_IsCalledAtEachMomentOfARequest(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	var b *bench
	b = start(t, func(c *armsim.Config) {
		c.Fault = func(m fault.Moment, r fault.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Kind == "POST backup" {
				seen = append(seen, m.String())
				if m == fault.During {
					seen = append(seen, b.sim.Backups()[0].FriendlyName)
				}
			}
			if r.Service != "arm" || strings.Contains(r.Detail, "?") {
				seen = append(seen, "unexpected "+r.Service+" "+r.Detail)
			}
		}
	})
	b.protected()
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(seen) == 4 }, 5*time.Second, time.Millisecond)
	require.Equal(t, []string{"before", "during", "testshare", "after"}, seen)
}

func TestRequestKind_ContainsNoNames(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	b.started(http.MethodPost, strings.ToLower(shareItem)+"/Backup", backupBody)
	b.clock.Advance(2 * time.Second)
	b.list("backupJobs", "")
	b.job()
	b.get(accountID + "?api-version=2023-05-01")
	b.get(b.started(http.MethodPost, fabric+"/refreshContainers", "").header.Get("Azure-AsyncOperation"))
	var kinds []string
	for _, r := range b.sim.Requests() {
		kinds = append(kinds, r.Kind)
		for _, p := range []string{"t", "c", "s", "h"} {
			require.NotContains(t, r.Query, p, "signatures are left out")
		}
	}
	require.Equal(t, []string{
		"POST refreshContainers", "PUT protectionContainers", "POST inquire", "PUT protectedItems", "POST backup",
		"GET backupJobs", "GET backupJobs", "GET storageAccounts", "POST refreshContainers", "GET operationsStatus",
	}, kinds)
	require.JSONEq(t, backupBody, b.sim.Requests()[4].Body)
	require.Equal(t, http.StatusAccepted, b.sim.Requests()[4].Status)
}
