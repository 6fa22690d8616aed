package flow_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim/replay"
	"azbackupflow/internal/operation"
)

// The recording of the Azure CLI's test of 11 June 2024, in the interactions 13
// to 53, protects a share of a new account and then backs it up.
const (
	firstInteraction, lastInteraction = 13, 53

	recordedGroup  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest.rg000001/providers/"
	recordedVault  = recordedGroup + "Microsoft.RecoveryServices/vaults/clitest-vault000002"
	recordedExpiry = "2024-07-11T00:00:00Z"
	// recordedJob is the job of the backup.
	recordedJob = "eeda2c9e-9bc2-4c51-a021-6cb73a172460"
)

func recordedParameters() object {
	return object{
		"vaultId": recordedVault, "storageAccountId": recordedGroup + "Microsoft.Storage/storageAccounts/clitest000003",
		"fileShare": "clitest-item000004", "policy": "clitest-item000005",
		"firstBackup": object{"recoveryPointExpiryTimeInUTC": recordedExpiry},
	}
}

// recording finds the Azure CLI's recording, which is not part of the product.
func recording(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("AZBACKUPFLOW_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	file := filepath.Join(dir, "recordings", "azure-cli_afs_backup_scenario.yaml")
	if _, err := os.Stat(file); err != nil {
		t.Skip("the recording is not here; AZBACKUPFLOW_SHARED says where it is: " + err.Error())
	}
	return file
}

// The clock starts at the day of the recording, so that the recorded expiry is
// in the future and the whole body can be compared.
func TestReplay_FileShareFlowSendsTheRecordedRequests(t *testing.T) {
	t.Parallel()
	file := recording(t)
	day := time.Date(2024, 6, 11, 10, 32, 0, 0, time.UTC)
	var server *replay.Server
	r := newRig(t, day, func(*rig) (string, func() string) {
		var err error
		server, err = replay.New(replay.Config{File: file, From: firstInteraction, To: lastInteraction})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, server.Close()) })
		return server.Endpoint(), func() string { return "token" }
	})
	op := r.succeeds("protect-file-share", recordedParameters())
	require.Empty(t, server.Mismatches(), "%v", r.story(op.ID))
	require.True(t, server.Done(), "every recorded operation and job was followed to its end")
	require.Equal(t, recordedJob, op.Learned["jobId"])
	require.Equal(t, operation.Succeeded, op.Status)

	writes := server.Writes()
	var last []string
	for _, w := range writes {
		require.True(t, w.Matched)
		require.Equal(t, w.RecordedMethod, w.Method)
		require.True(t, strings.EqualFold(w.RecordedPath, w.Path), "%s is not the recorded %s", w.Path, w.RecordedPath)
		require.Equal(t, body(t, w.RecordedBody), body(t, w.Body), w.Path)
		query, err := url.ParseQuery(w.Query)
		require.NoError(t, err)
		require.Equal(t, "2025-02-01", query.Get("api-version"))
		last = append(last, w.Method+" "+w.Path[strings.LastIndexByte(w.Path, '/')+1:])
	}
	require.Equal(t, []string{
		"POST refreshContainers",
		"PUT StorageContainer;Storage;clitest.rg000001;clitest000003",
		"POST inquire",
		"PUT " + last[3][len("PUT "):], // a hash
		"POST backup",
	}, last)
	require.Regexp(t, "(?i)^PUT azurefileshare;[0-9a-f]{64}$", last[3])
	// The comparison above, written out for the most important request.
	require.JSONEq(t, `{"properties":{"objectType":"AzureFileShareBackupRequest","recoveryPointExpiryTimeInUTC":"`+recordedExpiry+`"}}`, writes[4].Body)
	require.Equal(t, op.Learned["attempt"], writes[4].ClientRequestID)
}

// body decodes a request's body for a comparison: times as instants, because
// the recorded one has milliseconds, and resource IDs without regard to casing.
func body(t *testing.T, text string) (all map[string]any) {
	t.Helper()
	if text == "" {
		return nil
	}
	require.NoError(t, json.Unmarshal([]byte(text), &all))
	properties, ok := all["properties"].(map[string]any)
	require.True(t, ok)
	for name, value := range properties {
		s, ok := value.(string)
		if !ok {
			continue
		}
		if at, err := time.Parse(time.RFC3339, s); err == nil {
			properties[name] = at.UTC()
		} else if strings.HasPrefix(s, "/") {
			properties[name] = strings.ToLower(s)
		}
	}
	return all
}
