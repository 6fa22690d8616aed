package recoveryservices

import (
	"fmt"
	"strings"

	"azbackupflow/internal/arm/resourceid"
)

// ItemID is the resource ID of a protected item.
type ItemID struct {
	Vault     resourceid.VaultID
	Fabric    string
	Container string
	Item      string
}

// names returns the names of a resource below the item, from the vault on.
func (i ItemID) names(more ...string) []string {
	return append([]string{"backupFabrics", i.Fabric, "protectionContainers", i.Container, "protectedItems", i.Item}, more...)
}

// String returns the ID as ARM writes it.
func (i ItemID) String() string {
	return i.Vault.String() + "/backupFabrics/" + i.Fabric + "/protectionContainers/" + i.Container + "/protectedItems/" + i.Item
}

// ParseItemID parses the resource ID of a protected item.
func ParseItemID(id string) (ItemID, error) {
	const want = string(resourceid.RecoveryServicesVault) + "/backupFabrics/protectionContainers/protectedItems"
	r, err := resourceid.Parse(id)
	if err != nil {
		return ItemID{}, err
	}
	if !strings.EqualFold(r.ResourceType.String(), want) {
		return ItemID{}, fmt.Errorf("resource ID has the type %s; want a protected item of a Recovery Services vault (%s)", r.ResourceType, want)
	}
	container := r.Parent
	fabric := container.Parent
	v, err := resourceid.VaultOf(fabric.Parent, resourceid.RecoveryServicesVault)
	if err != nil {
		return ItemID{}, err
	}
	return ItemID{Vault: v, Fabric: fabric.Name, Container: container.Name, Item: r.Name}, nil
}
