package armsim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

const (
	dpVersion     = "?api-version=2024-04-01"
	backupVaultID = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/TestBkpVaultRG/providers/Microsoft.DataProtection/backupVaults/TestBkpVault"
	flexServerID  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver"
	flexInstance  = backupVaultID + "/backupInstances/pgflextestserver-857d23b1-c679-4c94-ade6-c4d34635e149"
	oldInstance   = backupVaultID + "/backupInstances/testpostgresql-empdb11-aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
	targetServer  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver"
	containerURL  = "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore"

	flexBody = `{"dataSourceInfo":{"resourceID":"` + flexServerID + `","resourceUri":"","datasourceType":"Microsoft.DBforPostgreSQL/flexibleServers",` +
		`"resourceName":"pgflextestserver","resourceType":"Microsoft.DBforPostgreSQL/flexibleServers","resourceLocation":"westus","objectType":"Datasource"},` +
		`"policyInfo":{"policyId":"` + backupVaultID + `/backupPolicies/pgflexpol1"},"objectType":"BackupInstance"}`
	validateBody  = `{"backupInstance":` + flexBody + `}`
	configureBody = `{"properties":` + flexBody + `}`
	ruleBody      = `{"backupRuleOptions":{"ruleName":"BackupWeekly","triggerOption":{}}}`

	databaseTarget = `{"objectType":"RestoreTargetInfo","recoveryOption":"FailIfExists","restoreLocation":"westus",` +
		`"datasourceInfo":{"objectType":"Datasource","resourceID":"` + targetServer + `/databases/emprestored21","resourceName":"emprestored21",` +
		`"resourceType":"Microsoft.DBforPostgreSQL/servers/databases","resourceLocation":"westus","datasourceType":"Microsoft.DBforPostgreSQL/servers/databases"},` +
		`"datasourceSetInfo":{"objectType":"DatasourceSet","resourceID":"` + targetServer + `","resourceName":"targetossserver",` +
		`"resourceType":"Microsoft.DBforPostgreSQL/servers","resourceLocation":"westus","datasourceType":"Microsoft.DBforPostgreSQL/servers/databases"},` +
		`"datasourceAuthCredentials":{"objectType":"SecretStoreBasedAuthCredentials","secretStoreResource":{"secretStoreType":"AzureKeyVault","uri":"https://vikottur-test.vault.azure.net/secrets/dbauth3"}}}`
	filesTarget = `{"objectType":"RestoreFilesTargetInfo","recoveryOption":"FailIfExists","restoreLocation":"westus",` +
		`"targetDetails":{"url":"` + containerURL + `","filePrefix":"empdb11","restoreTargetLocationType":"AzureBlobs"}}`
)

// restoreOf returns a restore request from the vault tier.
func restoreOf(point, target string) string {
	return `{"objectType":"AzureBackupRecoveryPointBasedRestoreRequest","recoveryPointId":"` + point + `","sourceDataStoreType":"VaultStore","restoreTargetInfo":` + target + `}`
}

// archiveRestoreOf returns a restore request from the archive tier.
func archiveRestoreOf(point, target string) string {
	return `{"objectType":"AzureBackupRestoreWithRehydrationRequest","recoveryPointId":"` + point + `","sourceDataStoreType":"ArchiveStore",` +
		`"rehydrationPriority":"Standard","rehydrationRetentionDuration":"P15D","restoreTargetInfo":` + target + `}`
}

func validationOf(request string) string { return `{"restoreRequestObject":` + request + `}` }

// dp sends a request to a path of Microsoft.DataProtection.
func (b *bench) dp(method, path, body string, header ...string) reply {
	b.t.Helper()
	return b.send(method, path+dpVersion, body, header...)
}

// accepted sends a request and follows its operation to the end.
func (b *bench) accepted(method, path, body string, header ...string) reply {
	b.t.Helper()
	r := b.dp(method, path, body, header...)
	require.Equal(b.t, http.StatusAccepted, r.status, r.text)
	return b.ended(r)
}

// ended waits for the operation of an answer and returns its last status.
func (b *bench) ended(r reply) reply {
	b.t.Helper()
	for range 100 {
		status := b.get(r.header.Get("Azure-AsyncOperation"))
		require.Equal(b.t, http.StatusOK, status.status, status.text)
		if status.at("status") != "Inprogress" {
			return status
		}
		b.clock.Advance(time.Second)
	}
	require.Fail(b.t, "the operation does not end")
	return reply{}
}

// configured protects the flexible server of the demo world.
func (b *bench) configured() *bench {
	b.t.Helper()
	require.Equal(b.t, http.StatusCreated, b.dp(http.MethodPut, flexInstance, configureBody).status)
	b.clock.Advance(39 * time.Second)
	require.Equal(b.t, "ProtectionConfigured", b.state(flexInstance))
	return b
}

// state returns the protection state of an instance.
func (b *bench) state(instance string) any {
	b.t.Helper()
	return b.dp(http.MethodGet, instance, "").at("properties/currentProtectionState")
}

// jobOf returns the job that the last status of an operation names.
func (b *bench) jobOf(status reply) reply {
	b.t.Helper()
	id, _ := status.at("properties/jobId").(string)
	require.NotEmpty(b.t, id, status.text)
	r := b.dp(http.MethodGet, id, "")
	require.Equal(b.t, http.StatusOK, r.status, r.text)
	return r
}

// facing returns the nested error of an error answer or a failed status.
func (r reply) facing(field string) any {
	return r.at("error/additionalInfo/0/info/" + field)
}

// demo starts a simulator with a changed demo world.
func demo(t *testing.T, change func(*armsim.World)) *bench {
	t.Helper()
	w := armsim.DemoWorld()
	change(&w)
	return start(t, func(c *armsim.Config) { c.World = &w })
}

func instead(text, from, to string) string { return strings.Replace(text, from, to, 1) }
