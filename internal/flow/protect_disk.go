package flow

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// ProtectDisk protects a managed disk with a policy of a Backup vault.
type ProtectDisk struct {
	// VaultID is the Backup vault, DiskID the disk, Location the disk's region,
	// Policy the name or resource ID of one of the vault's policies.
	VaultID  string `json:"vaultId"`
	DiskID   string `json:"diskId"`
	Location string `json:"location"`
	Policy   string `json:"policy"`
	// SnapshotResourceGroupID is the resource group of the snapshots; empty means
	// the disk's own.
	SnapshotResourceGroupID string `json:"snapshotResourceGroupId,omitempty"`
	ProtectOptions
}

func (p ProtectDisk) protection() protection {
	return protection{
		kind: kinds.DatasourceDisk, vaultID: p.VaultID, sourceID: p.DiskID, location: p.Location, policy: p.Policy,
		snapshotGroupID: p.SnapshotResourceGroupID, ProtectOptions: p.ProtectOptions,
	}
}

func checkProtectDisk(c *checks, p *ProtectDisk) {
	c.resource("diskId", p.DiskID, kinds.DatasourceDisk, kinds.NameOf(kinds.DatasourceDisk), wantResource(kinds.DatasourceDisk))
	p.SnapshotResourceGroupID = c.snapshotGroup(p.SnapshotResourceGroupID, p.DiskID)
	p.Policy, p.ProtectOptions = c.protectIn(p.VaultID, p.DiskID, kinds.DatasourceDisk, p.Location, p.Policy, p.ProtectOptions)
}

// snapshotGroup checks the resource group of the snapshots, which must be in the
// subscription of the datasource, and returns it; if it is missing, the
// datasource's own.
func (c *checks) snapshotGroup(id, sourceID string) string {
	const field = "snapshotResourceGroupId"
	source, err := resourceid.Parse(sourceID)
	if id == "" {
		if err != nil {
			return ""
		}
		return resourceid.GroupOf(sourceID)
	}
	c.resourceGroup(field, id)
	if group, unreadable := resourceid.Parse(id); unreadable == nil && err == nil && !strings.EqualFold(group.SubscriptionID, source.SubscriptionID) {
		c.add(field, fmt.Sprintf("is in subscription %s, not in that of the datasource", group.SubscriptionID), "a resource group of subscription "+source.SubscriptionID)
	}
	return id
}

// snapshotGroupField describes the resource group of the snapshots.
func snapshotGroupField(source string) schema.Field {
	return schema.Field{
		Meaning: "ID of the resource group for the snapshots, in the subscription of the " + source + "; default: the resource group of the " + source,
		Rule:    resourceGroupRule(),
	}
}

func protectDiskParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[ProtectDisk](),
		Fields: protectFields("disk").With(schema.Fields{
			"diskId":                  {Required: true, Meaning: "resource ID of the managed disk", Rule: schema.Matches(schema.ResourceID(kinds.DatasourceDisk))},
			"snapshotResourceGroupId": snapshotGroupField("disk"),
		}),
	}
}

func (a azure) protectDisk() Definition {
	entry, _ := a.kind(kinds.DatasourceDisk)
	return Definition{
		Flow: step.Flow{
			Name: "protect-disk", Version: 1,
			Item:     parameterKey(func(p ProtectDisk) string { return resourceKey(p.DiskID) }),
			Summary:  "validate and configure the backup of a managed disk, until it is protected",
			Deadline: 12 * time.Hour,
			Priority: operation.PriorityProtect,
			Check:    check(checkProtectDisk),
			Steps:    protectSteps[ProtectDisk](a),
		},
		Role:       roles.Protect,
		Parameters: protectDiskParameters,
		Intro: "Protects a managed disk with a policy of a Backup vault. The backups are incremental snapshots in a resource group that the " +
			"request can name. It is done when the vault reports `ProtectionConfigured`.",
		Notes: notesOfProtection(entry),
		Examples: []Example{{
			File: "protect-disk", About: "disk datadisk1", Key: "protect-datadisk1", Deadline: "PT12H", Labels: team("machines"),
			Cost: "a disk",
			Parameters: ProtectDisk{
				VaultID: exampleBackupVault, DiskID: exampleDisk, Location: "westus", Policy: "diskpol1",
				SnapshotResourceGroupID: exampleSnapshots,
			},
		}},
	}
}
