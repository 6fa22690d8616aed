package flow

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/schema"
)

// Each check of an ID or a name has a schema rule next to it that accepts the
// same texts.

const (
	recoveryVaultType  = string(resourceid.RecoveryServicesVault)
	backupVaultType    = string(resourceid.BackupVault)
	storageAccountType = "Microsoft.Storage/storageAccounts"

	wantVault          = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{name}"
	wantItem           = wantVault + "/backupFabrics/Azure/protectionContainers/{container}/protectedItems/{item}"
	wantBackupVault    = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.DataProtection/backupVaults/{name}"
	wantStorageAccount = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}"
	wantPolicy         = "the name of a policy of the vault, or its resource ID"
)

// vault checks the resource ID of a Recovery Services vault.
func (c *checks) vault(field, id string) resourceid.VaultID {
	return c.vaultOf(field, id, resourceid.RecoveryServicesVault, wantVault)
}

func vaultRule() schema.Object { return schema.Matches(schema.VaultID(recoveryVaultType)) }

// backupVault checks the resource ID of a Backup vault.
func (c *checks) backupVault(field, id string) resourceid.VaultID {
	return c.vaultOf(field, id, resourceid.BackupVault, wantBackupVault)
}

func backupVaultRule() schema.Object { return schema.Matches(schema.VaultID(backupVaultType)) }

func (c *checks) vaultOf(field, id string, of resourceid.VaultType, want string) resourceid.VaultID {
	if id == "" {
		c.add(field, "is missing", want)
		return resourceid.VaultID{}
	}
	v, err := resourceid.ParseVaultID(id, of)
	if err != nil {
		c.add(field, err.Error(), want)
	}
	return v
}

// storageAccount checks the resource ID of a storage account.
func (c *checks) storageAccount(field, id string) {
	if id == "" {
		c.add(field, "is missing", wantStorageAccount)
		return
	}
	parsed, err := resourceid.Parse(id)
	if err != nil || !strings.EqualFold(parsed.ResourceType.String(), storageAccountType) || parsed.SubscriptionID == "" || parsed.ResourceGroupName == "" {
		c.add(field, fmt.Sprintf("%q is not the resource ID of a storage account", id), wantStorageAccount)
	}
}

func storageAccountRule() schema.Object { return schema.Matches(schema.ResourceID(storageAccountType)) }

// Azure's naming rules for file shares. The rule for policies is wider than any
// that Azure documents: it only keeps a name within its place in the URL.
// https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-shares--directories--files--and-metadata
const (
	sharePattern  = `^[a-z0-9](-?[a-z0-9])+$`
	policyPattern = `[A-Za-z0-9_!][A-Za-z0-9_!.-]{0,149}`
)

var (
	shareName  = regexp.MustCompile(sharePattern)
	policyName = regexp.MustCompile(schema.Whole(policyPattern))
)

func (c *checks) fileShare(field, name string) {
	switch {
	case name == "":
		c.add(field, "is missing", "the file share's name")
	case len(name) < 3 || len(name) > 63 || !shareName.MatchString(name):
		c.add(field, fmt.Sprintf("%q is not the name of a file share", name), "3 to 63 lower-case letters, digits and single hyphens")
	}
}

func fileShareRule() schema.Object {
	return schema.Object{"minLength": 3, "maxLength": 63, "pattern": sharePattern}
}

// policy checks a policy of a Recovery Services vault, which is named by its name
// or by its resource ID, and returns its name.
func (c *checks) policy(field, value string, vault resourceid.VaultID) string {
	name, ok := c.policyNameIn(field, value, vault, resourceid.RecoveryServicesVault, wantVault)
	if ok && !policyName.MatchString(name) {
		c.add(field, fmt.Sprintf("%q is not the name of a policy", name), "1 to 150 letters, digits and the characters -_!.")
	}
	return name
}

func policyRule() schema.Object {
	return schema.Matches(policyPattern, schema.VaultID(recoveryVaultType)+"/"+schema.Fold("backupPolicies")+"/"+policyPattern)
}

