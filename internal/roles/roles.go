package roles

import (
	"fmt"
	"slices"
	"strings"
)

// Role is one of the app's custom roles.
type Role string

// The roles, from the weakest to the most powerful.
const (
	// Read is required by every operation.
	Read Role = "read"
	// Status is required by every operation on a Backup vault, on the
	// subscription, where Azure keeps the status of its operations. It is a
	// separate role, so that Read need not be assigned there.
	Status Role = "status"
	// Backup starts backups, and cancels them.
	Backup Role = "backup"
	// Protect starts, stops and resumes protection.
	Protect Role = "protect"
	// VirtualMachines changes the protection of virtual machines, for which Azure
	// requires that the app may change the machines. The deployment assigns it only
	// on request.
	VirtualMachines Role = "virtual-machines"
	// Datasources reads the resources that rules of automatic protection match, other
	// than storage accounts and PostgreSQL servers. The deployment assigns it only on
	// request.
	Datasources Role = "datasources"
	// Delete restores and deletes: it can overwrite and lose data. The deployment
	// assigns it only on request.
	Delete Role = "restore-and-delete"
	// Drill makes and deletes the places of restore drills. It is assigned on drill
	// targets only, and the deployment assigns it only on request.
	Drill Role = "drill"
)

// All returns the roles, the weakest first.
func All() []Role {
	return []Role{Read, Status, Backup, Protect, VirtualMachines, Datasources, Delete, Drill}
}

// Weaker reports whether the role comes before the other in All.
func (r Role) Weaker(than Role) bool { return slices.Index(All(), r) < slices.Index(All(), than) }

// Name returns the role's name in Azure.
func (r Role) Name() string {
	switch r {
	case Read:
		return "azbackupflow Reader"
	case Status:
		return "azbackupflow Operation Status Reader"
	case Backup:
		return "azbackupflow Backup Operator"
	case Protect:
		return "azbackupflow Protection Operator"
	case VirtualMachines:
		return "azbackupflow Virtual Machine Operator"
	case Datasources:
		return "azbackupflow Datasource Reader"
	case Delete:
		return "azbackupflow Restore and Delete Operator"
	case Drill:
		return "azbackupflow Drill Operator"
	}
	return string(r)
}

// Description returns the purpose of the role, in one sentence.
func (r Role) Description() string {
	switch r {
	case Read:
		return "Reads vaults, protected items, jobs and the resources that they belong to; changes nothing."
	case Status:
		return "Follows the operations of Backup vaults, whose status Azure keeps by subscription and region; changes nothing."
	case Backup:
		return "Starts on-demand backups and cancels backup jobs."
	case Protect:
		return "Registers storage accounts, and starts, stops and resumes protection; deletes no backup."
	case VirtualMachines:
		return "Changes virtual machines, which Azure requires for protecting them and their databases."
	case Datasources:
		return "Reads managed disks, AKS clusters and MySQL servers, which rules of automatic protection match; changes nothing."
	case Delete:
		return "Restores from backups and deletes backups."
	case Drill:
		return "Creates and deletes file shares, blob containers and disks for restore drills; assigned on drill targets only."
	}
	return ""
}

// Scope returns the resources that the role is assigned on.
func (r Role) Scope() string {
	switch r {
	case Status:
		return "the subscription of each Backup vault"
	case Read:
		return "each vault, the resources that it backs up, and the app's own Service Bus namespace; or their resource groups"
	case VirtualMachines:
		return "the virtual machines or their resource groups, only on request"
	case Datasources:
		return "the managed disks, AKS clusters and MySQL servers, or their resource groups, only on request"
	case Delete:
		return "each vault or its resource group, only on request"
	case Drill:
		return "each storage account or resource group for drills, only on request"
	case Backup, Protect:
	}
	return "each vault or its resource group"
}

// Permissions returns the permissions that the role grants.
func (r Role) Permissions() []Permission {
	return r.permissionsIn(Table())
}

func (r Role) permissionsIn(table []Permission) []Permission {
	var all []Permission
	for _, p := range table {
		if p.Role == r {
			all = append(all, p)
		}
	}
	return all
}

// Find returns the permission for an action, in any casing.
func Find(action string) (Permission, bool) {
	for _, p := range Table() {
		if strings.EqualFold(p.Action, action) {
			return p, true
		}
	}
	return Permission{}, false
}

// ReadOn returns the kind of resource that an ARM type is, if the app reads
// resources of that type.
func ReadOn(resourceType string) (on Resource, ok bool) {
	p, ok := Find(resourceType + "/read")
	return p.On, ok
}

// FindCall returns the catalog's permission that an API operation requires, without
// its role.
func FindCall(call string) (Permission, bool) {
	for _, p := range Catalog() {
		if slices.Contains(p.Calls, call) {
			return p, true
		}
	}
	return Permission{}, false
}

// Grant holds what one role assignment allows, as ARM's permissions API returns
// it: patterns in which * matches any text. A grant allows an action that matches
// one of its actions and none of its notActions.
// https://learn.microsoft.com/rest/api/authorization/permissions
type Grant struct {
	Actions    []string `json:"actions"`
	NotActions []string `json:"notActions"`
}

// Allows reports whether one of the grants allows the action.
func Allows(grants []Grant, action string) bool {
	matches := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return match(strings.ToLower(p), strings.ToLower(action)) })
	}
	return slices.ContainsFunc(grants, func(g Grant) bool { return matches(g.Actions) && !matches(g.NotActions) })
}

// match reports whether s matches a pattern in which * matches any text.
func match(pattern, s string) bool {
	head, tail, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	rest, ok := strings.CutPrefix(s, head)
	if !ok {
		return false
	}
	for i := range len(rest) + 1 {
		if match(tail, rest[i:]) {
			return true
		}
	}
	return false
}

// Assignment returns a recommended action: which role to assign on which resource.
func (p Permission) Assignment(scope string) string {
	return fmt.Sprintf("Assign the function app's managed identity the role %q, or another that allows %s, on %s.", p.Role.Name(), p.Action, scope)
}
