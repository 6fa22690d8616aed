package replay_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim/replay"
)

const (
	// secondValidation is the validation within the create command of the Azure
	// CLI; the first was a command of its own.
	firstValidation, secondValidation = 1, 6

	subscription  = "/subscriptions/00000000-0000-0000-0000-000000000000"
	backupVaultID = subscription + "/resourceGroups/clitest-dpp-ecy-rg/providers/Microsoft.DataProtection/backupVaults/clitest-bkp-vault-ecy-donotdelete"
	serverID      = subscription + "/resourceGroups/clitest-dpp-ecy-rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/clitest-pgflex-server-2"
	instanceName  = "clitest-pgflex-server-2-0123456789ab"
	instanceID    = backupVaultID + "/backupInstances/" + instanceName
	dpVersion     = "?api-version=2024-04-01"

	instanceBody = `{"dataSourceInfo":{"datasourceType":"Microsoft.DBforPostgreSQL/flexibleServers","objectType":"Datasource","resourceID":"` + serverID + `",` +
		`"resourceLocation":"eastus2euap","resourceName":"clitest-pgflex-server-2","resourceType":"Microsoft.DBforPostgreSQL/flexibleServers","resourceUri":""},` +
		`"objectType":"BackupInstance","policyInfo":{"policyId":"` + backupVaultID + `/backupPolicies/pgflexpolicy"}}`
	restoreBody = `{"objectType":"AzureBackupRecoveryPointBasedRestoreRequest","recoveryPointId":"72f990c41eb8498bbf13b915b1521f77","sourceDataStoreType":"VaultStore",` +
		`"restoreTargetInfo":{"objectType":"RestoreFilesTargetInfo","recoveryOption":"FailIfExists","restoreLocation":"eastus2euap",` +
		`"targetDetails":{"filePrefix":"targetpgflex","restoreTargetLocationType":"AzureBlobs","url":"https://clitestecysa.blob.core.windows.net/clitestpgflexblob"}}}`
)

