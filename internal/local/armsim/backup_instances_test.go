package armsim_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

func TestFlexibleServer_IsProtectedBackedUpRestoredAndDeleted(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.Equal(t, "pgflextestserver", b.send(http.MethodGet, flexServerID+"?api-version=2024-08-01", "").at("name"))
	require.Equal(t, http.StatusNotFound, b.dp(http.MethodGet, flexInstance, "").status)

	require.Equal(t, "Succeeded", b.accepted(http.MethodPost, backupVaultID+"/validateForBackup", validateBody).at("status"))
	put := b.dp(http.MethodPut, flexInstance, configureBody)
	require.Equal(t, http.StatusCreated, put.status, put.text)
	require.Equal(t, "Provisioning", put.at("properties/provisioningState"))
	require.Equal(t, "ConfiguringProtection", put.at("properties/protectionStatus/status"))
	require.Equal(t, "Succeeded", b.ended(put).at("status"))
	read := b.dp(http.MethodGet, flexInstance, "")
	require.Equal(t, "Succeeded", read.at("properties/provisioningState"))
	require.Equal(t, "ConfiguringProtection", read.at("properties/currentProtectionState"), "the end of the operation is not the end of the protection")
	b.clock.Advance(37 * time.Second)
	require.Equal(t, "ProtectionConfigured", b.state(flexInstance))

	status := b.accepted(http.MethodPost, flexInstance+"/backup", ruleBody, "x-ms-client-request-id", "attempt-1")
	require.Contains(t, status.text, "/resourcegroups/TestBkpVaultRG/providers/Microsoft.DataProtection/BackupVaults/TestBkpVault/backupJobs/")
	require.Equal(t, "InProgress", b.jobOf(status).at("properties/status"))
	require.Equal(t, "attempt-1", b.jobOf(status).at("properties/activityID"))
	require.Equal(t, "PT0S", b.jobOf(status).at("properties/duration"))
	b.clock.Advance(15*time.Minute + 40*time.Second)
	require.Equal(t, "Completed", b.jobOf(status).at("properties/status"))
	require.Equal(t, "PT15M41S", b.jobOf(status).at("properties/duration"))

	points := b.dp(http.MethodGet, flexInstance+"/recoveryPoints", "")
	point, _ := points.at("value/0/name").(string)
	require.Len(t, point, 32)
	require.Equal(t, points.at("value/0"), any(b.dp(http.MethodGet, flexInstance+"/recoveryPoints/"+point, "").body))

	request := restoreOf(point, filesTarget)
	require.Equal(t, "Succeeded", b.accepted(http.MethodPost, flexInstance+"/validateRestore", validationOf(request)).at("status"))
	status = b.accepted(http.MethodPost, flexInstance+"/restore", request, "x-ms-client-request-id", "attempt-2")
	b.clock.Advance(2*time.Minute + 3*time.Second)
	restored := b.jobOf(status)
	require.Equal(t, "Completed", restored.at("properties/status"))
	require.Equal(t, containerURL, restored.at("properties/extendedInfo/recoveryDestination"))
	require.Len(t, b.sim.Restores(), 1)
	require.Equal(t, "attempt-2", b.sim.Restores()[0].ActivityID)
	require.Equal(t, containerURL, b.sim.Restores()[0].Target)
	require.Equal(t, point, b.sim.Restores()[0].RecoveryPoint)
	require.Equal(t, restored.at("name"), b.sim.Restores()[0].JobID)

	require.Equal(t, "Succeeded", b.accepted(http.MethodDelete, flexInstance, "").at("status"))
	require.Equal(t, http.StatusNotFound, b.dp(http.MethodGet, flexInstance, "").status)
	require.Equal(t, http.StatusNoContent, b.dp(http.MethodDelete, flexInstance, "").status)
}

