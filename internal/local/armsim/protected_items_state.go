package armsim

import (
	"strings"
	"time"
)

// States of a protected item: recorded right after protection, and in the API
// documents for an item with a backup.
const (
	stateFirstBackupPending = "IRPending"
	stateProtected          = "Protected"
)

// storageContainerName returns the name in lists of containers and protectable
// containers.
func storageContainerName(a *account) string {
	return "StorageContainer;Storage;" + a.ResourceGroup + ";" + a.Name
}

// register returns the container of a storage account, and creates it if
// necessary.
func (v *vault) register(a *account) *container {
	if c := v.container(storageContainerName(a)); c != nil {
		return c
	}
	c := &container{
		vault: v, account: a, workload: fileShare, inquired: map[*share]bool{},
		name: storageContainerName(a),
		// Recorded: the resource group is in lower case here.
		itemsName: "StorageContainer;storage;" + strings.ToLower(a.ResourceGroup) + ";" + a.Name,
		friendly:  a.Name,
		sourceID:  a.ID(),
	}
	a.vault = v
	v.containers = append(v.containers, c)
	return c
}

// protect protects a share, or changes its policy.
func (k *container) protect(s *share, policy string) *item {
	name := "AzureFileShare;" + s.key
	if i := k.item(name); i != nil {
		i.resume(policy)
		return i
	}
	i := &item{
		container: k, name: name, friendly: s.name, policy: policy, workload: fileShare, share: s,
		state: stateFirstBackupPending, lastStatus: stateFirstBackupPending,
	}
	k.items = append(k.items, i)
	return i
}

// backedUp records a completed backup of the item. An item whose protection was
// stopped meanwhile stays stopped.
func (i *item) backedUp(at time.Time) {
	i.lastStatus, i.lastBackup = jobCompleted, at
	if i.state != protectionStopped && i.state != backupsSuspended {
		i.state = stateProtected
	}
}

// backedUpBefore records a completed backup, with its recovery point, of an
// item that exists at the start.
func (i *item) backedUpBefore(start time.Time) {
	i.addPoint(start, "Full")
	i.backedUp(start)
}

func (v *vault) addMachine(m *machine, now time.Time) {
	c := v.containerOf(m)
	c.protectMachine(m.Policy)
	c.items[0].remember(m.Past, now)
}

func (v *vault) addDatabase(d Database, kind workload, now time.Time, w *world) {
	name := "VMAppContainer;Compute;" + d.ResourceGroup + ";" + d.Server
	c := v.container(name)
	if c == nil {
		c = &container{
			vault: v, workload: kind, friendly: d.Server, name: name, itemsName: name,
			sourceID: machineID(d.Subscription, d.ResourceGroup, d.Server),
		}
		v.containers = append(v.containers, c)
	}
	if c.machine = w.machine(c.sourceID); c.machine == nil {
		c.machine = w.addSeededMachine(VirtualMachine{Subscription: d.Subscription, ResourceGroup: d.ResourceGroup, Name: d.Server, Location: v.Location})
	}
	c.machine.databases = append(c.machine.databases, &database{kind: kind, instance: d.Instance, name: d.Name})
	c.inquireDatabases()
	i := &item{
		container: c, name: d.Type + ";" + d.Instance + ";" + d.Name, friendly: d.Name,
		policy: d.Policy, workload: kind, server: d.Server, parent: d.Instance,
	}
	i.backedUpBefore(now)
	c.items = append(c.items, i)
}

func machineID(subscription, group, name string) string {
	return "/subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.Compute/virtualMachines/" + name
}
