package ratelimit_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/ratelimit"
)

func TestKnown_DescribesOwnAndSharedAllowances(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	l, err := ratelimit.New(ratelimit.Config{Now: func() time.Time { return now }})
	require.NoError(t, err)
	require.Empty(t, l.Known(nil))
	const vault = "/subscriptions/S1/resourceGroups/G/providers/Microsoft.RecoveryServices/vaults/V"
	r, err := l.Acquire(context.Background(), ratelimit.Caller{}, http.MethodGet, vault+"/backupJobs")
	require.NoError(t, err)
	require.NotNil(t, r)
	const shared = "quota /subscriptions/s2/resourcegroups/g/providers/microsoft.recoveryservices/vaults/w microsoft.recoveryservices/vaults/backupjobs/read"
	found := l.Known(map[string][]byte{
		shared:                   []byte(`{"quota":true,"limit":150,"remaining":12.5,"window":3600000000000,"resetAt":"2026-03-01T08:30:00Z","blockedUntil":"2026-03-01T07:00:00Z"}`),
		"broken":                 []byte(`{}`),
		"quota x":                []byte(`{}`),
		"bucket s r i p v reads": []byte(`<`),
	})
	require.Len(t, found, 3)
	require.Equal(t, ratelimit.Known{Key: "bucket s1   microsoft.recoveryservices reads", Name: "read limit", Subscription: "s1", Provider: "microsoft.recoveryservices"}, found[0])
	require.Equal(t, "backupjobs read quota", found[1].Name)
	require.Equal(t, "/subscriptions/s1/resourcegroups/g/providers/microsoft.recoveryservices/vaults/v", found[1].Scope)
	require.Equal(t, ratelimit.Known{
		Key: shared, Quota: true, Name: "backupjobs read quota", Subscription: "s2",
		Scope:  "/subscriptions/s2/resourcegroups/g/providers/microsoft.recoveryservices/vaults/w",
		Action: "microsoft.recoveryservices/vaults/backupjobs/read", Limit: 150, Remaining: 12, Window: time.Hour,
		ResetAt: time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC),
	}, found[2])
}
