package recoveryservices

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"
)

// OperationRehydrate is the operation of the job of a restore from the archive tier.
const OperationRehydrate = "RestoreWithRehydrate"

// Rehydration copies a recovery point from the archive tier before its restore.
// RestoreRequest with recoveryPointRehydrationInfo.
type Rehydration struct {
	// Priority is Standard or High.
	Priority string
	// RetentionDuration is how long the copy is kept, in ISO 8601, such as P15D.
	RetentionDuration string
}

func (r Rehydration) info() *sdk.RecoveryPointRehydrationInfo {
	return &sdk.RecoveryPointRehydrationInfo{
		RehydrationPriority: to.Ptr(sdk.RehydrationPriority(r.Priority)), RehydrationRetentionDuration: to.Ptr(r.RetentionDuration),
	}
}

// machine returns the request of a machine's restore with rehydration.
func (r Rehydration) machine(p *sdk.IaasVMRestoreRequest) *sdk.IaasVMRestoreWithRehydrationRequest {
	return &sdk.IaasVMRestoreWithRehydrationRequest{
		RecoveryPointRehydrationInfo: r.info(),
		RecoveryPointID:              p.RecoveryPointID, RecoveryType: p.RecoveryType, SourceResourceID: p.SourceResourceID,
		StorageAccountID: p.StorageAccountID, Region: p.Region,
		CreateNewCloudService: p.CreateNewCloudService, OriginalStorageAccountOption: p.OriginalStorageAccountOption,
		TargetResourceGroupID: p.TargetResourceGroupID, RestoreDiskLunList: p.RestoreDiskLunList, Zones: p.Zones,
		TargetVirtualMachineID: p.TargetVirtualMachineID, VirtualNetworkID: p.VirtualNetworkID, SubnetID: p.SubnetID,
	}
}

// hana and sql return the requests of a database's restore with rehydration.
func (r Rehydration) hana(how databaseRecovery) *sdk.AzureWorkloadSAPHanaRestoreWithRehydrateRequest {
	return &sdk.AzureWorkloadSAPHanaRestoreWithRehydrateRequest{
		RecoveryPointRehydrationInfo: r.info(), RecoveryType: how.recovery, RecoveryMode: how.mode,
		SourceResourceID: how.source, TargetVirtualMachineID: how.machine, TargetInfo: how.target,
	}
}

func (r Rehydration) sql(how databaseRecovery) *sdk.AzureWorkloadSQLRestoreWithRehydrateRequest {
	return &sdk.AzureWorkloadSQLRestoreWithRehydrateRequest{
		RecoveryPointRehydrationInfo: r.info(), RecoveryType: how.recovery, RecoveryMode: how.mode,
		SourceResourceID: how.source, TargetVirtualMachineID: how.machine, TargetInfo: how.target,
		ShouldUseAlternateTargetLocation: to.Ptr(true), IsNonRecoverable: to.Ptr(false), AlternateDirectoryPaths: how.files,
	}
}
