package armsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

func TestBackupInstance_InvalidFieldIsNamed(t *testing.T) {
	t.Parallel()
	b := start(t)
	policy := backupVaultID + "/backupPolicies/pgflexpol1"
	database := instead(configureBody, flexServerID, targetServer+"/databases/postgres")
	for name, c := range map[string]struct{ body, field string }{
		"datasourceInfo":           {instead(configureBody, "dataSourceInfo", "datasourceInfo"), "properties.datasourceInfo"},
		"objectType outside":       {instead(configureBody, `{"properties"`, `{"objectType":"BackupInstance","properties"`), "objectType"},
		"no objectType":            {instead(configureBody, `,"objectType":"BackupInstance"`, ""), "properties.objectType"},
		"another objectType":       {instead(configureBody, `"Datasource"`, `"DatasourceSet"`), "properties.dataSourceInfo.objectType"},
		"no properties":            {`{}`, "properties"},
		"no datasource":            {`{"properties":{"objectType":"BackupInstance"}}`, "properties.dataSourceInfo"},
		"no policy":                {instead(configureBody, `"policyInfo":{"policyId":"`+policy+`"}`, `"policyInfo":null`), "properties.policyInfo"},
		"unknown policy":           {instead(configureBody, policy, policy+"x"), "properties.policyInfo.policyId"},
		"a policy for other types": {instead(configureBody, policy, backupVaultID+"/backupPolicies/osspol3"), "properties.policyInfo.policyId"},
		"unknown type":             {instead(configureBody, `"datasourceType":"Microsoft.DBforPostgreSQL/flexibleServers"`, `"datasourceType":"OssDB"`), "properties.dataSourceInfo.datasourceType"},
		"two types":                {instead(configureBody, `"resourceType":"Microsoft.DBforPostgreSQL/flexibleServers"`, `"resourceType":"x"`), "properties.dataSourceInfo.resourceType"},
		"the type of another":      {database, "properties.dataSourceInfo.datasourceType"},
		"no id":                    {instead(configureBody, flexServerID, ""), "properties.dataSourceInfo.resourceID"},
	} {
		r := b.dp(http.MethodPut, flexInstance, c.body)
		require.Equal(t, http.StatusBadRequest, r.status, "%s: %s", name, r.text)
		require.Equal(t, "BMSUserErrorInvalidInput", r.at("error/code"), name)
		require.Equal(t, c.field, r.facing("target"), name)
		require.Contains(t, r.at("error/message"), c.field, name)
	}
	require.Contains(t, b.dp(http.MethodPut, flexInstance, instead(configureBody, "dataSourceInfo", "datasourceInfo")).at("error/message"),
		"it is spelt dataSourceInfo")
	require.Equal(t, http.StatusAccepted, b.dp(http.MethodPost, backupVaultID+"/validateForBackup",
		instead(validateBody, "resourceID", "resourceId")).status, "both spellings are taken")
}

func TestInstanceBackup_InvalidFieldIsNamed(t *testing.T) {
	t.Parallel()
	b := start(t).configured()
	for field, body := range map[string]string{
		"backupRuleOptions":                                    `{}`,
		"backupRuleOptions.triggerOption":                      `{"backupRuleOptions":{"ruleName":"BackupWeekly"}}`,
		"backupRuleOptions.ruleName":                           instead(ruleBody, "BackupWeekly", "BackupHourly"),
		"backupRuleOptions.triggerOption.retentionTagOverride": instead(ruleBody, "{}}", `{"retentionTagOverride":"Yearly"}}`),
		"backupRuleOptions.rule":                               instead(ruleBody, "ruleName", "rule"),
	} {
		r := b.dp(http.MethodPost, flexInstance+"/backup", body)
		require.Equal(t, http.StatusBadRequest, r.status, field)
		require.Equal(t, field, r.facing("target"), r.text)
	}
}

func TestBackupVault_MissingResourceIsNotFound(t *testing.T) {
	t.Parallel()
	b := start(t)
	for _, path := range []string{
		backupVaultID + "x", backupVaultID + "/backupPolicies/nosuch", flexInstance, backupVaultID + "/backupJobs/nosuch",
		backupVaultID + "/deletedBackupInstances/nosuch", flexInstance + "/recoveryPoints", flexServerID + "x",
	} {
		r := b.dp(http.MethodGet, path, "")
		require.Equal(t, http.StatusNotFound, r.status, path)
		require.Equal(t, "ResourceNotFound", r.at("error/code"), path)
	}
	for _, action := range []string{"/backup", "/restore", "/validateRestore", "/stopProtection"} {
		body := map[string]string{"/backup": ruleBody, "/restore": restoreOf("x", filesTarget), "/validateRestore": validationOf(restoreOf("x", filesTarget))}[action]
		require.Equal(t, http.StatusNotFound, b.dp(http.MethodPost, flexInstance+action, body).status, action)
	}
	require.Equal(t, "NoRegisteredProviderFound", b.send(http.MethodGet, backupVaultID+"?api-version=2024-10-01", "").at("error/code"),
		"that is a version of the other provider")
	require.Equal(t, "InvalidResourceType", b.dp(http.MethodPost, backupVaultID+"/backupJobs/x/cancel", "").at("error/code"),
		"jobs of Backup vaults cannot be cancelled")
}

