package flow

import (
	"context"
	"fmt"
	"strings"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// The facts that steps learn from Azure's answers.
const (
	learnedItem      = "itemId"
	learnedItemName  = "itemName"
	learnedContainer = "containerName"
	learnedPolicy    = "policyId"
	learnedItemType  = "itemType"
	learnedName      = "friendlyName"
	learnedAccount   = "storageAccount"
	learnedSource    = "sourceResourceId"
	learnedJob       = "jobId"
	// learnedReadAt is the time at which this operation first read the item.
	learnedReadAt = "readAt"
	// learnedExcluded is the resource to exclude, if it is not the item's source.
	learnedExcluded = "excludedResourceId"
)

// share names a file share.
type share struct {
	vault   resourceid.VaultID
	account string
	name    string
}

// findShare returns the vault's protected item of a file share; ok is false if
// the vault does not protect it. Shares of several accounts may have the same
// name, so the account must match too.
func (a azure) findShare(ctx context.Context, c step.Call, s share) (item recoveryservices.ProtectedItem, ok bool, err error) {
	items, err := a.recoveryServices(c).ListProtectedFileShares(ctx, s.vault)
	if err != nil {
		return item, false, err
	}
	for _, i := range items {
		if strings.EqualFold(i.FriendlyName, s.name) && resourceid.Equal(i.SourceResourceID, s.account) {
			return i, true, nil
		}
	}
	return item, false, nil
}

// foundItem reads the item that an earlier step found.
func (a azure) foundItem(ctx context.Context, c step.Call) (recoveryservices.ProtectedItem, error) {
	id := c.Operation.Learned[learnedItem]
	item, err := a.recoveryServices(c).GetProtectedItem(ctx, id)
	if isNotFound(err) {
		return item, fatal("NotProtected", "protected item not found in the vault: "+id,
			"Check parameters.itemId: `az backup item list` lists the vault's items with their IDs.")
	}
	return item, err
}

// unusableItem returns why an item cannot be backed up as it is; nil if it can.
func unusableItem(i recoveryservices.ProtectedItem) *operation.Error {
	switch {
	case i.SoftDeleted:
		return fatal("ItemSoftDeleted", fmt.Sprintf("%s was deleted from backup and is soft-deleted", i.FriendlyName),
			"Undelete the item in the vault, or wait until it is purged. Then send the request again.")
	case i.ProtectionState == recoveryservices.StateProtectionStopped, i.ProtectionState == recoveryservices.StateBackupsSuspended:
		return fatal("ProtectionStopped", fmt.Sprintf("protection of %s was stopped; its backups are kept", i.FriendlyName),
			"Resume protection with the flow resume-protection. Then send the request again.")
	}
	return nil
}

// factsOf returns what later steps need to know of an item.
func factsOf(i recoveryservices.ProtectedItem) map[string]string {
	return map[string]string{
		learnedItem: i.ID, learnedItemType: i.Type, learnedName: i.FriendlyName,
		learnedSource: i.SourceResourceID, learnedPolicy: i.PolicyID,
	}
}

// itemVault returns the vault of the item that an earlier step found.
func itemVault(c step.Call) (resourceid.VaultID, error) {
	id, err := recoveryservices.ParseItemID(c.Operation.Learned[learnedItem])
	if err != nil {
		return resourceid.VaultID{}, fatal("ItemUnknown", err.Error())
	}
	return id.Vault, nil
}

// datasource returns the resource ID of what is protected.
func datasource(c step.Call) string {
	if id := c.Operation.Learned[learnedExcluded]; id != "" {
		return id
	}
	return c.Operation.Learned[learnedSource]
}
