package dataprotection

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceguard"
	"azbackupflow/internal/operation"
)

// reader returns a client of an ARM that answers every call with this body.
func reader(t testing.TB, body string) *Client {
	t.Helper()
	server, _ := armtest.Serve(t, armtest.Says(body))
	return New(armtest.Client(t, server))
}

func TestGetVault_ReadsEveryField(t *testing.T) {
	t.Parallel()
	v, err := reader(t, `{"id":"i","name":"testBkpVault","location":"westus","identity":{"principalId":"p","tenantId":"t","type":"SystemAssigned,UserAssigned",
		"userAssignedIdentities":{"/b":{"clientId":"c"},"/a":{}}},"properties":{"provisioningState":"Succeeded",
		"securitySettings":{"immutabilitySettings":{"state":"Locked"},"softDeleteSettings":{"state":"AlwaysOn","retentionDurationInDays":14.0}},
		"featureSettings":{"crossSubscriptionRestoreSettings":{"state":"Disabled"}},"isVaultProtectedByResourceGuard":true,"storageSettings":[]}}`).
		GetVault(t.Context(), demoVault())
	require.NoError(t, err)
	require.Equal(t, Vault{
		ID: "i", Name: "testBkpVault", Location: "westus", IdentityType: "SystemAssigned,UserAssigned", PrincipalID: "p",
		UserAssignedIdentities: []string{"/a", "/b"}, Immutability: ImmutabilityLocked, SoftDelete: SoftDeleteAlwaysOn,
		SoftDeleteRetentionDays: 14, ProtectedByResourceGuard: true, CrossSubscriptionRestore: "Disabled", ProvisioningState: "Succeeded",
	}, v)
}

func TestVault_ImmutableAndSoftDeletes(t *testing.T) {
	t.Parallel()
	plain, err := reader(t, `{"properties":{"securitySettings":{"immutabilitySettings":null,"softDeleteSettings":null}}}`).GetVault(t.Context(), demoVault())
	require.NoError(t, err)
	require.False(t, plain.Immutable())
	require.False(t, plain.SoftDeletes())
	require.Empty(t, plain.PrincipalID)
	for state, want := range map[string]bool{"": false, ImmutabilityDisabled: false, ImmutabilityUnlocked: true, ImmutabilityLocked: true, "locked": true} {
		require.Equal(t, want, Vault{Immutability: state}.Immutable(), state)
	}
	for state, want := range map[string]bool{"": false, SoftDeleteOff: false, "off": false, SoftDeleteOn: true, SoftDeleteAlwaysOn: true, "Enabled": true} {
		require.Equal(t, want, Vault{SoftDelete: state}.SoftDeletes(), state)
	}
}

func TestListResourceGuardProxies_ReadsTheOperations(t *testing.T) {
	t.Parallel()
	found, err := reader(t, `{"value":[{"id":"i","name":"DppResourceGuardProxy","properties":{"resourceGuardResourceId":"/g",
		"resourceGuardOperationDetails":[{"vaultCriticalOperation":"Microsoft.DataProtection/backupVaults/backupInstances/delete","defaultResourceRequest":"/r"}]}}]}`).
		ListResourceGuardProxies(t.Context(), demoVault())
	require.NoError(t, err)
	require.Equal(t, []resourceguard.Proxy{{
		ID: "i", Name: "DppResourceGuardProxy", ResourceGuardID: "/g",
		CriticalOperations: []string{"Microsoft.DataProtection/backupVaults/backupInstances/delete"},
	}}, found)
}

