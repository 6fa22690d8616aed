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

// What steps learn from Azure's answers, by name.
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
)

// share names a file share as a person does.
type share struct {
	vault   resourceid.VaultID
	account string
	name    string
}

// findShare gives the vault's item of a file share; ok is false where the vault
// does not protect it. Shares of several accounts may have one name: only both
// together count.
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

// usable says why an item cannot be backed up as it is; nil if it can.
func usable(i recoveryservices.ProtectedItem) *operation.Error {
	switch {
	case i.SoftDeleted:
		return fatal("ItemSoftDeleted", fmt.Sprintf("%s was deleted from backup and is kept in soft-deleted state", i.FriendlyName),
			"Undelete the item in the vault, or wait until it is purged, then ask again.")
	case i.ProtectionState == recoveryservices.StateProtectionStopped, i.ProtectionState == recoveryservices.StateBackupsSuspended:
		return fatal("ProtectionStopped", fmt.Sprintf("protection of %s was stopped; its backups are kept", i.FriendlyName),
			"Resume protection of the item in the vault, then ask again.")
	}
	return nil
}

// factsOf is what later steps need to know of an item.
func factsOf(i recoveryservices.ProtectedItem) map[string]string {
	return map[string]string{
		learnedItem: i.ID, learnedItemType: i.Type, learnedName: i.FriendlyName,
		learnedSource: i.SourceResourceID, learnedPolicy: i.PolicyID,
	}
}

// itemVault is the vault of the item that was found.
func itemVault(c step.Call) (resourceid.VaultID, error) {
	id, err := recoveryservices.ParseItemID(c.Operation.Learned[learnedItem])
	if err != nil {
		return resourceid.VaultID{}, fatal("ItemUnknown", err.Error())
	}
	return id.Vault, nil
}
