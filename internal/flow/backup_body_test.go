package flow_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

// The requests hold every field of the page "Backups - Trigger", for each kind
// of item. The golden files hold the requests as they are sent.
func TestBackupNow_SendsEveryRequestedField(t *testing.T) {
	t.Parallel()
	envelope := object{
		"recoveryPointExpiryTimeInUTC": "2026-12-01T02:16:29+01:00",
		"eTag":                         `W/"1"`, "location": "westeurope", "tags": object{"cost": "42"},
	}
	database := object{"backupType": "Differential", "enableCompression": true}
	for name, c := range map[string]struct {
		friendlyName string
		parameters   []object
	}{
		"backup-file-share":         {"testshare", []object{envelope}},
		"backup-file-share-plain":   {"testshare", nil},
		"backup-virtual-machine":    {"vm1", []object{envelope}},
		"backup-sql-database":       {"orders", []object{envelope, database}},
		"backup-sap-hana-database":  {"SYSTEMDB", []object{envelope, database}},
		"backup-database-as-needed": {"orders", []object{{"backupType": "Log", "enableCompression": false}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim := simulated(t, protectedWorld("schedule1"))
			parameters := object{"itemId": itemOf(t, sim, c.friendlyName).ID}
			for _, more := range c.parameters {
				maps.Copy(parameters, more)
			}
			op := r.succeeds("backup-now", parameters)
			sent := requests(sim, "POST backup")
			require.Len(t, sent, 1)
			require.Equal(t, op.Learned["attempt"], sent[0].ClientRequestID)
			require.NotEmpty(t, sent[0].ClientRequestID)
			golden(t, name+".golden", wire(t, sent[0]))
		})
	}
}

func TestProtectFileShare_SendsTheExpiryOfTheFirstBackup(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	r.succeeds("protect-file-share", demoShare(object{"firstBackup": object{"recoveryPointExpiryTimeInUTC": "2026-12-01T02:16:29Z"}}))
	sent := requests(sim, "POST backup")
	require.Len(t, sent, 1)
	require.JSONEq(t, `{"properties":{"objectType":"AzureFileShareBackupRequest","recoveryPointExpiryTimeInUTC":"2026-12-01T02:16:29Z"}}`, sent[0].Body)
}

// wire returns the text of a request: method, path, query and body.
func wire(t *testing.T, r armsim.Request) string {
	t.Helper()
	var body bytes.Buffer
	if r.Body != "" {
		require.NoError(t, json.Indent(&body, []byte(r.Body), "", "  "))
	}
	return fmt.Sprintf("%s %s?%s\n%s\n", r.Method, r.Path, r.Query.Encode(), body.String())
}
