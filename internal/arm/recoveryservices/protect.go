package recoveryservices

import (
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// DiskExclusion selects the data disks of a virtual machine that are backed up.
type DiskExclusion struct {
	// LUNs are the logical unit numbers of data disks.
	LUNs []int32
	// Included reports that LUNs are the only ones to back up; otherwise they are
	// left out. An empty list that is included backs up only the operating
	// system's disk.
	Included bool
}

// ProtectMachine protects a virtual machine with a policy. container and item are
// names that ListProtectableMachines returned.
//
// ProtectedItems - Create Or Update: PUT {container}/protectedItems/{item}. It is
// done when the Azure-AsyncOperation says Succeeded, with a ConfigureBackup job.
func (c *Client) ProtectMachine(ctx context.Context, vault resourceid.VaultID, container, item, machineID, policyID string, disks *DiskExclusion) (lro.Submission, error) {
	p := &sdk.AzureIaaSComputeVMProtectedItem{SourceResourceID: to.Ptr(machineID), PolicyID: to.Ptr(policyID)}
	if disks != nil {
		p.ExtendedProperties = &sdk.ExtendedProperties{DiskExclusionProperties: &sdk.DiskExclusionProperties{
			DiskLunList: to.SliceOfPtrs(disks.LUNs...), IsInclusionList: to.Ptr(disks.Included),
		}}
	}
	return c.put(ctx, vault, container, item, p)
}

// ProtectDatabase protects a database with a policy. container and item are names
// that ListProtectableDatabases returned. The path names the machine, so the body
// has no source.
//
// ProtectedItems - Create Or Update: PUT {container}/protectedItems/{item}, as for
// a virtual machine.
func (c *Client) ProtectDatabase(ctx context.Context, vault resourceid.VaultID, container, item, policyID string, w Workload) (lro.Submission, error) {
	if w == WorkloadHana {
		return c.put(ctx, vault, container, item, &sdk.AzureVMWorkloadSAPHanaDatabaseProtectedItem{PolicyID: to.Ptr(policyID)})
	}
	return c.put(ctx, vault, container, item, &sdk.AzureVMWorkloadSQLDatabaseProtectedItem{PolicyID: to.Ptr(policyID)})
}

func (c *Client) put(ctx context.Context, vault resourceid.VaultID, container, item string, p sdk.ProtectedItemClassification) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodPut, Body: sdk.ProtectedItemResource{Properties: p}},
		vault, "backupFabrics", fabric, "protectionContainers", container, "protectedItems", item)
}

// FindProtectedItems lists the protected items of a name, of a type that
// backupManagementType and itemType select.
//
// BackupProtectedItems - List: GET {vault}/backupProtectedItems.
func (c *Client) FindProtectedItems(ctx context.Context, vault resourceid.VaultID, management, itemType, friendlyName string) ([]ProtectedItem, error) {
	filter := all(equal("backupManagementType", management), equal("itemType", itemType), equal("friendlyName", friendlyName))
	return vaultapi.List(ctx, c.api, protectedBody.item, filter, vault, "backupProtectedItems")
}

// BackupStatus reports which vault protects a virtual machine.
type BackupStatus struct {
	// Protected is set if a vault protects it; VaultID and Policy name which.
	Protected       bool
	VaultID, Policy string
}

type statusBody struct{ ProtectionStatus, VaultID, PolicyName azjson.Text }

// GetMachineStatus reads which vault protects a virtual machine, in any
// subscription that the caller can read. location is the machine's region.
//
// BackupStatus - Get: POST /subscriptions/{s}/providers/Microsoft.RecoveryServices/locations/{l}/backupStatus.
// It changes nothing.
func (c *Client) GetMachineStatus(ctx context.Context, subscription, location, machineID string) (BackupStatus, error) {
	path, err := resourceid.Below("/subscriptions", subscription, "providers", "Microsoft.RecoveryServices", "locations", location, "backupStatus")
	if err != nil {
		return BackupStatus{}, azerr.Malformed(err)
	}
	var b statusBody
	err = c.api.Ask(ctx, path, sdk.BackupStatusRequest{ResourceType: to.Ptr(sdk.DataSourceTypeVM), ResourceID: to.Ptr(machineID)}, &b)
	if err != nil {
		return BackupStatus{}, err
	}
	s := BackupStatus{VaultID: string(b.VaultID), Policy: string(b.PolicyName)}
	s.Protected = s.VaultID != "" && b.ProtectionStatus != "NotProtected"
	return s, nil
}

// AutoProtect protects the databases of an instance, those of today and those
// that are created later. name is the intent's GUID: a second call with it has no
// further effect.
//
// ProtectionIntent - Create Or Update: PUT {vault}/backupFabrics/Azure/backupProtectionIntent/{name}.
// It answers 200 at once.
func (c *Client) AutoProtect(ctx context.Context, vault resourceid.VaultID, name, instanceID, policyID string) error {
	_, err := c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPut,
		Body: sdk.ProtectionIntentResource{Properties: &sdk.AzureRecoveryServiceVaultProtectionIntent{
			BackupManagementType: to.Ptr(sdk.BackupManagementTypeAzureWorkload), ItemID: to.Ptr(instanceID), PolicyID: to.Ptr(policyID),
		}},
	}, vault, "backupFabrics", fabric, "backupProtectionIntent", name)
	return err
}

// Intent is the auto-protection of an instance.
type Intent struct{ ID, Name, ItemID, PolicyID string }

type intentBody struct {
	ID, Name   string
	Properties struct{ ItemID, PolicyID azjson.Text }
}

func (b intentBody) intent() Intent {
	return Intent{ID: b.ID, Name: b.Name, ItemID: string(b.Properties.ItemID), PolicyID: string(b.Properties.PolicyID)}
}

// ListIntents lists the vault's auto-protected instances of a workload, all
// pages.
//
// BackupProtectionIntent - List: GET {vault}/backupProtectionIntents.
func (c *Client) ListIntents(ctx context.Context, vault resourceid.VaultID, w Workload) ([]Intent, error) {
	itemType := "SQLInstance"
	if w == WorkloadHana {
		itemType = "SAPHanaSystem"
	}
	filter := all(equal("backupManagementType", ManagementAzureWorkload), equal("itemType", itemType))
	return vaultapi.List(ctx, c.api, intentBody.intent, filter, vault, "backupProtectionIntents")
}
