package render

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

func TestShortPath_KeepsTheEnds(t *testing.T) {
	t.Parallel()
	container := clienttest.Vault + "/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;AzureFiles;testvault2"
	hash := "0f2dcd31d8e3ad5b9a6a4dd6ac5c5ff12a8e1f6ad7a1b4c2d9e8f7a6b5c4d3e2"
	for path, want := range map[string]string{
		clienttest.Vault + "/backupPolicies/schedule1":              "…/backupPolicies/schedule1",
		clienttest.Vault + "/backupFabrics/Azure/refreshContainers": "…/refreshContainers",
		container:              "…/protectionContainers/StorageContainer…eFiles;testvault2",
		container + "/inquire": "…/StorageContainer;Storage;AzureFiles;testvault2/inquire",
		container + "/protectedItems/azurefileshare;testshare":                                                       "…/protectedItems/azurefileshare;testshare",
		container + "/protectedItems/azurefileshare;" + hash + "/backup":                                             "…/azurefileshare;0…2d9e8f7a6b5c4d3e2/backup",
		container + "/protectedItems/azurefileshare;testshare/operationsStatus/423b158e-9cca-4130-8ced-ca522a846d1b": "…/azurefileshare;testshare/operationsStatus/423b158e…",
		"/subscriptions/s/resourcegroups/g/providers/microsoft.recoveryservices/VAULTS/v/jobs":                       "…/jobs",
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v/backupJobs/j":           "…/backupJobs/j",
		"/short/one":      "/short/one",
		"":                "",
		"/" + hash + hash: "/0f2dcd31d8e3ad5b…2d9e8f7a6b5c4d3e2",
		"/a\x1b[2Jb":      "/a [2Jb",
	} {
		got := shortPath(path, 58)
		require.Equal(t, want, got, path)
		require.LessOrEqual(t, text.StringWidth(got), 58)
	}
	for columns := 10; columns < 120; columns++ {
		require.LessOrEqual(t, text.StringWidth(shortPath(container+"/protectedItems/azurefileshare;"+hash+"/backup", columns)), columns)
	}
}

func TestDuration_HasTwoUnits(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second:                          "0 s",
		0:                                     "0 s",
		20 * time.Millisecond:                 "less than 0.1 s",
		time.Second:                           "1 s",
		1100 * time.Millisecond:               "1.1 s",
		12400 * time.Millisecond:              "12 s",
		time.Minute:                           "1 min",
		90 * time.Second:                      "1 min 30 s",
		3*time.Hour + 5*time.Minute:           "3 h 5 min",
		50 * time.Hour:                        "2 days 2 h",
		59*time.Second + 600*time.Millisecond: "60 s",
	} {
		require.Equal(t, want, Duration(d), d.String())
	}
	require.Empty(t, Time(time.Time{}))
}

func TestItemName_PrefersTheFriendlyName(t *testing.T) {
	t.Parallel()
	for want, op := range map[string]api.Operation{
		"learned": {Learned: map[string]string{"friendlyName": "learned"}, Parameters: json.RawMessage(`{"fileShare":"asked"}`)},
		"share":   {Parameters: json.RawMessage(`{"fileShare":"share"}`)},
		"named":   {Parameters: json.RawMessage(`{"fileShare":{"name":"named"}}`)},
		"vm1":     {Parameters: json.RawMessage(`{"itemId":"/x/protectedItems/VM;iaasvmcontainerv2;machines;vm1"}`)},
		"":        {Parameters: json.RawMessage(`not JSON`)},
		"a b":     {Learned: map[string]string{"friendlyName": "a\nb"}},
	} {
		require.Equal(t, want, ItemName(op))
	}
}

func TestTimeline_ShowsNetworkErrors(t *testing.T) {
	t.Parallel()
	tl := Timeline{}
	at := clienttest.Began()
	lines := tl.Lines(api.Event{
		Seq: 2, At: at, Step: "register", Status: api.Running, What: "no usable response", DueAt: at.Add(5 * time.Minute),
		Exchanges: []api.Exchange{{Method: "PUT", Path: "/a", Failure: "connection reset by peer"}, {Method: "GET", Path: "/b"}},
		Err:       &api.Error{Code: "NoResponse", Message: "no usable response", Class: string(operation.Transient), Ambiguous: true},
	})
	require.Equal(t, []string{
		"2026-11-21 (UTC)",
		"03:00:00  request               PUT /a → connection reset by peer",
		"                                GET /b → no response",
		"                                no usable response; next check in 5 min",
		"                                NoResponse (Transient)",
	}, lines)
	lines = tl.Lines(api.Event{Seq: 2, At: at.Add(24 * time.Hour), Step: "register", Status: api.Running, What: "paused", DueAt: at.Add(48 * time.Hour)})
	require.Equal(t, []string{"2026-11-22 (UTC)", "03:00:00  register              paused"}, lines, "a flag does not change the next check")
}
