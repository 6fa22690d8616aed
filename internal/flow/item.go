package flow

import (
	"context"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
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
	items, err := a.recoveryServices(c).FindProtectedFileShares(ctx, s.vault, s.name)
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
	if azerr.IsNotFound(err) {
		return item, fatal(codeNotProtected, "protected item not found in the vault: "+id,
			"Check parameters.itemId: `az backup item list` lists the vault's items with their IDs.")
	}
	return item, err
}

// rejectedItem returns the error of a flow whose treatment of the item's state
// is reject; nil for other treatments.
func rejectedItem(i recoveryservices.ProtectedItem, by treatment, now time.Time) *operation.Error {
	switch {
	case by != reject:
		return nil
	case i.SoftDeleted:
		return itemSoftDeleted(i, now)
	case i.ProtectionState == recoveryservices.StateBackupsSuspended:
		return backupsSuspended(i.FriendlyName)
	}
	return protectionStopped(i.FriendlyName)
}

// itemSoftDeleted returns the error of a soft-deleted item.
func itemSoftDeleted(i recoveryservices.ProtectedItem, now time.Time) *operation.Error {
	undelete := "Undelete the item: `az backup protection undelete`."
	if id, err := recoveryservices.ParseItemID(i.ID); err == nil {
		undelete = fmt.Sprintf("Undelete the item: `az backup protection undelete --vault-name %s --resource-group %s --container-name %q --item-name %q --backup-management-type %s`.",
			id.Vault.Name, id.Vault.ResourceGroup, id.Container, id.Item, i.BackupManagementType)
	}
	return fatal("ItemSoftDeleted", i.FriendlyName+" was deleted from backup and is soft-deleted"+purgedOn(purgeOf(i, now)),
		undelete, "Then resume its protection with the flow resume-protection, and send the request again.")
}

// purgeOf returns when Azure purges a soft-deleted item; zero if that is unknown.
func purgeOf(i recoveryservices.ProtectedItem, now time.Time) time.Time {
	if i.PurgedAfter <= 0 {
		return time.Time{}
	}
	return now.Add(i.PurgedAfter)
}

// purgedOn returns the end of a message about something soft-deleted.
func purgedOn(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return "; Azure purges its backups on " + at.UTC().Format(time.DateOnly)
}

func protectionStopped(name string) *operation.Error {
	return fatal("ProtectionStopped", "protection of "+name+" was stopped; its backups are kept",
		"Resume protection with the flow resume-protection. Then send the request again.")
}

func backupsSuspended(name string) *operation.Error {
	return fatal("BackupsSuspended", "the backups of "+name+" are suspended; existing backups expire by the policy",
		"Resume protection with the flow resume-protection. Then send the request again.")
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
