package armsim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

func TestQuotas_ThrottleJobReadsAsRecorded(t *testing.T) {
	t.Parallel()
	b := start(t, func(c *armsim.Config) { c.Quotas = armsim.AzureQuotas() })
	for n := range 150 {
		r := b.list("backupJobs", "")
		require.Equal(t, 149-n, atoi(t, r.header.Get("x-ms-ratelimit-remaining-subscription-resource-requests")))
		b.clock.Advance(21 * time.Second)
	}
	r := b.get(vaultID + "/backupJobs/f2375a27-d38e-43e0-9969-fdee473e2e5d?" + version)
	require.Equal(t, http.StatusTooManyRequests, r.status)
	require.JSONEq(t, `{"error":{"code":"ResourceRequestsThrottled","message":"Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs/read' exceeded the limit of '150' for time interval '01:00:00'. Please try again after '450' seconds."}}`, r.text)
	require.Empty(t, r.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, b.list("backupProtectedItems", "").status, "each action has its own count")
	b.clock.Advance(450 * time.Second)
	require.Equal(t, http.StatusOK, b.list("backupJobs", "").status)
}

func TestQuotas_RetryAfterFollowsTheSpeedFactor(t *testing.T) {
	t.Parallel()
	b := start(t, func(c *armsim.Config) {
		c.SpeedFactor = 60
		c.Quotas = armsim.Quotas{VaultReads: 1, RetryAfter: true}
	})
	b.list("backupProtectedItems", "")
	r := b.get(vaultID + "/backupProtectedItems?" + version)
	require.Equal(t, http.StatusTooManyRequests, r.status)
	require.Equal(t, "60", r.header.Get("Retry-After"))
	b.clock.Advance(time.Minute)
	b.list("backupProtectedItems", "")
}

func TestQuotas_ResourceManagerBucketsRefill(t *testing.T) {
	t.Parallel()
	b := start(t, func(c *armsim.Config) { c.Quotas = armsim.Quotas{Writes: armsim.Bucket{Size: 2, PerSecond: 0.5}} })
	require.Equal(t, "1", b.started(http.MethodPost, fabric+"/refreshContainers", "").header.Get("x-ms-ratelimit-remaining-subscription-writes"))
	b.started(http.MethodPost, fabric+"/refreshContainers", "")
	r := b.send(http.MethodPost, fabric+"/refreshContainers?"+version, "")
	require.Equal(t, http.StatusTooManyRequests, r.status)
	require.Equal(t, "2", r.header.Get("Retry-After"))
	require.Equal(t, "SubscriptionRequestsThrottled", r.at("error/code"))
	b.list("backupJobs", "")
	b.clock.Advance(2 * time.Second)
	b.started(http.MethodPost, fabric+"/refreshContainers", "")
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n := 0
	for _, c := range s {
		require.True(t, strings.ContainsRune("0123456789", c), s)
		n = n*10 + int(c-'0')
	}
	return n
}
