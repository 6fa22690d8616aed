package armsim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

// validated returns the end of the validation of a restore of the demo world's
// database.
func (b *bench) validated(request string) reply {
	b.t.Helper()
	return b.accepted(http.MethodPost, oldInstance+"/validateRestore", validationOf(request))
}

func TestRestore_DatabaseAsDatabase(t *testing.T) {
	t.Parallel()
	b := start(t)
	request := restoreOf(armsim.DemoVaultPoint, databaseTarget)
	require.Equal(t, "Succeeded", b.validated(request).at("status"))
	status := b.accepted(http.MethodPost, oldInstance+"/restore", request)
	b.clock.Advance(3 * time.Minute)
	job := b.jobOf(status)
	require.Equal(t, "Completed", job.at("properties/status"))
	require.Equal(t, "Restore", job.at("properties/operation"))
	require.Equal(t, targetServer+"/databases/emprestored21", job.at("properties/extendedInfo/recoveryDestination"))
	require.Equal(t, "testpostgresql", job.at("properties/dataSourceSetName"))
	made := b.sim.Restores()[0]
	require.Equal(t, "RestoreTargetInfo", made.TargetType)
	require.Equal(t, "https://vikottur-test.vault.azure.net/secrets/dbauth3", made.SecretURI)

	again := b.validated(request)
	require.Equal(t, "UserErrorDatabaseNameAlreadyInUse", again.at("error/code"), "the restore created it")
	status = b.accepted(http.MethodPost, oldInstance+"/restore", request)
	b.clock.Advance(3 * time.Minute)
	require.Equal(t, "Failed", b.jobOf(status).at("properties/status"))
	require.Equal(t, "UserErrorDatabaseNameAlreadyInUse", b.jobOf(status).at("properties/errorDetails/0/code"))
}

func TestRestore_RehydratesTheArchiveTierFirst(t *testing.T) {
	t.Parallel()
	b := start(t)
	for _, target := range []string{databaseTarget, filesTarget} {
		request := archiveRestoreOf(armsim.DemoArchivePoint, target)
		require.Equal(t, "Succeeded", b.validated(request).at("status"))
		status := b.accepted(http.MethodPost, oldInstance+"/restore", request)
		b.clock.Advance(time.Hour)
		require.Equal(t, "InProgress", b.jobOf(status).at("properties/status"))
		require.Equal(t, "Standard", b.jobOf(status).at("properties/rehydrationPriority"))
		b.clock.Advance(2*time.Minute + 4*time.Second)
		require.Equal(t, "Completed", b.jobOf(status).at("properties/status"))
	}
	require.Equal(t, "P15D", b.sim.Restores()[0].RehydrationRetention)
}