// backupPolicy checks a policy of a Backup vault, which is named by its name or
// by its resource ID, and returns its name.
func (c *checks) backupPolicy(field, value string, vault resourceid.VaultID) string {
	name, _ := c.policyNameIn(field, value, vault, resourceid.BackupVault, wantBackupVault)
	return name
}

func backupPolicyRule() schema.Object {
	return schema.Matches(`[^/][\s\S]*`, schema.VaultID(backupVaultType)+"/"+schema.Fold("backupPolicies")+`/[\s\S]*`)
}

// policyNameIn returns the name of a policy; ok is false if the value cannot be
// read.
func (c *checks) policyNameIn(field, value string, vault resourceid.VaultID, of resourceid.VaultType, vaultForm string) (name string, ok bool) {
	if value == "" {
		c.add(field, "is missing", wantPolicy)
		return "", false
	}
	if !strings.HasPrefix(value, "/") {
		return value, true
	}
	head, last, found := cutLastFold(value, "/backupPolicies/")
	parent, err := resourceid.ParseVaultID(head, of)
	if !found || err != nil {
		c.add(field, fmt.Sprintf("%q is not the resource ID of a backup policy", value), vaultForm+"/backupPolicies/{policy}")
		return "", false
	}
	// An invalid vault is reported once, in its own field.
	if vault != (resourceid.VaultID{}) && !parent.Equal(vault) {
		c.add(field, fmt.Sprintf("belongs to vault %s", parent.Name), "a policy of the vault in vaultId")
	}
	return last, true
}

func cutLastFold(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(strings.ToLower(s), strings.ToLower(sep))
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// instance checks the resource ID of a backup instance.
func (c *checks) instance(field, id string) {
	want := wantBackupVault + "/backupInstances/{name}"
	if id == "" {
		c.add(field, "is missing", want)
		return
	}
	if _, err := dataprotection.ParseInstanceID(id); err != nil {
		c.add(field, err.Error(), want)
	}
}

func instanceRule() schema.Object {
	return schema.Matches(schema.VaultID(backupVaultType, "backupInstances"))
}

func itemRule() schema.Object {
	return schema.Matches(schema.VaultID(recoveryVaultType, "backupFabrics", "protectionContainers", "protectedItems"))
}

// wantResource returns the form of the resource ID of a type with one name.
func wantResource(resourceType string) string {
	return "/subscriptions/{id}/resourceGroups/{group}/providers/" + resourceType + "/{name}"
}

// server checks the resource ID of a PostgreSQL server of one of the types.
func (c *checks) server(field, id string, types ...string) {
	want := "/subscriptions/{id}/resourceGroups/{group}/providers/" + types[0] + "/{name}"
	if id == "" {
		c.add(field, "is missing", want)
		return
	}
	parsed, err := resourceid.Parse(id)
	if err == nil && parsed.SubscriptionID != "" && parsed.ResourceGroupName != "" {
		for _, t := range types {
			if strings.EqualFold(parsed.ResourceType.String(), t) {
				return
			}
		}
	}
	problem := fmt.Sprintf("%q is not the resource ID of a %s", id, strings.Join(types, " or "))
	if err == nil && strings.EqualFold(parsed.ResourceType.String(), singleServerType) {
		problem += "; Azure has retired single servers"
		want += " of a flexible server to which the single server was migrated; its old backups can be restored with restore-postgres"
	}
	c.add(field, problem, want)
}

func serverRule(types ...string) schema.Object {
	patterns := make([]string, len(types))
	for i, t := range types {
		patterns[i] = schema.ResourceID(t)
	}
	return schema.Matches(patterns...)
}

// expiry checks the time after which a recovery point may be deleted.
func (c *checks) expiry(field string, at *time.Time, now time.Time) {
	if at != nil && !at.After(now) {
		c.add(field, fmt.Sprintf("%s has passed", at.UTC().Format(time.RFC3339)), "a time in the future, such as "+now.Add(30*24*time.Hour).UTC().Format(time.RFC3339))
	}
}
