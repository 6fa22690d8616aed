package inventory_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/step"
)

// answering returns a Reader of an ARM that answers a path's end with a body.
func answering(t *testing.T, bodies map[string]string) *inventory.Reader {
	t.Helper()
	server, _ := armtest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		for end, body := range bodies {
			if strings.HasSuffix(r.URL.Path, end) {
				_, _ = w.Write([]byte(body))
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
	})
	read, err := inventory.New(inventory.Config{ARM: armtest.Client(t, server), Now: func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }})
	require.NoError(t, err)
	return read
}

func TestSettings_UseOneSetOfWordsForBothProviders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		vault string
		body  map[string]string
		want  inventory.VaultSettings
	}{
		"recorded": {demoVault, map[string]string{"/azurefilesvault": `{"name":"v","location":"eastus2euap","properties":{"securitySettings":{"immutabilitySettings":null,"softDeleteSettings":{"softDeleteRetentionPeriodInDays":14,"softDeleteState":"Disabled"},"multiUserAuthorization":"Disabled"}}}`},
			inventory.VaultSettings{Name: "v", Location: "eastus2euap", SoftDelete: "Off", Immutability: "Disabled"}},
		"guarded": {demoVault, map[string]string{"/azurefilesvault": `{"name":"v","properties":{"securitySettings":{"immutabilitySettings":{"state":"Locked"},"softDeleteSettings":{"softDeleteRetentionPeriodInDays":30,"softDeleteState":"AlwaysON"},"multiUserAuthorization":"Enabled"}}}`},
			inventory.VaultSettings{Name: "v", SoftDelete: "AlwaysOn", SoftDeleteDays: 30, Immutability: "Locked", MultiUserAuthorization: true}},
		"guarded, by its proxies": {demoVault, map[string]string{"/azurefilesvault": `{"name":"v","properties":{}}`, "/backupResourceGuardProxies": `{"value":[{"name":"g"}]}`},
			inventory.VaultSettings{Name: "v", Immutability: "Disabled", MultiUserAuthorization: true}},
		"Backup vault": {backupVault, map[string]string{"/TestBkpVault": `{"name":"b","location":"westus","properties":{"isVaultProtectedByResourceGuard":true,"securitySettings":{"softDeleteSettings":{"state":"On","retentionDurationInDays":14},"immutabilitySettings":{"state":"Unlocked"}}}}`},
			inventory.VaultSettings{Name: "b", Location: "westus", SoftDelete: "On", SoftDeleteDays: 14, Immutability: "Unlocked", MultiUserAuthorization: true}},
	} {
		got, err := answering(t, c.body).Settings(t.Context(), c.vault)
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
	var invalid *step.Invalid
	_, err := answering(t, nil).Settings(t.Context(), "x")
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "vault", invalid.Fields[0].Field)
}

// Azure was recorded to report 2001-01-01 as the last backup of an item that has
// none, no recovery point of file shares, and Healthy as the status of databases.
func TestItems_KnowTheLastBackupThatSucceeded(t *testing.T) {
	t.Parallel()
	item := func(more string) string {
		return `{"id":"` + demoVault + `/x","properties":{"workloadType":"VM",` + more + `}}`
	}
	items, err := answering(t, map[string]string{"/backupProtectedItems": `{"value":[` + strings.Join([]string{
		item(`"lastBackupStatus":"","lastBackupTime":"2001-01-01T00:00:00Z"`),
		item(`"lastBackupStatus":"Completed","lastBackupTime":"2026-02-28T01:00:00Z"`),
		item(`"lastBackupStatus":"Healthy","lastBackupTime":"2026-02-28T01:00:00Z","lastRecoveryPoint":"2026-02-28T00:00:00Z","parentName":"HDB"`),
		item(`"lastBackupStatus":"Failed","lastBackupTime":"2026-02-28T01:00:00Z","lastRecoveryPoint":"2026-02-20T00:00:00Z"`),
	}, ",") + `]}`}).Items(t.Context(), demoVault)
	require.NoError(t, err)
	at := time.Date(2026, 2, 28, 1, 0, 0, 0, time.UTC)
	require.True(t, items[0].LastBackup.IsZero())
	require.Empty(t, items[0].BackupFailed)
	require.Equal(t, at, items[1].LastBackup)
	require.Equal(t, at, items[2].LastBackup)
	require.Equal(t, []string{"VM", "HDB"}, []string{items[2].Workload, items[2].Parent})
	require.True(t, items[3].LastBackup.IsZero(), "the last backup failed")
	require.Equal(t, "Failed", items[3].BackupFailed)
	require.Equal(t, 20, items[3].LastRecoveryPoint.Day())
}

