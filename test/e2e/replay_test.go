package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/armsim/replay"
	"azbackupflow/internal/local/stack"
)

// TestReplay_SendsTheRecordedRequests runs the deployed program against Azure's
// answers to the Azure CLI on 11 June 2024: interactions 13 to 53, in which a
// new share of a storage account is protected and then backed up.
func TestReplay_SendsTheRecordedRequests(t *testing.T) {
	t.Parallel()
	shared := os.Getenv("AZBACKUPFLOW_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	file := filepath.Join(shared, "recordings", "azure-cli_afs_backup_scenario.yaml")
	if _, err := os.Stat(file); err != nil {
		t.Skip("the recording is missing; set AZBACKUPFLOW_SHARED: " + err.Error())
	}
	const (
		group = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/clitest.rg000001/providers/"
		jobID = "eeda2c9e-9bc2-4c51-a021-6cb73a172460"
	)
	// Tokens come from the managed identity of the stack here too.
	var identity atomic.Pointer[armsim.Simulator]
	azure, err := replay.New(replay.Config{
		File: file, From: 13, To: 53, Shorten: true,
		CheckToken: func(token string) bool { s := identity.Load(); return s != nil && s.ValidToken(token) },
		// The recorded expiry, 11 July 2024, has passed, and a past expiry is
		// rejected. The test requests another one and does not compare this field. A
		// test of internal/flow compares it, with a clock of that day.
		IgnoreFields: []string{"properties.recoveryPointExpiryTimeInUTC"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, azure.Close()) })
	l := startInTurn(t, stack.Config{SpeedFactor: 120, ARMEndpoint: azure.Endpoint()})
	identity.Store(l.ARM)

	expiry := time.Now().Add(30 * 24 * time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
	id := l.begin(map[string]any{"flow": "protect-file-share", "key": "recorded", "parameters": map[string]any{
		"vaultId":          group + "Microsoft.RecoveryServices/vaults/clitest-vault000002",
		"storageAccountId": group + "Microsoft.Storage/storageAccounts/clitest000003",
		"fileShare":        "clitest-item000004", "policy": "clitest-item000005",
		"firstBackup": map[string]any{"recoveryPointExpiryTimeInUTC": expiry},
	}})
	done := l.succeeds(id)

	require.Empty(t, azure.Mismatches(), say(l.history(id)))
	require.Equal(t, jobID, done.JobID)
	require.True(t, azure.Done(), "every recorded operation and job was followed to its end")
	var made []string
	for _, w := range azure.Writes() {
		require.True(t, w.Matched)
		require.Equal(t, w.RecordedMethod, w.Method)
		require.True(t, strings.EqualFold(w.RecordedPath, w.Path), "%s, recorded was %s", w.Path, w.RecordedPath)
		made = append(made, kindOf(w.Path))
	}
	require.Equal(t, []string{"refreshContainers", "protectionContainers", "inquire", "protectedItems", "backup"}, made)
	require.JSONEq(t, `{"properties":{"objectType":"AzureFileShareBackupRequest","recoveryPointExpiryTimeInUTC":"`+expiry+`"}}`, azure.Writes()[4].Body)
}

// kindOf returns the action or the type of the last resource of a path.
func kindOf(path string) string {
	parts := strings.Split(path, "/")
	last := parts[len(parts)-1]
	if strings.Contains(last, ";") {
		return parts[len(parts)-2]
	}
	return last
}