func TestBackupVault_RejectsProtectedOperations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change     func(*armsim.BackupVault)
		code, text string
		stops      bool
	}{
		"unlocked": {func(v *armsim.BackupVault) { v.Immutability = "Unlocked" }, "UserErrorOperationDeniedOnImmutableItem", "immutable", true},
		"locked":   {func(v *armsim.BackupVault) { v.Immutability = "Locked" }, "UserErrorOperationDeniedOnImmutableItem", "immutable", true},
		"guarded":  {func(v *armsim.BackupVault) { v.ResourceGuard = true }, "BMSUserErrorInvalidInput", "ResourceGuard Operation requestid", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := demo(t, func(w *armsim.World) { c.change(&w.BackupVaults[0]) })
			vault := b.dp(http.MethodGet, backupVaultID, "")
			require.Equal(t, name == "guarded", vault.at("properties/isVaultProtectedByResourceGuard"))
			r := b.dp(http.MethodDelete, oldInstance, "")
			require.Equal(t, http.StatusBadRequest, r.status)
			require.Equal(t, c.code, r.facing("code"))
			require.Contains(t, r.at("error/message"), c.text)
			stop := b.dp(http.MethodPost, oldInstance+"/stopProtection", "")
			require.Equal(t, c.stops, stop.status == http.StatusAccepted, stop.text)
			require.Len(t, b.sim.BackupInstances(), 1)
			require.Equal(t, name == "guarded", len(b.dp(http.MethodGet, backupVaultID+"/backupResourceGuardProxies", "").list()) == 1)
		})
	}
}

func TestInstanceDeletion_SoftDeletes(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.Equal(t, "On", b.dp(http.MethodGet, backupVaultID, "").at("properties/securitySettings/softDeleteSettings/state"))
	r := b.dp(http.MethodDelete, oldInstance, "", "x-ms-client-request-id", "d-1")
	require.Equal(t, "SoftDeleting", b.state(oldInstance))
	require.Equal(t, "Succeeded", b.ended(r).at("status"))
	require.Equal(t, http.StatusNotFound, b.dp(http.MethodGet, oldInstance, "").status)
	require.Empty(t, b.dp(http.MethodGet, backupVaultID+"/backupInstances", "").list())
	deleted := instead(oldInstance, "/backupInstances/", "/deletedBackupInstances/")
	kept := b.dp(http.MethodGet, deleted, "")
	require.Equal(t, http.StatusOK, kept.status)
	require.Equal(t, "SoftDeleted", kept.at("properties/currentProtectionState"))
	require.Equal(t, "d-1", kept.at("properties/deletionInfo/deleteActivityID"))
	require.Len(t, b.dp(http.MethodGet, backupVaultID+"/deletedBackupInstances", "").list(), 1)
	require.True(t, b.sim.BackupInstances()[0].Deleted)

	b.clock.Advance(14 * 24 * time.Hour)
	b.token = b.sim.Token()
	require.Equal(t, http.StatusNotFound, b.dp(http.MethodGet, deleted, "").status)
	require.Empty(t, b.sim.BackupInstances())
}

func TestInstanceDeletion_WithoutSoftDeleteRemoves(t *testing.T) {
	t.Parallel()
	b := demo(t, func(w *armsim.World) { w.BackupVaults[0].SoftDelete = "" })
	require.Equal(t, "Succeeded", b.accepted(http.MethodDelete, oldInstance, "").at("status"))
	require.Empty(t, b.dp(http.MethodGet, backupVaultID+"/deletedBackupInstances", "").list())
}

func TestInstanceDeletion_ReservesTheNameAndCanFail(t *testing.T) {
	t.Parallel()
	b := start(t).configured()
	b.sim.AddOutcome(armsim.Outcome{Operation: "DeleteBackupInstance", OperationCode: "CloudInternalError"})
	failed := b.accepted(http.MethodDelete, flexInstance, "")
	require.Equal(t, "Failed", failed.at("status"))
	require.Equal(t, "ProtectionConfigured", b.state(flexInstance))
	r := b.dp(http.MethodDelete, flexInstance, "")
	require.Equal(t, http.StatusConflict, b.dp(http.MethodPut, flexInstance, configureBody).status, "while it is being deleted")
	b.ended(r)
	require.Equal(t, "backupInstanceName", b.dp(http.MethodPut, flexInstance, configureBody).facing("target"))
	require.Equal(t, http.StatusCreated, b.dp(http.MethodPut, flexInstance+"2", configureBody).status)
}