func TestGetPolicy_ReadsTheBackupRules(t *testing.T) {
	t.Parallel()
	p, err := reader(t, `{"id":"i","name":"OSSDBPolicy","properties":{"policyRules":[
		{"backupParameters":{"backupType":"Full","objectType":"AzureBackupParams"},"trigger":{"schedule":{},"taggingCriteria":[
			{"tagInfo":{"tagName":"Default","id":"Default_"},"taggingPriority":99,"isDefault":true},
			{"tagInfo":{"tagName":"Weekly","id":"Weekly_"},"isDefault":false}],"objectType":"ScheduleBasedTriggerContext"},
			"dataStore":{"dataStoreType":"VaultStore","objectType":"DataStoreInfoBase"},"name":"BackupWeekly","objectType":"AzureBackupRule"},
		{"lifecycles":[],"isDefault":true,"name":"Default","objectType":"AzureRetentionRule"}],
		"datasourceTypes":["`+kinds.DatasourceFlexibleServer+`"],"objectType":"BackupPolicy"}}`).GetPolicy(t.Context(), demoVault(), "OSSDBPolicy")
	require.NoError(t, err)
	require.Equal(t, Policy{ID: "i", Name: "OSSDBPolicy", DatasourceTypes: []string{kinds.DatasourceFlexibleServer}, BackupRules: []BackupRule{{
		Name: "BackupWeekly", BackupType: "Full", DataStoreType: StoreVault, RetentionTags: []string{"Default", "Weekly"}, DefaultRetentionTag: "Default",
	}}}, p)
}

func TestInstance_FailureIsTheProtectionError(t *testing.T) {
	t.Parallel()
	const older = `{"code":"UserErrorMSIMissingPermissions","message":"m1","recommendedAction":["a1"]}`
	const newer = `{"code":"BadRequest","message":"m2","innerError":{"code":"UserErrorDBUserAuthFailed","additionalInfo":{"x":"y"}},"recommendedAction":["a2"]}`
	i, err := reader(t, `{"id":"i","name":"n","properties":{"friendlyName":"f","dataSourceInfo":{"resourceID":"/d","datasourceType":"t","resourceLocation":"l"},
		"dataSourceSetInfo":{"resourceID":"/s"},"policyInfo":{"policyId":"/p","policyVersion":"3.2"},"protectionStatus":{"status":"ConfiguringProtectionFailed",
		"errorDetails":`+older+`},"currentProtectionState":"ProtectionError","protectionErrorDetails":`+newer+`,"provisioningState":"Failed"}}`).
		GetInstance(t.Context(), demoInstance())
	require.NoError(t, err)
	require.Equal(t, Instance{
		ID: "i", Name: "n", FriendlyName: "f", DatasourceID: "/d", DatasourceSetID: "/s", DatasourceType: "t", DatasourceLocation: "l", PolicyID: "/p",
		CurrentProtectionState: StateProtectionError, ProtectionStatus: StateConfiguringProtectionFailed, ProvisioningState: "Failed",
		ProtectionStatusError: &operation.Error{
			Code: "UserErrorMSIMissingPermissions", Message: "m1", Class: operation.UserAction, RecommendedAction: []string{"a1"},
		},
		ProtectionError: &operation.Error{
			Code: "UserErrorDBUserAuthFailed", Message: "m2", Class: operation.UserAction, RecommendedAction: []string{"a2"},
		},
	}, i)
	require.Equal(t, "m2", i.Failure().Message)
	i.ProtectionError = nil
	require.Equal(t, "m1", i.Failure().Message)
}

func TestGetDeletedInstance_ReadsThePurgeTime(t *testing.T) {
	t.Parallel()
	const body = `{"id":"/v/deletedBackupInstances/testInstance1","name":"testInstance1","properties":{"friendlyName":"testInstance1","dataSourceInfo":{"resourceID":"/d"},
		"deletionInfo":{"deletionTime":"2022-05-04T00:00:36.6660445Z","scheduledPurgeTime":"2022-05-20T00:00:36Z","billingEndDate":null},
		"policyInfo":{"policyId":"/p"},"protectionStatus":{"status":"SoftDeleted"},"objectType":"DeletedBackupInstance"}}`
	one, err := reader(t, body).GetDeletedInstance(t.Context(), demoInstance())
	require.NoError(t, err)
	require.Equal(t, "testInstance1", one.Name)
	require.Equal(t, StateSoftDeleted, one.ProtectionStatus)
	require.Equal(t, time.Date(2022, 5, 4, 0, 0, 36, 666044500, time.UTC), one.DeletionTime)
	require.Equal(t, time.Date(2022, 5, 20, 0, 0, 36, 0, time.UTC), one.ScheduledPurgeTime)
	require.True(t, one.BillingEndDate.IsZero())
	all, err := reader(t, `{"value":[`+body+`]}`).ListDeletedInstances(t.Context(), demoVault())
	require.NoError(t, err)
	require.Equal(t, []DeletedInstance{one}, all)
}