func TestRestore_InvalidFieldIsNamed(t *testing.T) {
	t.Parallel()
	b := start(t)
	database, files := restoreOf(armsim.DemoVaultPoint, databaseTarget), restoreOf(armsim.DemoVaultPoint, filesTarget)
	archive := archiveRestoreOf(armsim.DemoArchivePoint, databaseTarget)
	for name, c := range map[string]struct{ body, field string }{
		"the Learn page's dataSourceInfo":    {instead(database, "datasourceInfo", "dataSourceInfo"), "restoreTargetInfo.dataSourceInfo"},
		"the Learn page's dataSourceSetInfo": {instead(database, "datasourceSetInfo", "dataSourceSetInfo"), "restoreTargetInfo.dataSourceSetInfo"},
		"the Learn page's restoreTargetInfo": {instead(database, `"RestoreTargetInfo"`, `"restoreTargetInfo"`), "restoreTargetInfo.objectType"},
		"the Learn page's rehydration":       {instead(archive, "rehydrationPriority", "rehydration_priority"), "rehydration_priority"},
		"archive without rehydration": {instead(restoreOf(armsim.DemoArchivePoint, databaseTarget), "VaultStore", "ArchiveStore"),
			"objectType"},
		"unknown priority":            {instead(archive, "Standard", "Urgent"), "rehydrationPriority"},
		"an invalid retention":        {instead(archive, "P15D", "15"), "rehydrationRetentionDuration"},
		"a priority for vault tier":   {instead(database, `"sourceDataStoreType"`, `"rehydrationPriority":"High","sourceDataStoreType"`), "rehydrationPriority"},
		"the other tier":              {restoreOf(armsim.DemoArchivePoint, databaseTarget), "sourceDataStoreType"},
		"unknown tier":                {instead(database, "VaultStore", "Tape"), "sourceDataStoreType"},
		"unknown request type":        {instead(database, "AzureBackupRecoveryPointBasedRestoreRequest", "Restore"), "objectType"},
		"unknown recovery point":      {restoreOf("f00f", databaseTarget), "recoveryPointId"},
		"no point":                    {restoreOf("", databaseTarget), "recoveryPointId"},
		"no target":                   {instead(database, databaseTarget, "null"), "restoreTargetInfo"},
		"overwriting":                 {instead(files, "FailIfExists", "Overwrite"), "restoreTargetInfo.recoveryOption"},
		"another region":              {instead(files, `"westus"`, `"eastus"`), "restoreTargetInfo.restoreLocation"},
		"no files":                    {instead(files, "targetDetails", "datasourceInfo"), "restoreTargetInfo.datasourceInfo.filePrefix"},
		"a blob instead of container": {instead(files, containerURL, containerURL+"/a/b"), "restoreTargetInfo.targetDetails.url"},
		"a file share":                {instead(files, ".blob.", ".file."), "restoreTargetInfo.targetDetails.url"},
		"a signed URL":                {instead(files, containerURL, containerURL+"?sig=x"), "restoreTargetInfo.targetDetails.url"},
		"no prefix":                   {instead(files, `"empdb11"`, `""`), "restoreTargetInfo.targetDetails.filePrefix"},
		"Azure Files":                 {instead(files, "AzureBlobs", "AzureFiles"), "restoreTargetInfo.targetDetails.restoreTargetLocationType"},
		"a server as database":        {instead(database, "/databases/emprestored21", ""), "restoreTargetInfo.datasourceInfo.resourceID"},
		"providers twice": {strings.Replace(database, "/providers/Microsoft.DBforPostgreSQL", "/providers/providers/Microsoft.DBforPostgreSQL", 1),
			"restoreTargetInfo.datasourceInfo.resourceID"},
		"another server": {instead(database, targetServer+`","resourceName":"targetossserver"`, targetServer+`x","resourceName":"targetossserver"`),
			"restoreTargetInfo.datasourceSetInfo.resourceID"},
		"unknown credentials": {instead(database, "SecretStoreBasedAuthCredentials", "Password"), "restoreTargetInfo.datasourceAuthCredentials.objectType"},
		"a secret outside a vault": {instead(database, "https://vikottur-test.vault.azure.net/secrets/dbauth3", "hunter2"),
			"restoreTargetInfo.datasourceAuthCredentials.secretStoreResource.uri"},
	} {
		r := b.dp(http.MethodPost, oldInstance+"/restore", c.body)
		require.Equal(t, http.StatusBadRequest, r.status, name)
		require.Equal(t, "BMSUserErrorInvalidInput", r.at("error/code"), name)
		require.Equal(t, c.field, r.facing("target"), name)
		require.Contains(t, r.at("error/message"), c.field, name)
		v := b.dp(http.MethodPost, oldInstance+"/validateRestore", validationOf(c.body))
		require.Equal(t, "restoreRequestObject."+c.field, v.facing("target"), name)
	}
	require.Empty(t, b.sim.Restores())
	outside := instead(validationOf(database), `{"restoreRequestObject"`, `{"recoveryPointId":"x","restoreRequestObject"`)
	require.Equal(t, "recoveryPointId", b.dp(http.MethodPost, oldInstance+"/validateRestore", outside).facing("target"))
}

func TestValidateRestore_ReportsWhatWouldFail(t *testing.T) {
	t.Parallel()
	b := demo(t, func(w *armsim.World) {
		w.SingleServers[1].Version = "9.5"
		w.ProtectedDatasources[0].RecoveryPoints[1].ServerVersion = "9.5"
		account := &w.StorageAccounts[len(w.StorageAccounts)-1]
		account.BlobContainers = append(account.BlobContainers, armsim.BlobContainer{Name: "private", Denied: true})
	})
	newer := "0c5a1d2f3b4e46978891a2b3c4d5e6f7"
	for code, request := range map[string]string{
		"UserErrorRestoreToLowerVersion":    restoreOf(newer, databaseTarget),
		"UserErrorDatabaseNameAlreadyInUse": strings.ReplaceAll(restoreOf(armsim.DemoVaultPoint, databaseTarget), "emprestored21", "postgres"),
		"UserErrorDBNotFound":               strings.ReplaceAll(restoreOf(armsim.DemoVaultPoint, databaseTarget), "servers/targetossserver", "servers/nosuchserver"),
		"UserErrorContainerNotAccessible":   instead(restoreOf(newer, filesTarget), "/testcontainerrestore", "/private"),
		"UserErrorDBUserAuthFailed":         restoreOf(armsim.DemoVaultPoint, databaseTarget),
	} {
		if code == "UserErrorDBUserAuthFailed" {
			b.sim.AddOutcome(armsim.Outcome{Operation: "ValidateRestore", OperationCode: code, Recommendation: "check the secret"})
		}
		failed := b.validated(request)
		require.Equal(t, "Failed", failed.at("status"), code)
		require.Equal(t, code, failed.at("error/code"))
		require.NotEmpty(t, failed.facing("recommendedAction/0"), code)
	}
	require.Contains(t, b.validated(restoreOf(newer, databaseTarget)).facing("innerError/additionalInfo/DetailedNonLocalisedMessage"),
		"from version:11 of PostgreSQL to 9.5")
	missing := instead(restoreOf(newer, filesTarget), "/testcontainerrestore", "/nosuch")
	require.Equal(t, "UserErrorContainerNotAccessible", b.validated(missing).at("error/code"))
}