func TestInstanceProtection_StopsAndResumes(t *testing.T) {
	t.Parallel()
	b := start(t).configured()
	require.Equal(t, http.StatusOK, b.dp(http.MethodPost, flexInstance+"/resumeProtection", "").status, "recorded: there is nothing to do")
	for _, c := range []struct{ stop, state, resume string }{
		{"/stopProtection", "ProtectionStopped", "/resumeProtection"},
		{"/suspendBackups", "BackupsSuspended", "/resumeProtection"},
		{"/suspendBackups", "BackupsSuspended", "/resumeBackups"},
	} {
		require.Equal(t, "Succeeded", b.accepted(http.MethodPost, flexInstance+c.stop, "").at("status"))
		require.Equal(t, c.state, b.state(flexInstance))
		require.Equal(t, http.StatusOK, b.dp(http.MethodPost, flexInstance+c.stop, "{}").status, "it is stopped already")
		require.Equal(t, http.StatusBadRequest, b.dp(http.MethodPost, flexInstance+"/backup", ruleBody).status)
		if c.state == "ProtectionStopped" {
			require.Equal(t, http.StatusBadRequest, b.dp(http.MethodPost, flexInstance+"/resumeBackups", "").status)
		}
		require.Equal(t, "Succeeded", b.accepted(http.MethodPost, flexInstance+c.resume, "").at("status"))
		require.Equal(t, "ProtectionConfigured", b.state(flexInstance))
	}
	require.Equal(t, "x", b.dp(http.MethodPost, flexInstance+"/stopProtection", `{"x":1}`).facing("target"))
}

func TestQuotas_CountRequestsToABackupVault(t *testing.T) {
	t.Parallel()
	b := start(t, func(c *armsim.Config) { c.Quotas = armsim.AzureQuotas() })
	const left = "x-ms-ratelimit-remaining-subscription-resource-requests"
	for n := range 100 {
		r := b.dp(http.MethodGet, oldInstance+"/recoveryPoints", "")
		require.Equal(t, 99-n, atoi(t, r.header.Get(left)))
		b.clock.Advance(time.Second)
	}
	r := b.dp(http.MethodGet, oldInstance+"/recoveryPoints", "")
	require.Equal(t, http.StatusTooManyRequests, r.status)
	require.Contains(t, r.at("error/message"), "'Microsoft.DataProtection/backupVaults/backupInstances/recoveryPoints/read' exceeded the limit of '100'")
	require.Equal(t, "1999", b.dp(http.MethodGet, oldInstance, "").header.Get(left))
	require.Equal(t, "199", b.dp(http.MethodPut, flexInstance, configureBody).header.Get(left))
	require.Empty(t, b.dp(http.MethodPost, backupVaultID+"/validateForBackup", validateBody).header.Get(left), "a POST has none")
}

func TestInstanceOperation_StatusCanExpireOrPointElsewhere(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.sim.Inject(armsim.Rule{Kind: "PUT backupInstances", Times: 1, Effect: armsim.ExpiredStatus()})
	b.sim.Inject(armsim.Rule{Kind: "POST backup", Times: 1, Effect: armsim.ForeignStatus("evil.example")})
	b.sim.Inject(armsim.Rule{Kind: "POST restore", Times: 1, Effect: armsim.AnswerUserError(http.StatusBadRequest, "UserErrorDTSDestLocked", "locked", "unlock it", nil)})
	put := b.dp(http.MethodPut, flexInstance, configureBody)
	require.Equal(t, http.StatusNotFound, b.get(put.header.Get("Azure-AsyncOperation")).status)
	b.clock.Advance(time.Minute)
	require.Equal(t, "ProtectionConfigured", b.state(flexInstance))
	require.Contains(t, b.dp(http.MethodPost, flexInstance+"/backup", ruleBody).header.Get("Azure-AsyncOperation"), "https://evil.example/")
	rejected := b.dp(http.MethodPost, oldInstance+"/restore", restoreOf(armsim.DemoVaultPoint, filesTarget))
	require.Equal(t, "unlock it", rejected.facing("recommendedAction/0"))
}

func TestWorld_WithInconsistentBackupVaultsIsRejected(t *testing.T) {
	t.Parallel()
	for text, change := range map[string]func(*armsim.World){
		"twice":                                  func(w *armsim.World) { w.BackupVaults = append(w.BackupVaults, w.BackupVaults[0]) },
		"there is no backup vault":               func(w *armsim.World) { w.ProtectedDatasources[0].Vault = "x" },
		"there is no datasource":                 func(w *armsim.World) { w.ProtectedDatasources[0].Datasource += "x" },
		"no policy \"pgflexpol1\" for Microsoft": func(w *armsim.World) { w.ProtectedDatasources[0].Policy = "pgflexpol1" },
		"has it twice": func(w *armsim.World) {
			w.ProtectedDatasources = append(w.ProtectedDatasources, w.ProtectedDatasources[0])
		},
	} {
		w := armsim.DemoWorld()
		change(&w)
		_, err := armsim.New(armsim.Config{World: &w})
		require.ErrorContains(t, err, text)
	}
}
