package dataprotection

import (
	"context"
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
)

// InstanceRequest is what a datasource is put under a policy with.
type InstanceRequest struct {
	FriendlyName string
	Datasource   Datasource
	// DatasourceSet is the server of a database; nil for a server.
	DatasourceSet *Datasource
	PolicyID      string
	// SecretURI is the Key Vault secret with the database's credentials; empty
	// where the vault's identity is let in, as with flexible servers.
	SecretURI string
	// UserAssignedIdentityID is the vault's identity to use; empty means the
	// system-assigned one.
	UserAssignedIdentityID string
}

// properties is the request's body. policyVersion, name and type, which Learn's
// page shows, are Azure's to give and not sent.
func (r InstanceRequest) properties() (*sdk.BackupInstance, error) {
	if r.Datasource.ResourceID == "" || r.PolicyID == "" {
		return nil, errors.New("a backup instance needs a datasource and a policy")
	}
	if err := checkSecretURI(r.SecretURI); err != nil {
		return nil, err
	}
	b := &sdk.BackupInstance{
		ObjectType: to.Ptr("BackupInstance"), FriendlyName: given(r.FriendlyName),
		DataSourceInfo: r.Datasource.member(), DataSourceSetInfo: r.DatasourceSet.set(),
		PolicyInfo:                &sdk.PolicyInfo{PolicyID: to.Ptr(r.PolicyID)},
		DatasourceAuthCredentials: secret(r.SecretURI),
	}
	if r.UserAssignedIdentityID != "" {
		b.IdentityDetails = &sdk.IdentityDetails{
			UseSystemAssignedIdentity: to.Ptr(false), UserAssignedIdentityArmURL: to.Ptr(r.UserAssignedIdentityID),
		}
	}
	return b, nil
}

// ValidateForBackup asks whether the datasource could be protected: whether the
// vault's identity has its roles, and no other vault protects it.
//
// Backup Instances - Validate For Backup: POST {vault}/validateForBackup.
// Answers 202, or 400 where the datasource is protected already; done when the
// Azure-AsyncOperation says Succeeded or Failed. There is no job.
func (c *Client) ValidateForBackup(ctx context.Context, vault resourceid.VaultID, r InstanceRequest) (lro.Submission, error) {
	path, err := vaultPath(vault, "validateForBackup")
	if err != nil {
		return lro.Submission{}, err
	}
	body, err := r.properties()
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPost, Path: path, Query: query(""), Body: sdk.ValidateForBackupRequest{BackupInstance: body},
	})
}

// PutInstance puts a datasource under a policy. The name is the caller's choice
// and the same for a repeat.
//
// Backup Instances - Create Or Update: PUT {vault}/backupInstances/{instance}.
// Answers 201 with an Azure-AsyncOperation and no Location. When that says
// Succeeded the instance is still ConfiguringProtection: read it until
// ProtectionConfigured, ProtectionError or ConfiguringProtectionFailed.
func (c *Client) PutInstance(ctx context.Context, id InstanceID, r InstanceRequest) (lro.Submission, error) {
	path, err := id.path()
	if err != nil {
		return lro.Submission{}, err
	}
	body, err := r.properties()
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPut, Path: path, Query: query(""), Body: sdk.BackupInstanceResource{Properties: body},
	})
}

// GetInstance reads a backup instance.
//
// Backup Instances - Get: GET {vault}/backupInstances/{instance}.
func (c *Client) GetInstance(ctx context.Context, id InstanceID) (Instance, error) {
	path, err := id.path()
	if err != nil {
		return Instance{}, err
	}
	var body instanceBody
	if err := c.arm.Get(ctx, path, query(""), &body); err != nil {
		return Instance{}, err
	}
	return body.instance(), nil
}

// ListInstances lists the vault's backup instances, all pages.
//
// Backup Instances - List: GET {vault}/backupInstances.
func (c *Client) ListInstances(ctx context.Context, vault resourceid.VaultID) ([]Instance, error) {
	return listOf(ctx, c, vault, "backupInstances", instanceBody.instance)
}

// GetDeletedInstance reads a soft-deleted backup instance by the name that it
// had.
//
// Deleted Backup Instances - Get: GET {vault}/deletedBackupInstances/{instance}.
func (c *Client) GetDeletedInstance(ctx context.Context, id InstanceID) (DeletedInstance, error) {
	path, err := vaultPath(id.Vault, "deletedBackupInstances", id.Name)
	if err != nil {
		return DeletedInstance{}, err
	}
	var body instanceBody
	if err := c.arm.Get(ctx, path, query(""), &body); err != nil {
		return DeletedInstance{}, err
	}
	return body.deleted(), nil
}

// ListDeletedInstances lists the vault's soft-deleted backup instances, all
// pages.
//
// Deleted Backup Instances - List: GET {vault}/deletedBackupInstances.
func (c *Client) ListDeletedInstances(ctx context.Context, vault resourceid.VaultID) ([]DeletedInstance, error) {
	return listOf(ctx, c, vault, "deletedBackupInstances", instanceBody.deleted)
}

// listOf lists one of the vault's collections of instances, all pages.
func listOf[T any](ctx context.Context, c *Client, vault resourceid.VaultID, collection string, read func(instanceBody) T) ([]T, error) {
	path, err := vaultPath(vault, collection)
	if err != nil {
		return nil, err
	}
	items, err := arm.All[instanceBody](ctx, c.arm, path, query(""))
	if err != nil {
		return nil, err
	}
	found := make([]T, len(items))
	for i, b := range items {
		found[i] = read(b)
	}
	return found, nil
}
