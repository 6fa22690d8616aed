package flow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/schema"
)

// The setting AZBACKUPFLOW_RESTORE_TARGETS lists restore targets of every kind.
// The resource type of an entry is its kind: an entry for a storage account
// allows its file shares and nothing in its resource group; an entry for a
// resource group allows the machines and disks that a restore creates there, and
// nothing that exists.

const (
	machineType        = "Microsoft.Compute/virtualMachines"
	networkType        = "Microsoft.Network/virtualNetworks"
	resourceGroupType  = "Microsoft.Resources/resourceGroups"
	wantMachine        = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
	wantNetwork        = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}"
	wantResourceGroup  = "/subscriptions/{id}/resourceGroups/{name}"
	notAnAllowedTarget = "is not an allowed restore target"
)

// allowsResource reports whether the list has an entry for this very resource.
func (g Guardrails) allowsResource(id string) bool {
	return id != "" && slices.ContainsFunc(g.RestoreTargets, func(target string) bool {
		return sameASCII(strings.TrimRight(strings.TrimSpace(target), "/"), strings.TrimRight(id, "/"))
	})
}

// allowsShare reports whether a restore may write to a file share: the list names
// it, or its storage account.
func (g Guardrails) allowsShare(account, share string) bool {
	return g.allowsResource(account) || g.allowsResource(shareResource(account, share))
}

// allowsGroup reports whether a restore may create resources in a resource group.
func (g Guardrails) allowsGroup(id string) bool { return g.allowsResource(id) }

// allowsNetwork reports whether a restored machine may be connected to a virtual
// network: the list names it, or its resource group.
func (g Guardrails) allowsNetwork(id string) bool {
	return g.allowsResource(id) || g.allowsResource(groupOf(id))
}

// groupOf returns the ID of the resource group of a resource.
func groupOf(id string) string {
	group, _, found := strings.Cut(strings.ToLower(id), "/providers/")
	if !found {
		return ""
	}
	return group
}

// sameASCII compares resource IDs without regard to the casing of ASCII letters.
// Unicode has letters that fold to ASCII ones, such as the Kelvin sign; Azure
// does not treat them as equal.
func sameASCII(a, b string) bool { return lowerASCII(a) == lowerASCII(b) }

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// Names that a restore composes into resource IDs. Azure's rules are stricter.
const (
	machineNamePattern = `[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?`
	subnetNamePattern  = `[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?`
)

var (
	machineName = regexp.MustCompile(schema.Whole(machineNamePattern))
	subnetName  = regexp.MustCompile(schema.Whole(subnetNamePattern))
)

// resource checks the resource ID of a resource of a type that is deployed in a
// resource group, and reports whether it is one.
func (c *checks) resource(field, id, resourceType, what, want string) bool {
	if id == "" {
		c.add(field, "is missing", want)
		return false
	}
	parsed, err := resourceid.Parse(id)
	if err != nil || parsed.SubscriptionID == "" || parsed.ResourceGroupName == "" || !strings.EqualFold(parsed.ResourceType.String(), resourceType) {
		c.add(field, fmt.Sprintf("%q is not the resource ID of a %s", id, what), want)
		return false
	}
	return true
}

// machine checks the resource ID of a virtual machine.
func (c *checks) machine(field, id string) bool {
	return c.resource(field, id, machineType, "virtual machine", wantMachine)
}

func machineRule() schema.Object { return schema.Matches(schema.ResourceID(machineType)) }

// resourceGroup checks the resource ID of a resource group.
func (c *checks) resourceGroup(field, id string) bool {
	if id == "" {
		c.add(field, "is missing", wantResourceGroup)
		return false
	}
	parsed, err := resourceid.Parse(id)
	if err != nil || parsed.SubscriptionID == "" || !strings.EqualFold(parsed.ResourceType.String(), resourceGroupType) {
		c.add(field, fmt.Sprintf("%q is not the resource ID of a resource group", id), wantResourceGroup)
		return false
	}
	return true
}

func resourceGroupRule() schema.Object {
	return schema.Matches(schema.ResourceGroupID())
}

// allowed reports a target that the operator does not allow.
func (c *checks) allowed(field, target string, allows bool) {
	if !allows {
		c.add(field, target+" "+notAnAllowedTarget, wantTargets)
	}
}
