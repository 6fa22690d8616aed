package flow

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// ProtectCluster protects an AKS cluster with a policy of a Backup vault.
type ProtectCluster struct {
	// VaultID is the Backup vault, ClusterID the cluster, Location its region,
	// Policy the name or resource ID of one of the vault's policies.
	VaultID   string `json:"vaultId"`
	ClusterID string `json:"clusterId"`
	Location  string `json:"location"`
	Policy    string `json:"policy"`
	// FriendlyName names this backup of the cluster: one cluster may have several.
	FriendlyName string `json:"friendlyName"`
	// SnapshotResourceGroupID is the resource group of the snapshots; empty means
	// the cluster's own.
	SnapshotResourceGroupID string `json:"snapshotResourceGroupId,omitempty"`
	// SnapshotVolumes and IncludeClusterScopeResources are true if missing.
	SnapshotVolumes              *bool    `json:"snapshotVolumes,omitempty"`
	IncludeClusterScopeResources *bool    `json:"includeClusterScopeResources,omitempty"`
	IncludedNamespaces           []string `json:"includedNamespaces,omitempty"`
	ExcludedNamespaces           []string `json:"excludedNamespaces,omitempty"`
	IncludedResourceTypes        []string `json:"includedResourceTypes,omitempty"`
	ExcludedResourceTypes        []string `json:"excludedResourceTypes,omitempty"`
	LabelSelectors               []string `json:"labelSelectors,omitempty"`
	// Hooks are backup hooks of the cluster, as namespace/name.
	Hooks []string `json:"hooks,omitempty"`
	ProtectOptions
}

func (p ProtectCluster) protection() protection {
	return protection{
		kind: kinds.DatasourceCluster, vaultID: p.VaultID, sourceID: p.ClusterID, location: p.Location, policy: p.Policy,
		friendlyName: resourceid.LastName(p.ClusterID) + "/" + p.FriendlyName, snapshotGroupID: p.SnapshotResourceGroupID,
		cluster: &dataprotection.ClusterSelection{
			SnapshotVolumes: orTrue(p.SnapshotVolumes), IncludeClusterScopeResources: orTrue(p.IncludeClusterScopeResources),
			IncludedNamespaces: p.IncludedNamespaces, ExcludedNamespaces: p.ExcludedNamespaces,
			IncludedResourceTypes: p.IncludedResourceTypes, ExcludedResourceTypes: p.ExcludedResourceTypes,
			LabelSelectors: p.LabelSelectors, Hooks: namespacedNames(p.Hooks),
		},
		ProtectOptions: p.ProtectOptions,
	}
}

func orTrue(b *bool) bool { return b == nil || *b }

// namespacedNames splits texts such as namespace/name.
func namespacedNames(texts []string) (all []dataprotection.NamespacedName) {
	for _, text := range texts {
		namespace, name, _ := strings.Cut(text, "/")
		all = append(all, dataprotection.NamespacedName{Namespace: namespace, Name: name})
	}
	return all
}

func checkProtectCluster(c *checks, p *ProtectCluster) {
	c.resource("clusterId", p.ClusterID, kinds.DatasourceCluster, kinds.NameOf(kinds.DatasourceCluster), wantResource(kinds.DatasourceCluster))
	if !friendlyName.MatchString(p.FriendlyName) {
		c.add("friendlyName", fmt.Sprintf("%q is not a name for a backup of the cluster", p.FriendlyName), "1 to 100 letters, digits, hyphens, dots and underscores")
	}
	p.SnapshotResourceGroupID = c.snapshotGroup(p.SnapshotResourceGroupID, p.ClusterID)
	c.kubernetesLists(map[string][]string{
		"includedNamespaces": p.IncludedNamespaces, "excludedNamespaces": p.ExcludedNamespaces,
		"includedResourceTypes": p.IncludedResourceTypes, "excludedResourceTypes": p.ExcludedResourceTypes, "labelSelectors": p.LabelSelectors, "hooks": p.Hooks,
	})
	if p.InstanceName == "" && p.FriendlyName != "" {
		p.InstanceName = InstanceName(p.ClusterID + "/" + p.FriendlyName)
	}
	p.Policy, p.ProtectOptions = c.protectIn(p.VaultID, p.ClusterID, kinds.DatasourceCluster, p.Location, p.Policy, p.ProtectOptions)
}

// The rules for names in a cluster. Types of resources may have a group, such as
// deployments.apps; label selectors are key=value.
// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
const (
	friendlyPattern  = `^[A-Za-z0-9_.-]{1,100}$`
	namespacePattern = `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`
	typePattern      = `^[A-Za-z][A-Za-z0-9.-]{0,252}$`
	selectorPattern  = `^[A-Za-z0-9]([A-Za-z0-9./_-]{0,250})?=[A-Za-z0-9._-]{0,63}$`
	hookPattern      = `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`
)