// startInstances replays the recording of a flexible server's backup, with an
// instance name as our clients choose it.
func startInstances(t *testing.T, change ...func(*replay.Config)) *replay.Server {
	t.Helper()
	c := replay.Config{
		File: fileOf(t, "azure-cli-dataprotection_pgflex.yaml"), From: secondValidation,
		Names: map[string]string{"clitest-pgflex-server-faec6818-0720-11ec-bd1b-c8f750f92764": instanceName},
	}
	for _, f := range change {
		f(&c)
	}
	s, err := replay.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// state returns the protection state of the instance.
func state(t *testing.T, s *replay.Server) string {
	t.Helper()
	var i struct {
		Properties struct{ CurrentProtectionState string }
	}
	r := send(t, s, http.MethodGet, instanceID+dpVersion, "")
	require.Equal(t, http.StatusOK, r.status, r.text)
	r.decode(t, &i)
	return i.Properties.CurrentProtectionState
}

// follow polls the status that an answer names until its end.
func follow(t *testing.T, s *replay.Server, r reply) (last reply, looks int) {
	t.Helper()
	for looks = 1; looks < 100; looks++ {
		last = send(t, s, http.MethodGet, r.header.Get("Azure-Asyncoperation"), "")
		require.Equal(t, http.StatusOK, last.status, last.text)
		if !strings.Contains(last.text, `"Inprogress"`) {
			return last, looks
		}
	}
	require.Fail(t, "the operation does not end")
	return last, looks
}

// finished reads a job until it has ended.
func finished(t *testing.T, s *replay.Server, status reply) (looks int) {
	t.Helper()
	var o struct{ Properties struct{ JobID string } }
	status.decode(t, &o)
	require.NotEmpty(t, o.Properties.JobID, status.text)
	for looks = 1; looks < 100; looks++ {
		job := send(t, s, http.MethodGet, o.Properties.JobID+dpVersion, "")
		require.Equal(t, http.StatusOK, job.status, job.text)
		if !strings.Contains(job.text, `"InProgress"`) {
			require.Contains(t, job.text, `"status":"Completed"`)
			return looks
		}
	}
	require.Fail(t, "the job does not end")
	return looks
}

func TestReplay_FlexibleServerGetsTheRecordedAnswers(t *testing.T) {
	t.Parallel()
	s := startInstances(t, func(c *replay.Config) { c.From, c.Names = 0, nil })
	requireRecordedAnswers(t, s, fileOf(t, "azure-cli-dataprotection_pgflex.yaml"), 0, 124)
	require.Len(t, s.Writes(), 8)
}

func TestReplay_FlexibleServerClientCompletes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change                       func(*replay.Config)
		validated, configured, ended int
	}{
		"as recorded": {func(*replay.Config) {}, 3, 4, 83},
		"shortened":   {func(c *replay.Config) { c.Shorten = true }, 2, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startInstances(t, c.change)
			require.Equal(t, http.StatusNotFound, send(t, s, http.MethodGet, instanceID+dpVersion, "").status)
			var list struct{ Value []struct{ Name string } }
			send(t, s, http.MethodGet, backupVaultID+"/backupInstances"+dpVersion, "").decode(t, &list)
			require.Empty(t, list.Value)

			_, looks := follow(t, s, send(t, s, http.MethodPost, backupVaultID+"/validateForBackup"+dpVersion, `{"backupInstance":`+instanceBody+`}`))
			require.Equal(t, c.validated, looks)
			put := send(t, s, http.MethodPut, instanceID+dpVersion, `{"properties":`+instanceBody+`}`)
			require.Equal(t, http.StatusCreated, put.status, put.text)
			require.Contains(t, put.text, instanceID)
			follow(t, s, put)
			for looks = 1; state(t, s) != "ProtectionConfigured"; looks++ {
				require.Less(t, looks, 10)
			}
			require.Equal(t, c.configured, looks)
			send(t, s, http.MethodGet, backupVaultID+"/backupInstances"+dpVersion, "").decode(t, &list)
			require.Equal(t, instanceName, list.Value[0].Name)

			backup := send(t, s, http.MethodPost, instanceID+"/backup"+dpVersion, `{"backupRuleOptions":{"ruleName":"BackupWeekly","triggerOption":{}}}`)
			status, _ := follow(t, s, backup)
			require.Equal(t, c.ended, finished(t, s, status))
			again, _ := follow(t, s, backup)
			require.Equal(t, status.text, again.text, "a status stays a status, even if its result was recorded after it")
			result := send(t, s, http.MethodGet, backup.header.Get("Location"), "")
			require.Contains(t, result.text, `{"jobId":"`+subscription+"/resourcegroups/")

			points := send(t, s, http.MethodGet, instanceID+"/recoveryPoints"+dpVersion, "")
			points.decode(t, &list)
			require.Equal(t, "72f990c41eb8498bbf13b915b1521f77", list.Value[0].Name)
			require.Contains(t, send(t, s, http.MethodGet, instanceID+"/recoveryPoints/"+list.Value[0].Name+dpVersion, "").text, "VaultStore")

			follow(t, s, send(t, s, http.MethodPost, instanceID+"/validateRestore"+dpVersion, `{"restoreRequestObject":`+restoreBody+`}`))
			status, _ = follow(t, s, send(t, s, http.MethodPost, instanceID+"/restore"+dpVersion, restoreBody))
			finished(t, s, status)

			require.False(t, s.Done())
			removed := send(t, s, http.MethodDelete, instanceID+dpVersion, "")
			last, _ := follow(t, s, removed)
			require.Contains(t, last.text, `"Succeeded"`)
			require.Equal(t, http.StatusOK, send(t, s, http.MethodGet, removed.header.Get("Location"), "").status)
			require.Equal(t, http.StatusNotFound, send(t, s, http.MethodGet, instanceID+dpVersion, "").status)
			send(t, s, http.MethodGet, backupVaultID+"/backupInstances"+dpVersion, "").decode(t, &list)
			require.Empty(t, list.Value)

			require.Empty(t, s.Mismatches())
			require.True(t, s.Done())
		})
	}
}