func TestRestore_OneAtATimePerTarget(t *testing.T) {
	t.Parallel()
	b := start(t)
	request := restoreOf(armsim.DemoVaultPoint, filesTarget)
	b.accepted(http.MethodPost, oldInstance+"/restore", request)
	rejected := b.dp(http.MethodPost, oldInstance+"/restore", request)
	require.Equal(t, http.StatusConflict, rejected.status)
	require.Equal(t, "UserErrorAnotherRestoreInProgressOnSameTarget", rejected.facing("code"))
	b.accepted(http.MethodPost, oldInstance+"/restore", instead(request, `"empdb11"`, `"another"`))
	b.clock.Advance(3 * time.Minute)
	b.accepted(http.MethodPost, oldInstance+"/restore", request)
	require.Len(t, b.sim.Restores(), 3)
}

func TestRestore_FlexibleServerAsFilesFromTheVaultTierOnly(t *testing.T) {
	t.Parallel()
	b := demo(t, func(w *armsim.World) {
		w.ProtectedDatasources = append(w.ProtectedDatasources, armsim.ProtectedDatasource{
			Vault: backupVaultID, Policy: "pgflexpol1", Datasource: flexServerID, Instance: "flex",
			RecoveryPoints: []armsim.RecoveryPoint{{ID: armsim.DemoVaultPoint}, {ID: armsim.DemoArchivePoint, Store: "ArchiveStore"}},
		})
	})
	instance := backupVaultID + "/backupInstances/flex"
	for field, request := range map[string]string{
		"restoreTargetInfo.objectType": restoreOf(armsim.DemoVaultPoint, databaseTarget),
		"sourceDataStoreType":          archiveRestoreOf(armsim.DemoArchivePoint, filesTarget),
	} {
		r := b.dp(http.MethodPost, instance+"/restore", request)
		require.Equal(t, field, r.facing("target"), r.text)
	}
	b.accepted(http.MethodPost, instance+"/restore", restoreOf(armsim.DemoVaultPoint, filesTarget))
}

func TestRecoveryPoints_ArePagedAndFilteredByTime(t *testing.T) {
	t.Parallel()
	w := armsim.DemoWorld()
	b := start(t, func(c *armsim.Config) { c.World, c.PageSize = &w, 2 })
	first := b.dp(http.MethodGet, oldInstance+"/recoveryPoints", "")
	require.Len(t, first.list(), 2)
	require.Equal(t, "ArchiveStore", first.at("value/0/properties/recoveryPointDataStoresDetails/0/type"))
	next, _ := first.at("nextLink").(string)
	second := b.get(next)
	require.Len(t, second.list(), 1)
	require.Nil(t, second.at("nextLink"))

	at := func(days int) string { return b.clock.Now().AddDate(0, 0, -days).Format(time.RFC3339) }
	points := func(filter string) []any {
		t.Helper()
		r := b.get(oldInstance + "/recoveryPoints" + dpVersion + "&$filter=" + url.QueryEscape(filter))
		require.Equal(t, http.StatusOK, r.status, r.text)
		return r.list()
	}
	require.Len(t, points("startDate eq '"+at(15)+"' and endDate eq '"+at(10)+"'"), 1)
	require.Len(t, points("endDate eq '"+at(10)+"'"), 2)
	require.Len(t, points(""), 2, "an empty filter filters nothing")
	for _, wrong := range []string{"startDate eq 'yesterday'", "recoveryPointTime gt '2024'"} {
		r := b.get(oldInstance + "/recoveryPoints" + dpVersion + "&$filter=" + url.QueryEscape(wrong))
		require.Equal(t, http.StatusBadRequest, r.status)
		require.Equal(t, "$filter", r.facing("target"))
	}
	require.Equal(t, http.StatusNotFound, b.dp(http.MethodGet, oldInstance+"/recoveryPoints/nosuch", "").status)
}
