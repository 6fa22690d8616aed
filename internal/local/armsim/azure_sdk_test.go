package armsim_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

// given is a credential that holds one token.
type given string

// GetToken implements azcore.TokenCredential.
func (g given) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(g), ExpiresOn: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

// sdk returns Microsoft's own clients for the simulator.
func sdk(t *testing.T, sim *armsim.Simulator) *armrecoveryservicesbackup.ClientFactory {
	t.Helper()
	f, err := armrecoveryservicesbackup.NewClientFactory(armsim.DemoSubscription, given(sim.Token()), &arm.ClientOptions{
		ClientOptions: policy.ClientOptions{
			Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Endpoint: sim.Endpoint(), Audience: "https://management.azure.com"},
			}},
			Retry:                           policy.RetryOptions{MaxRetries: -1},
			InsecureAllowCredentialWithHTTP: true,
		},
		DisableRPRegistration: true,
	})
	require.NoError(t, err)
	return f
}

func TestAzureSDK_ProtectsAndBacksUpAShare(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	sim, err := armsim.New(armsim.Config{SpeedFactor: 1000})
	require.NoError(t, err)
	defer func() { require.NoError(t, sim.Close()) }()
	f := sdk(t, sim)
	const vault, group, fabricName = "azurefilesvault", "azurefiles", "Azure"
	storage := to.Ptr("backupManagementType eq 'AzureStorage'")

	_, err = f.NewProtectionContainersClient().Refresh(ctx, vault, group, fabricName,
		&armrecoveryservicesbackup.ProtectionContainersClientRefreshOptions{Filter: storage})
	require.NoError(t, err)
	var found *armrecoveryservicesbackup.ProtectableContainerResource
	require.Eventually(t, func() bool {
		page, err := f.NewProtectableContainersClient().NewListPager(vault, group, fabricName,
			&armrecoveryservicesbackup.ProtectableContainersClientListOptions{Filter: storage}).NextPage(ctx)
		if err != nil || len(page.Value) == 0 {
			return false
		}
		found = page.Value[0]
		return true
	}, 10*time.Second, 5*time.Millisecond)
	account, ok := found.Properties.(*armrecoveryservicesbackup.AzureStorageProtectableContainer)
	require.True(t, ok)

	poller, err := f.NewProtectionContainersClient().BeginRegister(ctx, vault, group, fabricName, *found.Name,
		armrecoveryservicesbackup.ProtectionContainerResource{Properties: &armrecoveryservicesbackup.AzureStorageContainer{
			BackupManagementType: to.Ptr(armrecoveryservicesbackup.BackupManagementTypeAzureStorage),
			SourceResourceID:     account.ContainerID,
		}}, nil)
	require.NoError(t, err)
	registered, err := poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: time.Second})
	require.NoError(t, err)
	require.Equal(t, "Registered", *registered.Properties.GetProtectionContainer().RegistrationStatus)

	_, err = f.NewProtectionContainersClient().Inquire(ctx, vault, group, fabricName, *found.Name, nil)
	require.NoError(t, err)
	var share *armrecoveryservicesbackup.WorkloadProtectableItemResource
	require.Eventually(t, func() bool {
		page, err := f.NewBackupProtectableItemsClient().NewListPager(vault, group,
			&armrecoveryservicesbackup.BackupProtectableItemsClientListOptions{Filter: storage}).NextPage(ctx)
		if err != nil || len(page.Value) == 0 {
			return false
		}
		share = page.Value[0]
		return true
	}, 10*time.Second, 5*time.Millisecond)

	items := f.NewProtectedItemsClient()
	_, err = items.CreateOrUpdate(ctx, vault, group, fabricName, *found.Name, *share.Name,
		armrecoveryservicesbackup.ProtectedItemResource{Properties: &armrecoveryservicesbackup.AzureFileshareProtectedItem{
			SourceResourceID: account.ContainerID, PolicyID: to.Ptr(policyID),
		}}, nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		r, err := items.Get(ctx, vault, group, fabricName, *found.Name, *share.Name, nil)
		return err == nil && *r.Properties.GetProtectedItem().PolicyID == policyID
	}, 10*time.Second, 5*time.Millisecond)

	var trigger *http.Response
	_, err = f.NewBackupsClient().Trigger(policy.WithCaptureResponse(ctx, &trigger), vault, group, fabricName, *found.Name, *share.Name,
		armrecoveryservicesbackup.BackupRequestResource{Properties: &armrecoveryservicesbackup.AzureFileShareBackupRequest{}}, nil)
	require.NoError(t, err)
	require.NotEmpty(t, trigger.Header.Get("Azure-AsyncOperation"))
	require.Eventually(t, func() bool {
		r, err := f.NewJobDetailsClient().Get(ctx, vault, group, sim.Backups()[0].JobID, nil)
		if err != nil {
			return false
		}
		j, ok := r.Properties.(*armrecoveryservicesbackup.AzureStorageJob)
		return ok && *j.Status == "Completed" && j.EndTime.After(*j.StartTime)
	}, 10*time.Second, 5*time.Millisecond)
}