func TestReplay_DerivesAnswersThatWereNotRecorded(t *testing.T) {
	t.Parallel()
	s := startInstances(t)
	for path, text := range map[string]string{
		backupVaultID:                                  `"location":"eastus2euap"`,
		backupVaultID + "/backupPolicies":              `"name":"pgflexpolicy"`,
		backupVaultID + "/backupPolicies/pgflexpolicy": `"BackupWeekly"`,
		serverID: `"name":"clitest-pgflex-server-2"`,
		backupVaultID + "/deletedBackupInstances":     `{"value":[]}`,
		backupVaultID + "/backupResourceGuardProxies": `{"value":[]}`,
		backupVaultID + "/backupJobs":                 `{"value":[]}`,
		strings.ToLower(backupVaultID):                `"isVaultProtectedByResourceGuard":false`,
	} {
		r := send(t, s, http.MethodGet, path+dpVersion, "")
		require.Equal(t, http.StatusOK, r.status, path)
		require.Contains(t, r.text, text)
		require.NotEmpty(t, r.header.Get("Date"))
	}
	for _, path := range []string{
		serverID + "x", backupVaultID + "/backupPolicies/nosuch", backupVaultID + "/deletedBackupInstances/x", backupVaultID + "/backupInstances/other",
	} {
		require.Equal(t, http.StatusNotFound, send(t, s, http.MethodGet, path+dpVersion, "").status, path)
	}
	require.Empty(t, s.Mismatches())
	require.Equal(t, http.StatusNotFound, send(t, s, http.MethodGet, backupVaultID+"x"+dpVersion, "").status)
	require.Equal(t, http.StatusNotFound, send(t, s, http.MethodGet, backupVaultID+"/operationStatus/nosuch"+dpVersion, "").status)
	require.Len(t, s.Mismatches(), 2, "another vault and an operation that was not started")
}

func TestReplay_AcceptsBothSpellingsOfTheResourceID(t *testing.T) {
	t.Parallel()
	s := startInstances(t, func(c *replay.Config) { c.From, c.RetryAfter = firstValidation, 2 })
	for range 2 {
		r := send(t, s, http.MethodPost, backupVaultID+"/validateForBackup"+dpVersion, `{"backupInstance":`+instanceBody+`}`)
		require.Equal(t, http.StatusAccepted, r.status, r.text)
		follow(t, s, r)
	}
	put := send(t, s, http.MethodPut, instanceID+dpVersion, `{"properties":`+instanceBody+`}`)
	require.Equal(t, "2", put.header.Get("Retry-After"))
	require.Empty(t, s.Mismatches())
	third := send(t, s, http.MethodPost, backupVaultID+"/validateForBackup"+dpVersion, `{"backupInstance":`+instanceBody+`}`)
	require.Equal(t, http.StatusConflict, third.status)
}

func TestReplay_ListsTheJobsOfABackupVault(t *testing.T) {
	t.Parallel()
	s := startInstances(t, func(c *replay.Config) { c.From = 19 })
	list := func() string { return send(t, s, http.MethodGet, backupVaultID+"/backupJobs"+dpVersion, "").text }
	require.NotContains(t, list(), "53f3012a-aa0c-4317-a9c6-eda498ddee55")
	follow(t, s, send(t, s, http.MethodPost, instanceID+"/backup"+dpVersion, `{"backupRuleOptions":{"ruleName":"BackupWeekly","triggerOption":{}}}`))
	require.Contains(t, list(), `"name":"53f3012a-aa0c-4317-a9c6-eda498ddee55"`)
	require.Contains(t, list(), instanceID)
}