func TestRecoveryPoint_ReadsItsDataStores(t *testing.T) {
	t.Parallel()
	p, err := reader(t, `{"id":"i","name":"n","properties":{"recoveryPointTime":"2021-10-21T16:31:16.8316716Z","recoveryPointType":"Full","friendlyName":"f",
		"recoveryPointState":"Partial","expiryTime":"2022-10-21T16:31:16Z","recoveryPointDataStoresDetails":[
		{"id":"a","type":"VaultStore","state":"COMMITTED","creationTime":"2021-10-21T16:31:16Z","expiryTime":"2022-10-21T16:31:16Z"},
		{"id":"b","type":"ArchiveStore","visible":false,"rehydrationStatus":"CREATE_IN_PROGRESS","rehydrationExpiryTime":"2021-11-05T00:00:00Z","metaData":null}]}}`).
		GetRecoveryPoint(t.Context(), demoInstance(), "n")
	require.NoError(t, err)
	require.Equal(t, "n", p.RecoveryPointID, "the name if there is no ID")
	require.Equal(t, "Partial", p.State)
	require.Equal(t, time.Date(2022, 10, 21, 16, 31, 16, 0, time.UTC), p.ExpiryTime)
	archive, ok := p.In("archivestore")
	require.True(t, ok)
	require.Equal(t, DataStore{
		ID: "b", Type: StoreArchive, Hidden: true, RehydrationStatus: RehydrationInProgress, RehydrationExpiryTime: time.Date(2021, 11, 5, 0, 0, 0, 0, time.UTC),
	}, archive)
	_, ok = p.In(StoreOperational)
	require.False(t, ok)
}

func TestJob_FailureAndWarnings(t *testing.T) {
	t.Parallel()
	j, err := reader(t, `{"id":"/x/BackupJobs/j","properties":{"status":"Failed","startTime":"2024-06-26T08:10:00Z","endTime":"0001-01-01T00:00:00","duration":"00:00:00",
		"isUserTriggered":"false","supportedActions":["","Retry"],"sourceDataStoreName":"ArchiveStore","rehydrationPriority":"High",
		"errorDetails":[{"code":"UserErrorDatabaseNameAlreadyInUse","message":"The name is in use.","recommendedAction":["Choose another name."],
			"isRetryable":true,"innerError":{"code":"X","embeddedInnerError":{"code":"Y"}}},null,{"message":"also"}],
		"extendedInfo":{"recoveryDestination":"d","warningDetails":[{"resourceName":"r","warning":{"code":"W","message":"careful"}}],
			"subTasks":[{"taskId":"2","taskName":"n","taskStatus":"Failed","taskProgress":"50"}]}}}`).GetJob(t.Context(), demoVault(), "j")
	require.NoError(t, err)
	require.Equal(t, "j", j.Name)
	require.Equal(t, backupjob.Failed, j.State())
	require.False(t, j.IsUserTriggered)
	require.Equal(t, []string{"Retry"}, j.SupportedActions)
	require.Equal(t, StoreArchive, j.SourceDataStore)
	require.Equal(t, []SubTask{{ID: "2", Name: "n", Status: "Failed", Progress: "50"}}, j.SubTasks)
	require.Equal(t, &operation.Error{
		Code: "UserErrorDatabaseNameAlreadyInUse", Message: "The name is in use.; also", Class: operation.Fatal,
		RecommendedAction: []string{"Choose another name."},
	}, j.Failure())
	require.Equal(t, "The name is in use.", j.Errors[0].Message, "Failure does not change the job")
	require.Nil(t, j.Warnings())
	j.Status = "CompletedWithWarnings"
	require.Nil(t, j.Failure())
	require.Equal(t, []string{"careful", "The name is in use.", "also"}, j.Warnings())
	require.NotEmpty(t, Job{Name: "j", Status: "CompletedWithWarnings"}.Warnings())
	require.Equal(t, "JobCancelled", Job{Name: "j", Status: "Cancelled"}.Failure().Code)
}

