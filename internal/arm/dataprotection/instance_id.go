package dataprotection

import (
	"fmt"
	"strings"

	"azbackupflow/internal/arm/resourceid"
)

// InstanceID is the resource ID of a backup instance.
type InstanceID struct {
	Vault resourceid.VaultID
	Name  string
}

// String returns the ID as ARM writes it.
func (i InstanceID) String() string { return i.Vault.String() + "/backupInstances/" + i.Name }

// Equal reports whether two IDs name the same backup instance, in any casing.
func (i InstanceID) Equal(other InstanceID) bool {
	return resourceid.Equal(i.String(), other.String())
}

// ParseInstanceID parses the resource ID of a backup instance. It rejects the
// form without backupVaults/ that Learn's page shows.
func ParseInstanceID(id string) (InstanceID, error) {
	const want = string(resourceid.BackupVault) + "/backupInstances"
	r, err := resourceid.Parse(id)
	if err != nil {
		return InstanceID{}, err
	}
	if !strings.EqualFold(r.ResourceType.String(), want) {
		return InstanceID{}, fmt.Errorf("resource ID has the type %s; want a backup instance of a Backup vault (%s)", r.ResourceType, want)
	}
	v, err := resourceid.VaultOf(r.Parent, resourceid.BackupVault)
	if err != nil {
		return InstanceID{}, err
	}
	return InstanceID{Vault: v, Name: r.Name}, nil
}

// names returns the names of a resource below the instance, from the vault on.
func (i InstanceID) names(more ...string) []string {
	return append([]string{"backupInstances", i.Name}, more...)
}
