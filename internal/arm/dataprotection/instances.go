package dataprotection

import (
	"context"
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// InstanceRequest holds the options of protecting a datasource.
type InstanceRequest struct {
	FriendlyName string
	Datasource   Datasource
	// DatasourceSet is the server of a database; nil for a server.
	DatasourceSet *Datasource
	PolicyID      string
	// Kind is the datasource's entry in the table.
	Kind kinds.Kind
	// SnapshotGroupID is the resource group of the snapshots, for kinds that have
	// one.
	SnapshotGroupID string
	// Containers are the blob containers of a vaulted backup of a storage
	// account; none means a continuous backup.
	Containers []string
	// Cluster selects what is backed up of a cluster; nil for other kinds.
	Cluster *ClusterSelection
	// SecretURI is the Key Vault secret with the database's credentials. It is
	// empty if the vault's identity has access, as with flexible servers.
	SecretURI string
	// UserAssignedIdentityID is the identity of the vault to use; empty means
	// the system-assigned identity.
	UserAssignedIdentityID string
	Tags                   map[string]string
}

// ClusterSelection selects what is backed up of a cluster. Empty lists select
// everything.
type ClusterSelection struct {
	SnapshotVolumes              bool
	IncludeClusterScopeResources bool
	IncludedNamespaces           []string
	ExcludedNamespaces           []string
	IncludedResourceTypes        []string
	ExcludedResourceTypes        []string
	LabelSelectors               []string
	Hooks                        []NamespacedName
}

// NamespacedName names a resource in a namespace of a cluster.
type NamespacedName struct{ Name, Namespace string }

// properties returns the request body. It omits policyVersion, name and type,
// which Learn's page shows, because Azure sets them.
func (r InstanceRequest) properties() (*sdk.BackupInstance, error) {
	if r.Datasource.ResourceID == "" || r.PolicyID == "" {
		return nil, errors.New("a backup instance needs a datasource and a policy; check the request's parameters")
	}
	if err := checkSecretURI(r.SecretURI); err != nil {
		return nil, err
	}
	b := &sdk.BackupInstance{
		ObjectType: to.Ptr("BackupInstance"), FriendlyName: optional(r.FriendlyName),
		DataSourceInfo: r.Datasource.member(), DataSourceSetInfo: r.DatasourceSet.set(),
		PolicyInfo:                &sdk.PolicyInfo{PolicyID: to.Ptr(r.PolicyID)},
		DatasourceAuthCredentials: secret(r.SecretURI), IdentityDetails: identity(r.UserAssignedIdentityID),
	}
	parameters, err := r.policyParameters()
	if err != nil {
		return nil, err
	}
	b.PolicyInfo.PolicyParameters = parameters
	return b, nil
}

// identity returns the user-assigned identity to use; nil means that the vault's
// system-assigned identity is used, for which Azure needs no field.
func identity(userAssignedID string) *sdk.IdentityDetails {
	if userAssignedID == "" {
		return nil
	}
	return &sdk.IdentityDetails{UseSystemAssignedIdentity: to.Ptr(false), UserAssignedIdentityArmURL: to.Ptr(userAssignedID)}
}

// ValidateForBackup checks whether the datasource can be protected: whether the
// vault's identity has its roles, and no other vault protects it.
//
// Backup Instances - Validate For Backup: POST {vault}/validateForBackup. It
// answers 202, or 400 if the datasource is already protected. It is done when
// the Azure-AsyncOperation is Succeeded or Failed. There is no job.
func (c *Client) ValidateForBackup(ctx context.Context, vault resourceid.VaultID, r InstanceRequest) (lro.Submission, error) {
	body, err := r.properties()
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPost, Body: sdk.ValidateForBackupRequest{BackupInstance: body},
	}, vault, "validateForBackup")
}

// PutInstance protects a datasource with a policy. The caller chooses the name
// and repeats it in a retry.
//
// Backup Instances - Create Or Update: PUT {vault}/backupInstances/{instance}.
// It answers 201 with an Azure-AsyncOperation and no Location. When that is
// Succeeded, the instance is still ConfiguringProtection: read it until it is
// ProtectionConfigured, ProtectionError or ConfiguringProtectionFailed.
func (c *Client) PutInstance(ctx context.Context, id InstanceID, r InstanceRequest) (lro.Submission, error) {
	body, err := r.properties()
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPut, Body: sdk.BackupInstanceResource{Properties: body, Tags: texts(r.Tags)},
	}, id.Vault, id.names()...)
}

// GetInstance reads a backup instance.
//
// Backup Instances - Get: GET {vault}/backupInstances/{instance}.
func (c *Client) GetInstance(ctx context.Context, id InstanceID) (Instance, error) {
	return vaultapi.Get(ctx, c.api, instanceBody.instance, id.Vault, id.names()...)
}

// ListInstances lists the vault's backup instances, all pages.
//
// Backup Instances - List: GET {vault}/backupInstances.
func (c *Client) ListInstances(ctx context.Context, vault resourceid.VaultID) ([]Instance, error) {
	return vaultapi.List(ctx, c.api, instanceBody.instance, "", vault, "backupInstances")
}

// GetDeletedInstance reads a soft-deleted backup instance by its former name.
//
// Deleted Backup Instances - Get: GET {vault}/deletedBackupInstances/{instance}.
func (c *Client) GetDeletedInstance(ctx context.Context, id InstanceID) (DeletedInstance, error) {
	return vaultapi.Get(ctx, c.api, instanceBody.deleted, id.Vault, "deletedBackupInstances", id.Name)
}

// ListDeletedInstances lists the vault's soft-deleted backup instances, all
// pages.
//
// Deleted Backup Instances - List: GET {vault}/deletedBackupInstances.
func (c *Client) ListDeletedInstances(ctx context.Context, vault resourceid.VaultID) ([]DeletedInstance, error) {
	return vaultapi.List(ctx, c.api, instanceBody.deleted, "", vault, "deletedBackupInstances")
}
