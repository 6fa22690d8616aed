package armsim_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

// points lists the recovery points of an item.
func (b *bench) points(item, filter string) []any {
	b.t.Helper()
	q := "?" + version
	if filter != "" {
		q += "&$filter=" + url.QueryEscape(filter)
	}
	r := b.get(item + "/recoveryPoints" + q)
	require.Equal(b.t, http.StatusOK, r.status, r.text)
	return r.list()
}

func TestItemRecoveryPoints_ListCompletedBackups(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	require.Empty(t, b.points(shareItem, ""), "no backup yet")
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	b.clock.Advance(29 * time.Second)
	require.Empty(t, b.points(shareItem, ""), "the job still runs")
	b.clock.Advance(time.Second)
	first := b.points(shareItem, "")
	require.Len(t, first, 1)
	require.Equal(t, "2024-06-11T10:33:54Z", dig(first[0], "properties/recoveryPointTime"), "the time of the snapshot")
	id, _ := dig(first[0], "id").(string)
	require.Equal(t, first[0], any(b.get(id+"?"+version).body))

	b.sim.AddOutcome(armsim.Outcome{JobStatus: "Failed", ErrorCode: 1, ErrorText: "no"})
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	b.clock.Advance(time.Minute)
	require.Len(t, b.points(shareItem, ""), 1, "a failed backup has none")
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	b.clock.Advance(time.Minute)
	require.Len(t, b.points(shareItem, ""), 2)
	newest := b.points(shareItem, "startDate eq '2024-06-11 10:34:00 AM'")
	require.Len(t, newest, 1)
	require.NotEqual(t, dig(first[0], "name"), dig(newest[0], "name"))
	require.Equal(t, first, b.points(shareItem, "endDate eq '2024-06-11 10:34:00 AM'"))

	require.Equal(t, http.StatusBadRequest, b.get(shareItem+"/recoveryPoints?"+version+"&$filter="+url.QueryEscape("startDate eq '11.6.'")).status)
	require.Equal(t, http.StatusNotFound, b.get(shareItem+"/recoveryPoints/1?"+version).status)
	require.Equal(t, http.StatusNotFound, b.get(shareItem+"x/recoveryPoints?"+version).status)
}

func TestItemRecoveryPoints_StayWhenProtectionStops(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.Len(t, b.points(machineItem, ""), 1)
	b.started(http.MethodPut, machineItem, `{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"`+
		"/subscriptions/"+armsim.DemoSubscription+"/resourceGroups/machines/providers/Microsoft.Compute/virtualMachines/vm1"+
		`","policyId":"","protectionState":"ProtectionStopped"}}`)
	b.clock.Advance(time.Minute)
	require.Equal(t, "ProtectionStopped", b.get(machineItem+"?"+version).at("properties/protectionState"))
	require.Len(t, b.points(machineItem, ""), 1)
}

func TestItemRecoveryPoints_OfDatabasesFilterByType(t *testing.T) {
	t.Parallel()
	b := start(t)
	for _, kind := range []string{"Differential", "Log", "CopyOnlyFull"} {
		b.started(http.MethodPost, databaseItem+"/backup", `{"properties":{"objectType":"AzureWorkloadBackupRequest","backupType":"`+kind+`"}}`)
		b.clock.Advance(10 * time.Minute)
	}
	for filter, want := range map[string]int{"": 4, "Full": 2, "Differential": 1, "FullAndDifferential": 3, "All": 4, "Log": 1} {
		if filter != "" {
			filter = "restorePointQueryType eq '" + filter + "'"
		}
		require.Len(t, b.points(databaseItem, filter), want, filter)
	}
	chain := b.points(databaseItem, "restorePointQueryType eq 'Log'")[0]
	require.Equal(t, "DefaultRangeRecoveryPoint", dig(chain, "name"))
	require.Len(t, dig(chain, "properties/timeRanges"), 1, "from the first full backup to the last log backup")
	require.Equal(t, "AzureWorkloadSQLRecoveryPoint", dig(b.points(databaseItem, "")[0], "properties/objectType"))
	require.Equal(t, "AzureWorkloadSAPHanaRecoveryPoint", dig(b.points(hanaItem, "")[0], "properties/objectType"))
}

// The recovery point of a file share is compared in
// TestRecording_FileShareIsAnsweredAsByAzure.
func TestRecording_MachineRecoveryPointIsAnsweredAsByAzure(t *testing.T) {
	t.Parallel()
	recorded := recording(t, "azure-cli_vm_scenario.yaml")[133]
	b := start(t)
	var want struct {
		Value []struct{ Properties json.RawMessage }
	}
	require.NoError(t, json.Unmarshal([]byte(recorded.Response.Body.String), &want))
	got, err := json.Marshal(dig(b.points(machineItem, "")[0], "properties"))
	require.NoError(t, err)
	require.Equal(t, plain(string(want.Value[0].Properties)), plain(string(got)))
}
