package armsim

import (
	"slices"
	"strings"
	"time"
)

// machine is a virtual machine in its current state.
type machine struct {
	VirtualMachine
	databases []*database
}

// database is a database of a machine, protected or not.
type database struct {
	kind           workload
	instance, name string
}

// itemName returns the name of the database's item, in the spelling of the lists
// of protectable items.
func (d *database) itemName() string {
	return strings.ToLower(d.kind.names().workloadType + ";" + d.instance + ";" + d.name)
}

// ID returns the ARM ID of the virtual machine.
func (m VirtualMachine) ID() string { return machineID(m.Subscription, m.ResourceGroup, m.Name) }

func (w *world) machine(id string) *machine {
	for _, m := range w.machines {
		if sameID(m.ID(), id) {
			return m
		}
	}
	return nil
}

// addMachineAt adds a virtual machine that a restore has created.
func (w *world) addMachineAt(id, location string) {
	parts := strings.Split(id, "/")
	if len(parts) < 9 {
		return
	}
	w.machines = append(w.machines, &machine{VirtualMachine: VirtualMachine{Subscription: parts[2], ResourceGroup: parts[4], Name: parts[8], Location: location}})
}

// addSeededMachine adds a virtual machine of the seed with its databases.
func (w *world) addSeededMachine(seed VirtualMachine) *machine {
	m := &machine{VirtualMachine: seed}
	for _, s := range seed.Servers {
		kind := sqlDatabase
		if strings.EqualFold(s.Type, hanaDatabase.names().workloadType) {
			kind = hanaDatabase
		}
		for _, name := range s.Databases {
			m.databases = append(m.databases, &database{kind: kind, instance: s.Instance, name: name})
		}
	}
	w.machines = append(w.machines, m)
	return m
}

// machineContainer returns the container of a discovered virtual machine that the
// vault does not protect, by its name. It is not in the lists of the vault.
func (v *vault) machineContainer(name string) *container {
	for m := range v.discoveredMachines {
		c := v.containerOf(m)
		if strings.EqualFold(c.name, name) {
			return c
		}
	}
	return nil
}

func (v *vault) containerOf(m *machine) *container {
	name := "IaasVMContainer;iaasvmcontainerv2;" + m.ResourceGroup + ";" + m.Name
	return &container{
		vault: v, workload: virtualMachine, friendly: m.Name, name: name, itemsName: name, sourceID: m.ID(), machine: m,
	}
}

// protects reports whether the vault protects the virtual machine.
func (v *vault) protects(m *machine) bool {
	return slices.ContainsFunc(v.containers, func(k *container) bool {
		return k.workload == virtualMachine && sameID(k.sourceID, m.ID()) && len(k.items) > 0
	})
}

// protectMachine protects the virtual machine of a container, or changes its
// policy.
func (k *container) protectMachine(policy string) {
	if known := k.vault.container(k.name); known != nil && len(known.items) > 0 {
		known.items[0].resume(policy)
		return
	}
	tail := strings.TrimPrefix(k.name, "IaasVMContainer;")
	k.items = append(k.items, &item{
		container: k, name: "VM;" + tail, friendly: k.friendly, policy: policy, workload: virtualMachine,
		state: stateFirstBackupPending, lastStatus: stateFirstBackupPending,
	})
	if !slices.Contains(k.vault.containers, k) {
		k.vault.containers = append(k.vault.containers, k)
	}
}

// serverContainerName returns the name of the container of a database server.
func serverContainerName(m *machine) string {
	return "VMAppContainer;Compute;" + m.ResourceGroup + ";" + m.Name
}

// registerServer returns the container of a database server, and creates it if
// necessary. Azure inquires it by itself.
func (v *vault) registerServer(m *machine, kind workload) *container {
	k := v.container(serverContainerName(m))
	if k == nil {
		k = &container{
			vault: v, workload: kind, friendly: m.Name, name: serverContainerName(m), itemsName: serverContainerName(m), sourceID: m.ID(), machine: m,
		}
		v.containers = append(v.containers, k)
	}
	k.inquireDatabases()
	return k
}

// inquireDatabases lets the vault know the databases that exist now.
func (k *container) inquireDatabases() {
	if k.machine == nil {
		return
	}
	k.databases = slices.Clone(k.machine.databases)
}

// addRestored adds a database that a restore has made. The vault knows it after
// the next inquiry.
func (k *container) addRestored(name string) {
	instance, database1, _ := strings.Cut(name, "/")
	if k.machine == nil || slices.ContainsFunc(k.machine.databases, func(d *database) bool { return strings.EqualFold(d.name, database1) }) {
		return
	}
	k.machine.databases = append(k.machine.databases, &database{kind: k.workload, instance: instance, name: database1})
}

// database returns the database that an item name stands for, if the vault knows
// it.
func (k *container) database(name string) *database {
	for _, d := range k.databases {
		if strings.EqualFold(d.itemName(), name) {
			return d
		}
	}
	return nil
}

// newDatabaseItem returns the item of a database.
func (k *container) newDatabaseItem(d *database, policy string) *item {
	return &item{
		container: k, name: d.kind.names().workloadType + ";" + d.instance + ";" + d.name, friendly: d.name,
		policy: policy, workload: d.kind, server: k.friendly, parent: d.instance,
		state: stateFirstBackupPending, lastStatus: stateFirstBackupPending,
	}
}

// containerByID returns a registered container by its ARM ID.
func (v *vault) containerByID(id string) *container {
	if !strings.HasPrefix(strings.ToLower(id), strings.ToLower(v.ID())+"/backupfabrics/azure/protectioncontainers/") {
		return nil
	}
	return v.container(lastOf(id))
}

// instances returns the instances of the databases that the vault knows.
func (k *container) instances() []string {
	var all []string
	for _, d := range k.databases {
		if !slices.Contains(all, d.instance) {
			all = append(all, d.instance)
		}
	}
	return all
}

// intent is the auto-protection of an instance.
type intent struct {
	name, itemID, policy string
	container            *container
	instance             string
}

// apply protects the databases of the instance, those that the vault knows.
func (n *intent) apply(time.Time) {
	for _, d := range n.container.databases {
		if strings.EqualFold(d.instance, n.instance) && n.container.item(d.itemName()) == nil {
			n.container.items = append(n.container.items, n.container.newDatabaseItem(d, n.policy))
		}
	}
}
