package dataprotection

import (
	"encoding/json"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"
)

// BlobRange selects the blobs of a continuous backup whose paths (container, or
// container/blob) are at least From and less than To.
type BlobRange struct{ From, To string }

// BlobPath selects a container of a vaulted backup.
type BlobPath struct {
	Container string
	// Prefixes select blobs of the container; none means all.
	Prefixes []string
	// RenameTo is the container in the target; empty means the same name. It needs
	// the api-version RenameVersion.
	RenameTo string
}

// RenameVersion is the first api-version in which a restore can rename a
// container.
const RenameVersion = "2025-07-01"

// ClusterRestore selects what is restored of a cluster, and how.
type ClusterRestore struct {
	IncludeClusterScopeResources bool
	IncludedNamespaces           []string
	ExcludedNamespaces           []string
	IncludedResourceTypes        []string
	ExcludedResourceTypes        []string
	LabelSelectors               []string
	// NamespaceMappings are new names of namespaces.
	NamespaceMappings map[string]string
	Hooks             []NamespacedName
	// ResourceModifier is a config map with changes; nil for none.
	ResourceModifier *NamespacedName
	// WithoutVolumeData restores persistent volumes empty.
	WithoutVolumeData bool
	// ConflictPolicy is ConflictSkip or ConflictPatch.
	ConflictPolicy string
	// VaultTier is set for backups in the vault store, with where they are staged.
	VaultTier                                bool
	StagingResourceGroupID, StagingAccountID string
}

// Values of ConflictPolicy: what happens to resources that exist.
const (
	ConflictSkip  = string(sdk.ExistingResourcePolicySkip)
	ConflictPatch = string(sdk.ExistingResourcePolicyPatch)
)

// target returns the target of the request body. A cluster has criteria even if
// everything is restored, as recorded.
func (t ResourceTarget) target(location string) sdk.RestoreTargetInfoBaseClassification {
	criteria := t.criteria()
	if len(criteria) == 0 {
		return &sdk.RestoreTargetInfo{
			RecoveryOption: to.Ptr(sdk.RecoveryOptionFailIfExists), RestoreLocation: optional(location),
			DatasourceInfo: t.Datasource.member(), DatasourceSetInfo: t.DatasourceSet.set(),
		}
	}
	return &sdk.ItemLevelRestoreTargetInfo{
		RecoveryOption: to.Ptr(sdk.RecoveryOptionFailIfExists), RestoreLocation: optional(location),
		DatasourceInfo: t.Datasource.member(), DatasourceSetInfo: t.DatasourceSet.set(), RestoreCriteria: criteria,
	}
}

func (t ResourceTarget) criteria() (all []sdk.ItemLevelRestoreCriteriaClassification) {
	for _, r := range t.Ranges {
		all = append(all, &sdk.RangeBasedItemLevelRestoreCriteria{MinMatchingValue: to.Ptr(r.From), MaxMatchingValue: to.Ptr(r.To)})
	}
	for _, p := range t.Paths {
		all = append(all, &pathCriteria{path: p})
	}
	if t.Cluster != nil {
		all = append(all, t.Cluster.criteria())
	}
	return all
}

// pathCriteria is ItemPathBasedRestoreCriteria with renameTo, which the model
// types lack.
type pathCriteria struct {
	sdk.ItemLevelRestoreCriteria
	path BlobPath
}

// MarshalJSON implements json.Marshaler.
func (p *pathCriteria) MarshalJSON() ([]byte, error) {
	fields := map[string]any{"objectType": "ItemPathBasedRestoreCriteria", "itemPath": p.path.Container, "isPathRelativeToBackupItem": true}
	if len(p.path.Prefixes) > 0 {
		fields["subItemPathPrefix"] = p.path.Prefixes
	}
	if p.path.RenameTo != "" {
		fields["renameTo"] = p.path.RenameTo
	}
	return json.Marshal(fields)
}

// criteria returns the only element of a cluster's restoreCriteria.
func (r ClusterRestore) criteria() sdk.ItemLevelRestoreCriteriaClassification {
	mode := to.Ptr(sdk.PersistentVolumeRestoreModeRestoreWithVolumeData)
	if r.WithoutVolumeData {
		mode = to.Ptr(sdk.PersistentVolumeRestoreModeRestoreWithoutVolumeData)
	}
	var modifier *sdk.NamespacedNameResource
	if r.ResourceModifier != nil {
		modifier = namespaced([]NamespacedName{*r.ResourceModifier})[0]
	}
	plain := sdk.KubernetesClusterRestoreCriteria{
		IncludeClusterScopeResources: to.Ptr(r.IncludeClusterScopeResources), PersistentVolumeRestoreMode: mode,
		ConflictPolicy:     to.Ptr(sdk.ExistingResourcePolicy(r.ConflictPolicy)),
		IncludedNamespaces: pointers(r.IncludedNamespaces), ExcludedNamespaces: pointers(r.ExcludedNamespaces),
		IncludedResourceTypes: pointers(r.IncludedResourceTypes), ExcludedResourceTypes: pointers(r.ExcludedResourceTypes),
		LabelSelectors: pointers(r.LabelSelectors), NamespaceMappings: texts(r.NamespaceMappings),
		RestoreHookReferences: namespaced(r.Hooks), ResourceModifierReference: modifier,
	}
	if !r.VaultTier {
		return &plain
	}
	return &sdk.KubernetesClusterVaultTierRestoreCriteria{
		IncludeClusterScopeResources: plain.IncludeClusterScopeResources, PersistentVolumeRestoreMode: plain.PersistentVolumeRestoreMode,
		ConflictPolicy: plain.ConflictPolicy, IncludedNamespaces: plain.IncludedNamespaces, ExcludedNamespaces: plain.ExcludedNamespaces,
		IncludedResourceTypes: plain.IncludedResourceTypes, ExcludedResourceTypes: plain.ExcludedResourceTypes,
		LabelSelectors: plain.LabelSelectors, NamespaceMappings: plain.NamespaceMappings,
		RestoreHookReferences: plain.RestoreHookReferences, ResourceModifierReference: plain.ResourceModifierReference,
		StagingResourceGroupID: optional(r.StagingResourceGroupID), StagingStorageAccountID: optional(r.StagingAccountID),
	}
}