var (
	friendlyName  = regexp.MustCompile(friendlyPattern)
	namespaceName = regexp.MustCompile(namespacePattern)
	typeName      = regexp.MustCompile(typePattern)
	labelSelector = regexp.MustCompile(selectorPattern)
	hookName      = regexp.MustCompile(hookPattern)
)

// kubernetesLists checks lists of names in a cluster, by their field.
func (c *checks) kubernetesLists(lists map[string][]string) {
	for field, names := range lists {
		pattern, want := kubernetesPattern(field)
		for i, name := range names {
			if !pattern.MatchString(name) {
				c.add(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q is not valid there", name), want)
			}
		}
	}
}

func kubernetesPattern(field string) (pattern *regexp.Regexp, want string) {
	switch {
	case strings.HasSuffix(field, "Namespaces"):
		return namespaceName, "the name of a namespace: lower-case letters, digits and hyphens"
	case strings.HasSuffix(field, "ResourceTypes"):
		return typeName, "a type of resource, such as deployments.apps"
	case field == "labelSelectors":
		return labelSelector, "a label and its value, such as app=web"
	}
	return hookName, "namespace/name of a hook"
}

// kubernetesRule returns the schema rule of a list that kubernetesLists checks.
func kubernetesRule(field string) schema.Object {
	pattern, _ := kubernetesPattern(field)
	return schema.Object{"items": schema.Object{"type": "string", "pattern": pattern.String()}}
}

// clusterFields describe what is backed up or restored of a cluster.
func clusterFields() schema.Fields {
	all := schema.Fields{}
	for field, meaning := range map[string]string{
		"includedNamespaces": "namespaces to include; default: all", "excludedNamespaces": "namespaces to leave out",
		"includedResourceTypes": "types of resources to include, such as `deployments.apps`; default: all", "excludedResourceTypes": "types of resources to leave out",
		"labelSelectors": "labels of the resources to include, such as `app=web`",
		"hooks":          "hooks of the cluster to run, as `namespace/name`",
	} {
		all[field] = schema.Field{Meaning: meaning, Rule: kubernetesRule(field)}
	}
	return all
}

func protectClusterParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[ProtectCluster](),
		Fields: protectFields("cluster").With(clusterFields()).With(schema.Fields{
			"clusterId":                    {Required: true, Meaning: "resource ID of the cluster", Rule: schema.Matches(schema.ResourceID(kinds.DatasourceCluster))},
			"friendlyName":                 {Required: true, Meaning: "name for this backup of the cluster", Rule: schema.Object{"pattern": friendlyPattern}},
			"snapshotResourceGroupId":      snapshotGroupField("cluster"),
			"snapshotVolumes":              {Meaning: "`false`: leave out the contents of persistent volumes; default `true`"},
			"includeClusterScopeResources": {Meaning: "`false`: leave out resources without a namespace; default `true`"},
		}),
	}
}

func (a azure) protectCluster() Definition {
	entry, _ := a.kind(kinds.DatasourceCluster)
	return Definition{
		Flow: step.Flow{
			Name: "protect-cluster", Version: 1,
			Item:     parameterKey(func(p ProtectCluster) string { return resourceKey(p.ClusterID) }),
			Summary:  "validate and configure the backup of an AKS cluster, until it is protected",
			Deadline: 12 * time.Hour,
			Priority: operation.PriorityProtect,
			Check:    check(checkProtectCluster),
			Steps:    protectSteps[ProtectCluster](a),
		},
		Role:       roles.Protect,
		Parameters: protectClusterParameters,
		Intro: "Protects an AKS cluster with a policy of a Backup vault: its resources, and snapshots of its persistent volumes. It is done when the " +
			"vault reports `ProtectionConfigured`.",
		Notes: notesOfProtection(entry) + "\n\nThe cluster also needs the Backup extension, whose identity has the role Storage Blob Data Contributor on its " +
			"storage account, and trusted access for the vault. If the validation fails, the error says which of them is missing, and how to add it.",
		Examples: []Example{{
			File: "protect-cluster", About: "cluster akscluster1", Key: "protect-akscluster1", Deadline: "PT12H", Labels: team("platform"),
			Cost: "a cluster",
			Parameters: ProtectCluster{
				VaultID: exampleBackupVault, ClusterID: exampleCluster, Location: "westus", Policy: "akspol1", FriendlyName: "daily",
				SnapshotResourceGroupID: exampleSnapshots, ExcludedNamespaces: []string{"kube-system"},
			},
		}},
	}
}