func TestAzureSDK_ModelsReadEveryList(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := start(t).protected()
	for _, c := range []struct{ item, body string }{
		{shareItem, backupBody},
		{machineItem, `{"properties":{"objectType":"IaasVMBackupRequest"}}`},
		{databaseItem, `{"properties":{"objectType":"AzureWorkloadBackupRequest","backupType":"Full"}}`},
		{hanaItem, `{"properties":{"objectType":"AzureWorkloadBackupRequest","backupType":"Full"}}`},
	} {
		b.sim.AddOutcome(armsim.Outcome{JobStatus: "Failed", ErrorCode: 400001, ErrorText: "no", Recommendation: "repair it"})
		b.started(http.MethodPost, c.item+"/backup", c.body)
	}
	b.clock.Advance(time.Hour)
	f := sdk(t, b.sim)
	const vault, group = "azurefilesvault", "azurefiles"

	jobs, err := f.NewBackupJobsClient().NewListPager(vault, group, nil).NextPage(ctx)
	require.NoError(t, err)
	require.Len(t, jobs.Value, 5)
	for _, j := range jobs.Value[:4] {
		switch x := j.Properties.(type) {
		case *armrecoveryservicesbackup.AzureStorageJob:
			require.Equal(t, int32(400001), *x.ErrorDetails[0].ErrorCode)
		case *armrecoveryservicesbackup.AzureIaaSVMJob:
			require.Equal(t, int32(400001), *x.ErrorDetails[0].ErrorCode)
		case *armrecoveryservicesbackup.AzureWorkloadJob:
			require.Equal(t, int32(400001), *x.ErrorDetails[0].ErrorCode)
		default:
			require.Failf(t, "unknown job", "%T", x)
		}
	}
	items, err := f.NewBackupProtectedItemsClient().NewListPager(vault, group, nil).NextPage(ctx)
	require.NoError(t, err)
	require.Len(t, items.Value, 4)
	for _, i := range items.Value {
		switch i.Properties.(type) {
		case *armrecoveryservicesbackup.AzureFileshareProtectedItem, *armrecoveryservicesbackup.AzureIaaSComputeVMProtectedItem,
			*armrecoveryservicesbackup.AzureVMWorkloadSQLDatabaseProtectedItem, *armrecoveryservicesbackup.AzureVMWorkloadSAPHanaDatabaseProtectedItem:
		default:
			require.Failf(t, "unknown item", "%T", i.Properties)
		}
	}
	policies, err := f.NewBackupPoliciesClient().NewListPager(vault, group, nil).NextPage(ctx)
	require.NoError(t, err)
	require.Len(t, policies.Value, 4)
	containers, err := f.NewBackupProtectionContainersClient().NewListPager(vault, group, nil).NextPage(ctx)
	require.NoError(t, err)
	require.Len(t, containers.Value, 5)
}
