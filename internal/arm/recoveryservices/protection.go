package recoveryservices

import (
	"context"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/vaultapi"
)

// DeleteProtectedItem stops protection and deletes the backup data. A vault with
// soft delete keeps the data for its retention period.
//
// ProtectedItems - Delete: DELETE {container}/protectedItems/{item}. It answers
// 202 with a DeleteBackupData job, or 200 or 204 if there is nothing to delete;
// the Submission is then Done.
func (c *Client) DeleteProtectedItem(ctx context.Context, itemID string) (lro.Submission, error) {
	id, err := ParseItemID(itemID)
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodDelete}, id.Vault, id.names()...)
}

// StopProtection stops backups of an item and keeps its recovery points forever.
// The item must have been read: the request holds its type and source.
//
// ProtectedItems - Create Or Update: PUT {container}/protectedItems/{item} with
// protectionState ProtectionStopped and an empty policyId, as Learn's "Manage
// Azure file share backup with REST API" documents it. It answers 202 with a job;
// read the item until it is ProtectionStopped.
func (c *Client) StopProtection(ctx context.Context, item ProtectedItem) (lro.Submission, error) {
	return c.protect(ctx, item, "", to.Ptr(sdk.ProtectionStateProtectionStopped))
}

// SuspendBackups stops backups of an item and lets its recovery points expire by
// the policy. The item must have been read.
//
// ProtectedItems - Create Or Update: PUT {container}/protectedItems/{item} with
// protectionState BackupsSuspended and an empty policyId. It answers 202 with a
// job; read the item until it is BackupsSuspended.
func (c *Client) SuspendBackups(ctx context.Context, item ProtectedItem) (lro.Submission, error) {
	return c.protect(ctx, item, "", to.Ptr(sdk.ProtectionStateBackupsSuspended))
}

// Undelete brings back a soft-deleted item with its recovery points. Its
// protection is then stopped.
//
// ProtectedItems - Create Or Update: PUT {container}/protectedItems/{item} with
// isRehydrate, protectionState ProtectionStopped and an empty policyId. It
// answers 202 with an Undelete job.
func (c *Client) Undelete(ctx context.Context, item ProtectedItem) (lro.Submission, error) {
	return c.write(ctx, item, itemUpdate{policyID: to.Ptr(""), state: to.Ptr(sdk.ProtectionStateProtectionStopped), rehydrate: to.Ptr(true)})
}

// ResumeProtection protects an item whose protection was stopped with a policy
// again.
//
// ProtectedItems - Create Or Update: PUT {container}/protectedItems/{item} with
// the policy, as for a new item. It answers 202 with a job.
func (c *Client) ResumeProtection(ctx context.Context, item ProtectedItem, policyID string) (lro.Submission, error) {
	if policyID == "" {
		return lro.Submission{}, azerr.Malformed(fmt.Errorf("protected item %s needs a policy; check parameters.policy", item.Name))
	}
	return c.protect(ctx, item, policyID, nil)
}

func (c *Client) protect(ctx context.Context, item ProtectedItem, policyID string, state *sdk.ProtectionState) (lro.Submission, error) {
	return c.write(ctx, item, itemUpdate{policyID: to.Ptr(policyID), state: state})
}

// itemUpdate holds the fields of a protected item that a change writes.
type itemUpdate struct {
	policyID  *string
	state     *sdk.ProtectionState
	rehydrate *bool
}

func (c *Client) write(ctx context.Context, item ProtectedItem, u itemUpdate) (lro.Submission, error) {
	id, err := ParseItemID(item.ID)
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	body, err := item.update(u)
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodPut, Body: sdk.ProtectedItemResource{Properties: body}}, id.Vault, id.names()...)
}

// update returns the request body that changes the protection of an item. Each
// type of item has its own.
func (i ProtectedItem) update(u itemUpdate) (sdk.ProtectedItemClassification, error) {
	if i.SourceResourceID == "" {
		return nil, fmt.Errorf("protected item %s has no source resource ID", i.Name)
	}
	source := to.Ptr(i.SourceResourceID)
	switch i.Type {
	case ItemAzureFileShare:
		return &sdk.AzureFileshareProtectedItem{SourceResourceID: source, PolicyID: u.policyID, ProtectionState: u.state, IsRehydrate: u.rehydrate}, nil
	case ItemVirtualMachine:
		return &sdk.AzureIaaSComputeVMProtectedItem{SourceResourceID: source, PolicyID: u.policyID, ProtectionState: u.state, IsRehydrate: u.rehydrate}, nil
	case ItemClassicVirtualMachine:
		return &sdk.AzureIaaSClassicComputeVMProtectedItem{SourceResourceID: source, PolicyID: u.policyID, ProtectionState: u.state, IsRehydrate: u.rehydrate}, nil
	case ItemSQLDatabase:
		return &sdk.AzureVMWorkloadSQLDatabaseProtectedItem{SourceResourceID: source, PolicyID: u.policyID, ProtectionState: u.state, IsRehydrate: u.rehydrate}, nil
	case ItemSAPHanaDatabase:
		return &sdk.AzureVMWorkloadSAPHanaDatabaseProtectedItem{SourceResourceID: source, PolicyID: u.policyID, ProtectionState: u.state, IsRehydrate: u.rehydrate}, nil
	case ItemSAPHanaDBInstance:
		return &sdk.AzureVMWorkloadSAPHanaDBInstanceProtectedItem{SourceResourceID: source, PolicyID: u.policyID, ProtectionState: u.state, IsRehydrate: u.rehydrate}, nil
	case ItemSAPAseDatabase:
		return &sdk.AzureVMWorkloadSAPAseDatabaseProtectedItem{SourceResourceID: source, PolicyID: u.policyID, ProtectionState: u.state, IsRehydrate: u.rehydrate}, nil
	}
	return nil, fmt.Errorf("protection of items of type %q cannot be stopped or resumed by azbackupflow", i.Type)
}
