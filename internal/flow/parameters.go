package flow

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/step"
)

// checks collects what is wrong with a flow's parameters.
type checks struct{ wrong []step.FieldError }

func (c *checks) add(field, problem, want string) {
	c.wrong = append(c.wrong, step.FieldError{Field: step.Join("parameters", field), Problem: problem, Want: want})
}

// done gives the parameters in their normal form, and beside them all that is
// wrong: a repeat of a request that was right once is known by its parameters.
func (c *checks) done(parameters any) (json.RawMessage, error) {
	raw, err := json.Marshal(parameters)
	if err != nil {
		return nil, fmt.Errorf("write parameters: %w", err)
	}
	if len(c.wrong) > 0 {
		return raw, &step.Invalid{Fields: c.wrong}
	}
	return raw, nil
}

const wantVault = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{name}"

// vault checks the resource id of a Recovery Services vault.
func (c *checks) vault(field, id string) resourceid.VaultID {
	if id == "" {
		c.add(field, "is missing", wantVault)
		return resourceid.VaultID{}
	}
	v, err := resourceid.ParseVaultID(id, resourceid.RecoveryServicesVault)
	if err != nil {
		c.add(field, err.Error(), wantVault)
	}
	return v
}

const wantStorageAccount = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}"

// storageAccount checks the resource id of a storage account.
func (c *checks) storageAccount(field, id string) {
	if id == "" {
		c.add(field, "is missing", wantStorageAccount)
		return
	}
	parsed, err := resourceid.Parse(id)
	if err != nil || !strings.EqualFold(parsed.ResourceType.String(), "Microsoft.Storage/storageAccounts") || parsed.SubscriptionID == "" || parsed.ResourceGroupName == "" {
		c.add(field, fmt.Sprintf("%q is not the resource id of a storage account", id), wantStorageAccount)
	}
}

// Azure's naming rules for file shares and backup policies.
// https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-shares--directories--files--and-metadata
var (
	shareName  = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])+$`)                  //nolint:gochecknoglobals // a compiled constant
	policyName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{1,148}[A-Za-z0-9]$`) //nolint:gochecknoglobals // a compiled constant
)

func (c *checks) fileShare(field, name string) {
	switch {
	case name == "":
		c.add(field, "is missing", "the file share's name")
	case len(name) < 3 || len(name) > 63 || !shareName.MatchString(name):
		c.add(field, fmt.Sprintf("%q is not a file share's name", name), "3 to 63 lower-case letters, digits and single hyphens")
	}
}

// policy checks a policy given by name or by id, which must belong to the
// vault, and gives its name.
func (c *checks) policy(field, value string, vault resourceid.VaultID) string {
	want := "the name of a policy of the vault, or its resource id"
	if value == "" {
		c.add(field, "is missing", want)
		return ""
	}
	name := value
	if strings.HasPrefix(value, "/") {
		head, last, found := cutLastFold(value, "/backupPolicies/")
		parent, err := resourceid.ParseVaultID(head, resourceid.RecoveryServicesVault)
		if !found || err != nil {
			c.add(field, fmt.Sprintf("%q is not the resource id of a backup policy", value), wantVault+"/backupPolicies/{policy}")
			return ""
		}
		// A vault that cannot be read is told once, in its own field.
		if vault != (resourceid.VaultID{}) && !parent.Equal(vault) {
			c.add(field, fmt.Sprintf("belongs to vault %s", parent.Name), "a policy of the vault in vaultId")
		}
		name = last
	}
	if !policyName.MatchString(name) {
		c.add(field, fmt.Sprintf("%q is not a policy's name", name), "3 to 150 letters, digits and hyphens, a letter first")
	}
	return name
}

func cutLastFold(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(strings.ToLower(s), strings.ToLower(sep))
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// expiry checks when a recovery point may be deleted.
func (c *checks) expiry(field string, at *time.Time, now time.Time) {
	if at != nil && !at.After(now) {
		c.add(field, fmt.Sprintf("%s has passed", at.UTC().Format(time.RFC3339)), "a time in the future, such as "+now.Add(30*24*time.Hour).UTC().Format(time.RFC3339))
	}
}