func TestListJobs_ReadsAllPagesAndFilters(t *testing.T) {
	t.Parallel()
	page := func(name, instance, category, started string) string {
		return `{"id":"/x/backupJobs/` + name + `","name":"` + name + `","properties":{"backupInstanceId":"` + instance + `","operationCategory":"` + category +
			`","startTime":"` + started + `","status":"InProgress"}}`
	}
	server, sent := armtest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "" {
			_, _ = w.Write([]byte(`{"value":[` + page("a", "/I", "Restore", "2024-06-26T08:10:00Z") + `,` + page("b", "/other", "Restore", "2024-06-26T08:10:00Z") +
				`],"nextLink":"http://` + r.Host + r.URL.Path + `?page=2&%24skipToken=x"}`))
			return
		}
		_, _ = w.Write([]byte(`{"value":[` + page("c", "/i", "restore", "2024-06-26T08:10:01Z") + `,` + page("d", "/i", "Backup", "2024-06-26T08:10:01Z") + `,` +
			page("e", "/i", "Restore", "2024-06-26T08:09:59Z") + `]}`))
	})
	c := New(armtest.Client(t, server))
	jobs, err := c.ListJobs(t.Context(), demoVault(), JobFilter{
		BackupInstanceID: "/i", OperationCategory: CategoryRestore, StartedSince: time.Date(2024, 6, 26, 8, 10, 0, 0, time.UTC),
	})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c"}, []string{jobs[0].Name, jobs[1].Name})
	require.Len(t, jobs, 2)
	require.Len(t, sent(), 2)
	jobs, err = c.ListJobs(t.Context(), demoVault(), JobFilter{})
	require.NoError(t, err)
	require.Len(t, jobs, 5)
}

func TestClient_RejectsAnswersOfAnotherForm(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `[]`, `"x"`, `{"id":5}`, `{"properties":[]}`} {
		c := reader(t, body)
		for name, err := range map[string]error{
			"vault": read(c.GetVault(t.Context(), demoVault())), "policy": read(c.GetPolicy(t.Context(), demoVault(), "p")),
			"instance": read(c.GetInstance(t.Context(), demoInstance())), "deleted": read(c.GetDeletedInstance(t.Context(), demoInstance())),
			"recovery point": read(c.GetRecoveryPoint(t.Context(), demoInstance(), "r")), "job": read(c.GetJob(t.Context(), demoVault(), "j")),
			"list": read(c.ListJobs(t.Context(), demoVault(), JobFilter{})),
		} {
			var e *operation.Error
			require.ErrorAs(t, err, &e, "%s %s", name, body)
			require.Equal(t, azerr.CodeUnreadableAnswer, e.Code)
			require.Equal(t, operation.Transient, e.Class)
		}
	}
}

func TestClient_SendsTheAttemptIDWithBackupAndRestoreOnly(t *testing.T) {
	t.Parallel()
	for name := range calls(t) {
		once := name == "backup" || name == "backup-kept-longer" || (len(name) > 8 && name[:8] == "restore-")
		require.Equal(t, once, armtest.ReadGolden(t, name).ClientRequestID != "", name)
	}
}