func TestBackups_CountFailuresSinceTheLastSuccess(t *testing.T) {
	t.Parallel()
	job := func(instance, status, day string) string {
		return `{"name":"j","properties":{"operationCategory":"Backup","backupInstanceId":"` + backupVault + `/backupInstances/` + instance + `","status":"` + status + `","startTime":"2026-02-` + day + `T01:00:00Z"}}`
	}
	read := answering(t, map[string]string{"/backupJobs": `{"value":[` + strings.Join([]string{
		job("A", "Failed", "27"), job("a", "Completed", "26"), job("a", "Failed", "25"), job("a", "CompletedWithWarnings", "24"),
		job("b", "Failed", "20"), job("b", "Failed", "21"), job("c", "InProgress", "27"),
	}, ",") + `]}`})
	got, err := read.Backups(t.Context(), backupVault)
	require.NoError(t, err)
	id := strings.ToLower(backupVault + "/backupInstances/")
	require.Equal(t, inventory.Backups{LastSuccess: time.Date(2026, 2, 26, 1, 0, 0, 0, time.UTC), FailedSince: 1}, got[id+"a"])
	require.Equal(t, inventory.Backups{FailedSince: 2}, got[id+"b"])
	require.Empty(t, got[id+"c"])
	none, err := read.Backups(t.Context(), demoVault)
	require.NoError(t, err)
	require.Empty(t, none, "the list of items has the last backups")
}

func TestLatestPoint_IsTheNewestThatARestoreCanRead(t *testing.T) {
	t.Parallel()
	point := func(day, tier, status, more string) string {
		return `{"name":"p` + day + `","properties":{"recoveryPointTime":"2026-02-` + day + `T01:00:00Z","recoveryPointTierDetails":[{"type":"` + tier + `","status":"` + status + `"}]` + more + `}}`
	}
	const item = demoVault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/i"
	latest := func(points ...string) inventory.LatestPoint {
		t.Helper()
		got, err := answering(t, map[string]string{"/recoveryPoints": `{"value":[` + strings.Join(points, ",") + `]}`}).LatestPoint(t.Context(), item)
		require.NoError(t, err)
		return got
	}
	day := func(n int) time.Time { return time.Date(2026, 2, n, 1, 0, 0, 0, time.UTC) }
	require.Equal(t, inventory.LatestPoint{Time: day(20), Tiers: []string{"HardenedRP"}},
		latest(point("28", "InstantRP", "Deleted", ""), point("10", "InstantRP", "Valid", ""), point("20", "HardenedRP", "Valid", ""),
			point("21", "ArchivedRP", "Valid", ""), point("22", "HardenedRP", "Valid", `,"recoveryPointProperties":{"isSoftDeleted":true}`)))
	require.Equal(t, inventory.LatestPoint{Time: day(21), Tiers: []string{"ArchivedRP"}}, latest(point("21", "ArchivedRP", "Valid", "")))
	require.Empty(t, latest())
	require.Empty(t, latest(point("21", "ArchivedRP", "Valid", `,"recoveryPointProperties":{"expiryTime":"2026-02-25T00:00:00Z"}`)))

	r := reader(t)
	instances, err := r.Items(t.Context(), backupVault)
	require.NoError(t, err)
	got, err := r.LatestPoint(t.Context(), instances[0].ID)
	require.NoError(t, err)
	require.Equal(t, []string{"VaultStore"}, got.Tiers)
	_, err = r.LatestPoint(t.Context(), demoVault)
	var invalid *step.Invalid
	require.ErrorAs(t, err, &invalid)
}

func TestRetentions_AreNamedByPolicy(t *testing.T) {
	t.Parallel()
	r := reader(t)
	got, err := r.Retentions(t.Context(), demoVault)
	require.NoError(t, err)
	require.Equal(t, "daily 30 days", got["schedule1"])
	got, err = r.Retentions(t.Context(), backupVault)
	require.NoError(t, err)
	require.Equal(t, "default P12W in VaultStore", got["pgflexpol1"])
}
