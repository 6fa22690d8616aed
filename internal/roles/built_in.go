package roles

import (
	"fmt"
	"strings"
)

// StorageAccountBackupContributor returns every action of the built-in role that
// infra/ assigns on storage accounts. Azure requires rights on an account from the
// identity that registers it with a vault, but does not publish which ones, so that
// no custom role can replace this one.
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage#storage-account-backup-contributor
func StorageAccountBackupContributor() []string {
	const storage = "Microsoft.Storage/storageAccounts"
	return []string{
		"Microsoft.Authorization/*/read",
		"Microsoft.Authorization/locks/read",
		"Microsoft.Authorization/locks/write",
		"Microsoft.Authorization/locks/delete",
		"Microsoft.Features/features/read",
		"Microsoft.Features/providers/features/read",
		"Microsoft.Resources/subscriptions/resourceGroups/read",
		"Microsoft.Storage/operations/read",
		storage + "/objectReplicationPolicies/delete",
		storage + "/objectReplicationPolicies/read",
		storage + "/objectReplicationPolicies/write",
		storage + "/objectReplicationPolicies/restorePointMarkers/write",
		storage + "/blobServices/containers/read",
		storage + "/blobServices/containers/write",
		storage + "/blobServices/read",
		storage + "/blobServices/write",
		storage + "/read",
		storage + "/restoreBlobRanges/action",
	}
}

// builtInMarkdown returns the section of docs/roles.md about the built-in role.
func builtInMarkdown() string {
	var b strings.Builder
	b.WriteString("## Storage Account Backup Contributor\n\n")
	b.WriteString("A role of Azure that the deployment assigns on the resource groups of `AZBACKUPFLOW_PROTECTED_RESOURCE_GROUPS`. ")
	b.WriteString("Azure requires rights on a storage account from the identity that registers it with a vault, but does not publish which ones. ")
	b.WriteString("This role cannot read keys or file shares. **It allows more than azbackupflow uses**: it can delete locks, and restore the blobs of an account to an earlier time. ")
	b.WriteString("Name only resource groups whose accounts may be backed up. All its actions:\n\n")
	for _, action := range StorageAccountBackupContributor() {
		fmt.Fprintf(&b, "- `%s`\n", action)
	}
	return b.String()
}