func TestInstanceOperation_HasStatusAndResultURLs(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.dp(http.MethodPost, backupVaultID+"/validateForBackup", validateBody)
	require.Equal(t, "10", r.header.Get("Retry-After"))
	statusURL, resultURL := r.header.Get("Azure-AsyncOperation"), r.header.Get("Location")
	name := statusURL[strings.LastIndex(strings.Split(statusURL, "?")[0], "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	pair, err := base64.StdEncoding.DecodeString(name)
	require.NoError(t, err)
	require.Len(t, strings.Split(string(pair), ";"), 2)
	require.True(t, strings.HasPrefix(statusURL, b.sim.Endpoint()+backupVaultID+"/operationStatus/"), statusURL)
	require.True(t, strings.HasPrefix(resultURL, b.sim.Endpoint()+"/subscriptions/"+armsim.DemoSubscription+
		"/providers/Microsoft.DataProtection/locations/westus/operationResults/"+name+"?api-version=2024-04-01&t="), resultURL)

	running := b.get(statusURL)
	require.Empty(t, running.header.Get("Retry-After"), "Azure sends none with a status")
	require.Equal(t, "Inprogress", running.at("status"))
	require.Equal(t, "0001-01-01T00:00:00Z", running.at("endTime"))
	require.Equal(t, backupVaultID+"/operationStatus/"+name, running.at("id"))
	result := b.get(resultURL)
	require.Equal(t, http.StatusAccepted, result.status)
	require.Equal(t, http.StatusAccepted, b.get(result.header.Get("Location")).status)

	b.clock.Advance(41 * time.Second)
	result = b.get(resultURL)
	require.Equal(t, http.StatusOK, result.status)
	require.JSONEq(t, `{"objectType":"OperationJobExtendedInfo"}`, result.text)
	below := b.get(result.header.Get("Azure-AsyncOperation"))
	require.Equal(t, "Succeeded", below.at("status"))
	require.Contains(t, below.at("id"), "/providers/Microsoft.DataProtection/locations/westus/operationStatus/")

	tampered, err := url.Parse(resultURL)
	require.NoError(t, err)
	tampered.Path = strings.Replace(tampered.Path, "westus", "eastus", 1)
	require.Equal(t, http.StatusForbidden, b.get(tampered.String()).status)
}

func TestInstanceOperation_RetryAfterMatchesTheLearnPage(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.Equal(t, "15", b.dp(http.MethodPut, flexInstance, configureBody).header.Get("Retry-After"))
	b.clock.Advance(time.Minute)
	require.Equal(t, "30", b.dp(http.MethodPost, flexInstance+"/backup", ruleBody).header.Get("Retry-After"))
	require.Equal(t, "10", b.dp(http.MethodPost, oldInstance+"/validateRestore",
		validationOf(restoreOf(armsim.DemoVaultPoint, filesTarget))).header.Get("Retry-After"))
	require.Equal(t, "30", b.dp(http.MethodDelete, flexInstance, "").header.Get("Retry-After"))
}

func TestBackupInstance_SecondOfADatasourceIsRejected(t *testing.T) {
	t.Parallel()
	var other armsim.BackupVault
	b := demo(t, func(w *armsim.World) {
		other = w.BackupVaults[0]
		other.Name = "AnotherVault"
		w.BackupVaults = append(w.BackupVaults, other)
	}).configured()
	for _, vault := range []string{backupVaultID, other.ID()} {
		body := strings.Replace(validateBody, backupVaultID, vault, 1)
		r := b.dp(http.MethodPost, vault+"/validateForBackup", body, "x-ms-client-request-id", "v-1")
		require.Equal(t, http.StatusBadRequest, r.status)
		require.Equal(t, "UserErrorDppDatasourceAlreadyProtected", r.at("error/code"))
		require.Contains(t, r.at("error/message"), backupVaultID)
		require.Equal(t, "UserErrorDppDatasourceAlreadyProtected", r.facing("code"))
		require.Equal(t, "v-1", r.facing("properties/ActivityId"))
		require.Contains(t, r.facing("recommendedAction/0"), "pgflextestserver-857d23b1-c679-4c94-ade6-c4d34635e149")
		require.Equal(t, false, r.facing("isUserError"))
		put := b.dp(http.MethodPut, vault+"/backupInstances/another", strings.Replace(configureBody, backupVaultID, vault, 1))
		require.Equal(t, "UserErrorDppDatasourceAlreadyProtected", put.at("error/code"))
	}
	again := b.dp(http.MethodPut, flexInstance, configureBody)
	require.Equal(t, http.StatusCreated, again.status, "the same instance again is an update")
	require.Equal(t, "UpdatingProtection", again.at("properties/currentProtectionState"))
	b.clock.Advance(39 * time.Second)
	require.Equal(t, "ProtectionConfigured", b.state(flexInstance))
}

func TestValidateForBackup_ReportsMissingPermissions(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.sim.AddOutcome(armsim.Outcome{Operation: "ValidateForBackup", OperationCode: "UserErrorMissingRequiredPermissions", Times: 2})
	for range 2 {
		failed := b.accepted(http.MethodPost, backupVaultID+"/validateForBackup", validateBody)
		require.Equal(t, "Failed", failed.at("status"))
		require.Equal(t, "UserErrorMissingRequiredPermissions", failed.at("error/code"))
		require.Equal(t, "Appropriate permissions to perform the operation is missing.", failed.at("error/message"))
		require.Contains(t, failed.facing("recommendedAction/0"), "Grant appropriate permissions")
		require.Contains(t, failed.facing("innerError/additionalInfo/DetailedNonLocalisedMessage"), "does not have authorization")
	}
	require.Equal(t, "Succeeded", b.accepted(http.MethodPost, backupVaultID+"/validateForBackup", validateBody).at("status"))
}

func TestOutcome_FailsTheProtectionOfAnInstance(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.sim.AddOutcome(armsim.Outcome{Operation: "ConfigureProtection", OperationCode: "UserErrorMissingRequiredPermissions"})
	put := b.dp(http.MethodPut, flexInstance, configureBody)
	require.Equal(t, "Failed", b.ended(put).at("status"))
	failed := b.dp(http.MethodGet, flexInstance, "")
	require.Equal(t, "ConfiguringProtectionFailed", failed.at("properties/currentProtectionState"))
	require.Equal(t, "UserErrorMissingRequiredPermissions", failed.at("properties/protectionErrorDetails/code"))

	b.sim.AddOutcome(armsim.Outcome{Operation: "ConfigureProtection", ProtectionState: "ProtectionError", Code: "PostgreSQLFlexServerError", ErrorText: "sorry"})
	put = b.dp(http.MethodPut, flexInstance, configureBody)
	require.Equal(t, http.StatusCreated, put.status, "a failed instance can be configured again")
	require.Equal(t, "Succeeded", b.ended(put).at("status"))
	b.clock.Advance(37 * time.Second)
	require.Equal(t, "ProtectionError", b.state(flexInstance))
	require.Equal(t, "sorry", b.dp(http.MethodGet, flexInstance, "").at("properties/protectionErrorDetails/message"))
}

func TestValidateForBackup_ReportsAMissingDatasource(t *testing.T) {
	t.Parallel()
	b := start(t)
	body := instead(validateBody, flexServerID, flexServerID+"x")
	require.Equal(t, "UserErrorDBNotFound", b.accepted(http.MethodPost, backupVaultID+"/validateForBackup", body).at("error/code"))
}

func TestInstanceBackup_NeedsProtectionAndRunsOneAtATime(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.Equal(t, http.StatusCreated, b.dp(http.MethodPut, flexInstance, configureBody).status)
	require.Equal(t, http.StatusBadRequest, b.dp(http.MethodPost, flexInstance+"/backup", ruleBody).status)
	b.clock.Advance(39 * time.Second)
	b.accepted(http.MethodPost, flexInstance+"/backup", ruleBody)
	rejected := b.dp(http.MethodPost, flexInstance+"/backup", ruleBody)
	require.Equal(t, http.StatusConflict, rejected.status)
	require.Equal(t, "UserErrorBackupOperationInProgress", rejected.at("error/code"))
	require.Len(t, b.sim.Backups(), 1)
}

func TestOutcome_EndsInstanceJobs(t *testing.T) {
	t.Parallel()
	b := start(t).configured()
	b.sim.AddOutcome(armsim.Outcome{Item: "pgflextestserver", JobStatus: "Failed", Code: "UserErrorServerConnectionClosed", Recommendation: "try again"})
	b.sim.AddOutcome(armsim.Outcome{OperationCode: "CloudInternalError", OperationMessage: "sorry"})
	b.sim.AddOutcome(armsim.Outcome{KeepsRunning: true})
	status := b.accepted(http.MethodPost, flexInstance+"/backup", ruleBody)
	b.clock.Advance(16 * time.Minute)
	job := b.jobOf(status)
	require.Equal(t, "Failed", job.at("properties/status"))
	require.Equal(t, "UserErrorServerConnectionClosed", job.at("properties/errorDetails/0/code"))
	require.Equal(t, "try again", job.at("properties/errorDetails/0/recommendedAction/0"))
	require.Empty(t, b.dp(http.MethodGet, flexInstance+"/recoveryPoints", "").list())

	failed := b.accepted(http.MethodPost, flexInstance+"/backup", ruleBody)
	require.Equal(t, "sorry", failed.at("error/message"))
	require.Nil(t, failed.at("properties"))
	require.Empty(t, b.sim.Backups()[1].JobID)

	status = b.accepted(http.MethodPost, flexInstance+"/backup", ruleBody)
	b.clock.Advance(20 * time.Hour)
	require.Equal(t, "InProgress", b.jobOf(status).at("properties/status"))
	require.Len(t, b.dp(http.MethodGet, backupVaultID+"/backupJobs", "").list(), 2)
	require.Nil(t, b.dp(http.MethodGet, backupVaultID+"/backupJobs", "").at("value/0/properties/extendedInfo"))
}

func TestInstanceBackup_OfADeletedServerFails(t *testing.T) {
	t.Parallel()
	b := start(t)
	status := b.accepted(http.MethodPost, oldInstance+"/backup", ruleBody)
	b.clock.Advance(16 * time.Minute)
	require.Equal(t, "UserErrorDBNotFound", b.jobOf(status).at("properties/errorDetails/0/code"))
}
