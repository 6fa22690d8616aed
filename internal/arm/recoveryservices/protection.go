package recoveryservices

import (
	"context"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
)

// DeleteProtectedItem stops protection and deletes the backup data; a vault
// with soft delete keeps it for a while.
//
// ProtectedItems - Delete: DELETE {container}/protectedItems/{item}. Answers
// 202, with a DeleteBackupData job; 200 or 204, with which the Submission is
// Done, where there is nothing left to delete.
func (c *Client) DeleteProtectedItem(ctx context.Context, itemID string) (lro.Submission, error) {
	path, err := itemPath(itemID)
	if err != nil {
		return lro.Submission{}, err
	}
	return lro.Start(ctx, c.arm, arm.Request{Method: http.MethodDelete, Path: path, Query: query("")})
}

// StopProtection stops backups of an item and keeps what there is forever. The
// item is one that was read: its type and source go into the request.
//
// ProtectedItems - Create Or Update: PUT {container}/protectedItems/{item} with
// protectionState ProtectionStopped and an empty policyId, as Learn's "Manage
// Azure file share backup with REST API" has it. Answers 202, with a job; read
// the item until ProtectionStopped.
func (c *Client) StopProtection(ctx context.Context, item ProtectedItem) (lro.Submission, error) {
	return c.protect(ctx, item, "", to.Ptr(sdk.ProtectionStateProtectionStopped))
}

// ResumeProtection puts an item whose protection was stopped under a policy
// again.
//
// ProtectedItems - Create Or Update: PUT {container}/protectedItems/{item} with
// the policy, as for an item that is protected first. Answers 202, with a job.
func (c *Client) ResumeProtection(ctx context.Context, item ProtectedItem, policyID string) (lro.Submission, error) {
	if policyID == "" {
		return lro.Submission{}, azerr.Malformed(fmt.Errorf("protected item %s needs a policy", item.Name))
	}
	return c.protect(ctx, item, policyID, nil)
}

func (c *Client) protect(ctx context.Context, item ProtectedItem, policyID string, state *sdk.ProtectionState) (lro.Submission, error) {
	path, err := itemPath(item.ID)
	if err != nil {
		return lro.Submission{}, err
	}
	body, err := item.update(to.Ptr(policyID), state)
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPut, Path: path, Query: query(""), Body: sdk.ProtectedItemResource{Properties: body},
	})
}

// update is the body that changes an item's protection, of the item's own type.
func (i ProtectedItem) update(policyID *string, state *sdk.ProtectionState) (sdk.ProtectedItemClassification, error) {
	if i.SourceResourceID == "" {
		return nil, fmt.Errorf("protected item %s does not say what it protects", i.Name)
	}
	source := to.Ptr(i.SourceResourceID)
	switch i.Type {
	case ItemAzureFileShare:
		return &sdk.AzureFileshareProtectedItem{SourceResourceID: source, PolicyID: policyID, ProtectionState: state}, nil
	case ItemVirtualMachine:
		return &sdk.AzureIaaSComputeVMProtectedItem{SourceResourceID: source, PolicyID: policyID, ProtectionState: state}, nil
	case ItemClassicVirtualMachine:
		return &sdk.AzureIaaSClassicComputeVMProtectedItem{SourceResourceID: source, PolicyID: policyID, ProtectionState: state}, nil
	case ItemSQLDatabase:
		return &sdk.AzureVMWorkloadSQLDatabaseProtectedItem{SourceResourceID: source, PolicyID: policyID, ProtectionState: state}, nil
	case ItemSAPHanaDatabase:
		return &sdk.AzureVMWorkloadSAPHanaDatabaseProtectedItem{SourceResourceID: source, PolicyID: policyID, ProtectionState: state}, nil
	case ItemSAPHanaDBInstance:
		return &sdk.AzureVMWorkloadSAPHanaDBInstanceProtectedItem{SourceResourceID: source, PolicyID: policyID, ProtectionState: state}, nil
	case ItemSAPAseDatabase:
		return &sdk.AzureVMWorkloadSAPAseDatabaseProtectedItem{SourceResourceID: source, PolicyID: policyID, ProtectionState: state}, nil
	}
	return nil, fmt.Errorf("stopping and resuming protection is not known for items of type %q", i.Type)
}
