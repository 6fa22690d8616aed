package flow

import (
	"fmt"
	"reflect"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// RestoreCluster restores a recovery point of an AKS cluster to the same or another
// cluster.
type RestoreCluster struct {
	BackupInstanceID string        `json:"backupInstanceId"`
	RecoveryPoint    RecoveryPoint `json:"recoveryPoint"`
	// Tier is operational (the default) or vault.
	Tier string `json:"tier,omitempty"`
	// TargetClusterID is the cluster that is written to. The setting
	// AZBACKUPFLOW_RESTORE_TARGETS must allow it.
	TargetClusterID string `json:"targetClusterId"`
	// ConflictPolicy is Skip (the default) or Patch.
	ConflictPolicy string `json:"conflictPolicy,omitempty"`
	// RestoreVolumes and IncludeClusterScopeResources are true if missing.
	RestoreVolumes               *bool             `json:"restoreVolumes,omitempty"`
	IncludeClusterScopeResources *bool             `json:"includeClusterScopeResources,omitempty"`
	IncludedNamespaces           []string          `json:"includedNamespaces,omitempty"`
	ExcludedNamespaces           []string          `json:"excludedNamespaces,omitempty"`
	IncludedResourceTypes        []string          `json:"includedResourceTypes,omitempty"`
	ExcludedResourceTypes        []string          `json:"excludedResourceTypes,omitempty"`
	LabelSelectors               []string          `json:"labelSelectors,omitempty"`
	Hooks                        []string          `json:"hooks,omitempty"`
	NamespaceMappings            map[string]string `json:"namespaceMappings,omitempty"`
	// ResourceModifier is a config map, as namespace/name.
	ResourceModifier string `json:"resourceModifier,omitempty"`
	// StagingResourceGroupID and StagingStorageAccountID are where a backup of the
	// vault tier is staged. The setting must allow both.
	StagingResourceGroupID  string `json:"stagingResourceGroupId,omitempty"`
	StagingStorageAccountID string `json:"stagingStorageAccountId,omitempty"`
	RestoreOptions
}

func (p RestoreCluster) restoration() restoration {
	r := dataprotection.ClusterRestore{
		IncludeClusterScopeResources: orTrue(p.IncludeClusterScopeResources), WithoutVolumeData: !orTrue(p.RestoreVolumes), ConflictPolicy: p.ConflictPolicy,
		IncludedNamespaces: p.IncludedNamespaces, ExcludedNamespaces: p.ExcludedNamespaces,
		IncludedResourceTypes: p.IncludedResourceTypes, ExcludedResourceTypes: p.ExcludedResourceTypes,
		LabelSelectors: p.LabelSelectors, NamespaceMappings: p.NamespaceMappings, Hooks: namespacedNames(p.Hooks),
		VaultTier: p.Tier == tierVault, StagingResourceGroupID: p.StagingResourceGroupID, StagingAccountID: p.StagingStorageAccountID,
	}
	if p.ResourceModifier != "" {
		r.ResourceModifier = &namespacedNames([]string{p.ResourceModifier})[0]
	}
	return restoration{
		instanceID: p.BackupInstanceID, types: []string{kinds.DatasourceCluster}, point: p.RecoveryPoint, tier: p.Tier,
		target: kinds.TargetCluster, targetID: p.TargetClusterID, items: true, location: p.Location, identityID: p.IdentityID, cluster: &r,
	}
}

func (a azure) checkRestoreCluster(c *checks, p *RestoreCluster) {
	c.restoreOptions(p.BackupInstanceID, p.RestoreOptions)
	c.recoveryPoint(p.RecoveryPoint)
	if c.resource("targetClusterId", p.TargetClusterID, kinds.DatasourceCluster, kinds.NameOf(kinds.DatasourceCluster), wantResource(kinds.DatasourceCluster)) {
		c.allowed("targetClusterId", p.TargetClusterID, a.Guardrails.allowsResource(p.TargetClusterID))
	}
	if p.Tier == "" {
		p.Tier = tierOperational
	}
	if p.Tier != tierOperational && p.Tier != tierVault {
		c.add("tier", fmt.Sprintf("%q is not a tier", p.Tier), "operational or vault")
	}
	if p.ConflictPolicy == "" {
		p.ConflictPolicy = dataprotection.ConflictSkip
	}
	if p.ConflictPolicy != dataprotection.ConflictSkip && p.ConflictPolicy != dataprotection.ConflictPatch {
		c.add("conflictPolicy", fmt.Sprintf("%q is not a policy for conflicts", p.ConflictPolicy), "Skip or Patch")
	}
	c.kubernetesLists(map[string][]string{
		"includedNamespaces": p.IncludedNamespaces, "excludedNamespaces": p.ExcludedNamespaces,
		"includedResourceTypes": p.IncludedResourceTypes, "excludedResourceTypes": p.ExcludedResourceTypes, "labelSelectors": p.LabelSelectors, "hooks": p.Hooks,
	})
	for from, to := range p.NamespaceMappings {
		if !namespaceName.MatchString(from) || !namespaceName.MatchString(to) {
			c.add("namespaceMappings."+from, fmt.Sprintf("maps %q to %q", from, to), "names of namespaces: lower-case letters, digits and hyphens")
		}
	}
	if p.ResourceModifier != "" && !hookName.MatchString(p.ResourceModifier) {
		c.add("resourceModifier", fmt.Sprintf("%q is not a config map", p.ResourceModifier), "namespace/name")
	}
	c.staging(*p, a.Guardrails)
}

// staging checks where a backup of the vault tier is staged: both fields or
// neither.
func (c *checks) staging(p RestoreCluster, g Guardrails) {
	group, account := p.StagingResourceGroupID, p.StagingStorageAccountID
	switch {
	case (group == "") != (account == ""):
		c.add("stagingResourceGroupId", "and stagingStorageAccountId are not both set", "both or neither")
	case group != "" && p.Tier != tierVault:
		c.add("stagingResourceGroupId", "is set for the "+p.Tier+" tier", "no staging: only the vault tier needs it")
	case group == "" && p.Tier == tierVault:
		c.add("stagingResourceGroupId", "is missing for the vault tier", "the resource group and the storage account in which the backup is staged")
	}
	if group != "" && c.resourceGroup("stagingResourceGroupId", group) {
		c.allowed("stagingResourceGroupId", group, g.allowsGroup(group))
	}
	if account != "" {
		before := len(c.invalid)
		c.storageAccount("stagingStorageAccountId", account)
		if len(c.invalid) == before {
			c.allowed("stagingStorageAccountId", account, g.allowsResource(account))
		}
	}
}

// allowsCluster reports whether the restore may write to the cluster, and to where
// it is staged.
func allowsCluster(g Guardrails, p RestoreCluster) bool {
	return g.allowsResource(p.TargetClusterID) && (p.StagingResourceGroupID == "" || g.allowsGroup(p.StagingResourceGroupID)) &&
		(p.StagingStorageAccountID == "" || g.allowsResource(p.StagingStorageAccountID))
}

func restoreClusterParameters() schema.Parameters {
	staging := []string{"stagingResourceGroupId", "stagingStorageAccountId"}
	return schema.Parameters{
		Type: reflect.TypeFor[RestoreCluster](),
		Fields: restoreFields().With(recoveryPointFields()).With(clusterFields()).With(schema.Fields{
			"tier":                         {Meaning: "`operational` (default) or `vault`", Rule: schema.Object{"enum": []string{tierOperational, tierVault}, "default": tierOperational}},
			"targetClusterId":              {Required: true, Meaning: "resource ID of the cluster that is written to, an allowed restore target: the one that was backed up, or another", Rule: schema.Matches(schema.ResourceID(kinds.DatasourceCluster))},
			"conflictPolicy":               {Meaning: "what happens to resources that exist: `Skip` (default) or `Patch`", Rule: schema.Object{"enum": []string{dataprotection.ConflictSkip, dataprotection.ConflictPatch}, "default": dataprotection.ConflictSkip}},
			"restoreVolumes":               {Meaning: "`false`: restore persistent volumes without their contents; default `true`"},
			"includeClusterScopeResources": {Meaning: "`false`: leave out resources without a namespace; default `true`"},
			"namespaceMappings": {
				Meaning: "new names of namespaces, by their old names",
				Rule:    schema.Object{"propertyNames": schema.Object{"pattern": namespacePattern}, "additionalProperties": schema.Object{"type": "string", "pattern": namespacePattern}},
			},
			"resourceModifier":        {Meaning: "config map with changes of the restored resources, as `namespace/name`", Rule: schema.Object{"pattern": hookPattern}},
			"stagingResourceGroupId":  {When: "vault tier only, and required there", Meaning: "ID of the resource group in which the backup is staged, an allowed restore target", Rule: resourceGroupRule()},
			"stagingStorageAccountId": {When: "vault tier only, and required there", Meaning: "resource ID of the storage account in which the backup is staged, an allowed restore target", Rule: storageAccountRule()},
		}),
		Rules: schema.Object{"if": schema.Is("tier", tierVault), "then": schema.Given(staging...), "else": schema.Missing(staging...)},
	}
}

func (a azure) restoreCluster() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "restore-cluster", Version: 1,
			Summary:  "restore a backup of an AKS cluster to the same or another cluster, to the job's end",
			Guarded:  true,
			Deadline: 24 * time.Hour,
			Priority: operation.PriorityRestore,
			Check:    check(a.checkRestoreCluster),
			Steps:    restoreSteps(a, allowsCluster),
		},
		Role:       roles.Delete,
		Parameters: restoreClusterParameters,
		Intro: "Restores resources and persistent volumes of an AKS cluster to the same or another cluster. " + onlyAllowedTargets +
			"the resource IDs of clusters and, for backups of the vault tier, of the resource group and the storage account in which they are staged.",
		Notes: "Resources that exist are left as they are, unless `conflictPolicy` is `Patch`. Two restores of one instance to one cluster are distinguished only " +
			"by the ID of their attempt: if an answer is lost and Azure does not show that ID, the operation reports `RestoreUnclear`.",
		Examples: []Example{{
			File: "restore-cluster", About: "a namespace, to akscluster2", Key: "restore-akscluster1", Deadline: "P1D", Labels: team("platform"),
			Cost: "a namespace, to another cluster",
			Parameters: RestoreCluster{
				BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleCluster+"/daily"), RecoveryPoint: RecoveryPoint{Latest: true},
				TargetClusterID: exampleCluster2, IncludedNamespaces: []string{"shop"}, NamespaceMappings: map[string]string{"shop": "shop-restored"},
			},
			After: []string{"backup-now-cluster"},
		}},
	}
}
