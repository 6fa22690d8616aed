package armsim

import (
	"net/http"
	"strings"
	"time"
)

// listProtectableItems answers GET backupProtectableItems: the unprotected
// shares of registered accounts that the last inquire found, the unprotected
// machines that the last refresh found, and the instances and unprotected
// databases of registered servers. A protected one is not in the list: in the
// recordings, the list of a vault without protected items is empty or has only
// NotProtected items.
func (s *Simulator) listProtectableItems(c *call) (answer, *armError) {
	f, err := parseFilter(c, "backupManagementType", "workloadType", "containerName", "friendlyName", "status")
	if err != nil {
		return answer{}, err
	}
	found := c.vault.protectableShares(f)
	found = append(found, c.vault.protectableMachines(f)...)
	found = append(found, c.vault.protectableDatabases(f)...)
	return page(s, c, found, func(entry map[string]any) map[string]any { return entry })
}

// fits reports whether a kind of workload passes the filter.
func (f filter) fits(kind workload) bool {
	names := kind.names()
	return f.is("backupManagementType", names.managementType) && f.is("workloadType", names.workloadType) && f.is("status", "NotProtected")
}

func (v *vault) protectableShares(f filter) (found []map[string]any) {
	for _, k := range v.containers {
		if k.account == nil || !f.is("containerName", k.name) || !f.fits(fileShare) {
			continue
		}
		for _, sh := range k.account.shares {
			if k.inquired[sh] && k.item("AzureFileShare;"+sh.key) == nil && f.is("friendlyName", sh.name) {
				found = append(found, k.protectable(sh))
			}
		}
	}
	return found
}

// protectable returns a share as an entry of the list of protectable items.
// Recorded: container and item are in lower case here.
func (k *container) protectable(sh *share) map[string]any {
	names := fileShare.names()
	name := "azurefileshare;" + sh.key
	parent := "storagecontainer;storage;" + strings.ToLower(k.account.ResourceGroup) + ";" + k.account.Name
	return protectableEntry(k.vault, parent, name, name, map[string]any{
		"parentContainerFabricId": k.account.ID(), "parentContainerFriendlyName": k.account.Name,
		"azureFileShareType": "XSMB", "backupManagementType": names.managementType,
		"workloadType": names.workloadType, "protectableItemType": names.workloadType,
		"friendlyName": sh.name, "protectionState": "NotProtected",
	})
}

func protectableEntry(v *vault, container, item, name string, properties map[string]any) map[string]any {
	return map[string]any{
		"id":   v.ID() + "/backupFabrics/Azure/protectionContainers/" + container + "/protectableItems/" + item,
		"name": name, "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectableItems",
		"properties": properties,
	}
}

// protectableMachines returns the discovered machines that no vault protects.
// Recorded: the name lacks the prefix vm; of the ID.
func (v *vault) protectableMachines(f filter) (found []map[string]any) {
	if !f.fits(virtualMachine) {
		return nil
	}
	for m := range v.discoveredMachines {
		if v.protects(m) || m.ProtectedElsewhere != "" || !f.is("friendlyName", m.Name) {
			continue
		}
		tail := "iaasvmcontainerv2;" + strings.ToLower(m.ResourceGroup) + ";" + strings.ToLower(m.Name)
		found = append(found, protectableEntry(v, "IaasVMContainer;"+tail, "vm;"+tail, tail, map[string]any{
			"virtualMachineId": m.ID(), "virtualMachineVersion": "Compute", "resourceGroup": m.ResourceGroup,
			"backupManagementType": "AzureIaasVM", "protectableItemType": "Microsoft.Compute/virtualMachines",
			"friendlyName": m.Name, "protectionState": "NotProtected",
		}))
	}
	return found
}

// protectableDatabases returns instances and databases. Recorded: the workload
// type is SQL or SAPHana, not the word of the filter.
func (v *vault) protectableDatabases(f filter) (found []map[string]any) {
	for _, k := range v.containers {
		if !f.fits(k.workload) || k.workload != sqlDatabase && k.workload != hanaDatabase {
			continue
		}
		container := strings.ToLower(k.name)
		for _, instance := range k.instances() {
			kind := map[workload]string{sqlDatabase: "SQLInstance", hanaDatabase: "SAPHanaSystem"}[k.workload]
			name := strings.ToLower(kind + ";" + instance)
			found = append(found, protectableEntry(v, container, name, name, k.databaseEntry(instance, instance, kind, k.workload == sqlDatabase)))
		}
		for _, d := range k.databases {
			if k.item(d.itemName()) == nil {
				found = append(found, protectableEntry(v, container, d.itemName(), d.itemName(), k.databaseEntry(d.name, d.instance, k.workload.names().workloadType, false)))
			}
		}
	}
	return found
}

func (k *container) databaseEntry(name, instance, kind string, autoProtectable bool) map[string]any {
	family := "SQL"
	if k.workload == hanaDatabase {
		family = "SAPHana"
	}
	return map[string]any{
		"parentName": instance, "serverName": k.friendly, "isAutoProtectable": autoProtectable, "isAutoProtected": k.vault.autoProtects(k, instance),
		"prebackupvalidation": map[string]any{"status": "Success", "code": "Success"}, "IsProtectable": true,
		"backupManagementType": "AzureWorkload", "workloadType": family, "protectableItemType": kind,
		"friendlyName": name, "protectionState": "NotProtected",
	}
}

func (v *vault) autoProtects(k *container, instance string) bool {
	for _, n := range v.intents {
		if n.container == k && strings.EqualFold(n.instance, instance) {
			return true
		}
	}
	return false
}

// listWorkloadItems answers GET {container}/items: the SQL Server instances with
// their directories.
func (s *Simulator) listWorkloadItems(c *call) (answer, *armError) {
	f, err := parseFilter(c, "backupManagementType", "workloadItemType", "workloadType")
	if err != nil {
		return answer{}, err
	}
	k := c.vault.container(c.path.names[2])
	if k == nil {
		return answer{}, invalidInput("containerName", "the container %q is not registered with the vault", c.path.names[2])
	}
	var found []string
	if k.workload == sqlDatabase && f.is("workloadItemType", "SQLInstance") {
		found = k.instances()
	}
	return page(s, c, found, func(instance string) map[string]any {
		return map[string]any{
			"id":   k.vault.ID() + "/backupFabrics/Azure/protectionContainers/" + k.name + "/protectableItems/SQLInstance;" + instance,
			"name": "SQLInstance;" + instance, "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/items",
			"properties": map[string]any{
				"dataDirectoryPaths": []any{
					map[string]any{"type": "Data", "path": dataDirectory(instance)}, map[string]any{"type": "Log", "path": dataDirectory(instance)},
				},
				"parentName": instance, "serverName": k.friendly, "isAutoProtectable": true, "subWorkloadItemCount": len(k.databases),
				"backupManagementType": "AzureWorkload", "workloadType": "SQL", "workloadItemType": "SQLInstance",
				"friendlyName": instance, "protectionState": "NotProtected",
			},
		}
	})
}

func dataDirectory(instance string) string {
	return `C:\Program Files\Microsoft SQL Server\MSSQL14.` + instance + `\MSSQL\DATA\`
}

// autoProtect answers PUT backupProtectionIntent/{n} with 200 at once.
func (s *Simulator) autoProtect(c *call) (answer, *armError) {
	var b struct {
		Properties *struct{ ProtectionIntentItemType, BackupManagementType, ItemID, PolicyID string } `json:"properties"`
	}
	if err := c.decode(&b); err != nil {
		return answer{}, err
	}
	p := b.Properties
	if p == nil || p.ProtectionIntentItemType != "RecoveryServiceVaultItem" {
		return answer{}, invalidInput("properties.protectionIntentItemType", "it is not RecoveryServiceVaultItem")
	}
	for _, k := range c.vault.containers {
		for _, instance := range k.instances() {
			kind := map[workload]string{sqlDatabase: "sqlinstance", hanaDatabase: "saphanasystem"}[k.workload]
			id := c.vault.ID() + "/backupFabrics/Azure/protectionContainers/" + k.name + "/protectableItems/" + kind + ";" + instance
			if !sameID(id, p.ItemID) {
				continue
			}
			policy := c.vault.policy(lastOf(p.PolicyID))
			if policy == nil {
				return answer{}, invalidInput("properties.policyId", "the vault has no policy %q", p.PolicyID)
			}
			n := c.vault.intent(c.path.names[2])
			if n == nil {
				n = &intent{name: c.path.names[2]}
				c.vault.intents = append(c.vault.intents, n)
			}
			n.itemID, n.policy, n.container, n.instance = p.ItemID, policy.Name, k, instance
			s.world.events.at(c.now.Add(s.scaled(s.config.Durations.Protect)), n.apply)
			return jsonAnswer(http.StatusOK, n.view(c.vault)), nil
		}
	}
	return answer{}, invalidInput("properties.itemId", "there is no instance %q", p.ItemID)
}

func (v *vault) intent(name string) *intent {
	for _, n := range v.intents {
		if strings.EqualFold(n.name, name) {
			return n
		}
	}
	return nil
}

func (n *intent) view(v *vault) map[string]any {
	return map[string]any{
		"id": v.ID() + "/backupFabrics/Azure/backupProtectionIntent/" + n.name, "name": n.name,
		"type": "Microsoft.RecoveryServices/vaults/backupFabrics/backupProtectionIntent",
		"properties": map[string]any{
			"protectionIntentItemType": "RecoveryServiceVaultItem", "backupManagementType": "AzureWorkload",
			"itemId": n.itemID, "policyId": v.policyID(n.policy), "protectionState": "Protected",
		},
	}
}

// listIntents answers GET backupProtectionIntents.
func (s *Simulator) listIntents(c *call) (answer, *armError) {
	if _, err := parseFilter(c, "backupManagementType", "itemType", "itemName", "parentName"); err != nil {
		return answer{}, err
	}
	return page(s, c, c.vault.intents, func(n *intent) map[string]any { return n.view(c.vault) })
}

// backupStatus answers POST locations/{l}/backupStatus.
func (s *Simulator) backupStatus(c *call) (answer, *armError) {
	var b struct{ ResourceType, ResourceID string }
	if err := c.decode(&b); err != nil {
		return answer{}, err
	}
	status := map[string]any{"protectionStatus": "NotProtected", "vaultId": "", "policyName": ""}
	if m := s.world.machine(b.ResourceID); m != nil && m.ProtectedElsewhere != "" {
		status = map[string]any{"protectionStatus": "Protected", "vaultId": m.ProtectedElsewhere, "policyName": "otherpolicy"}
	}
	for _, v := range s.world.vaults {
		for _, k := range v.containers {
			if k.workload == virtualMachine && sameID(k.sourceID, b.ResourceID) && len(k.items) > 0 {
				status = map[string]any{"protectionStatus": "Protected", "vaultId": v.ID(), "policyName": k.items[0].policy}
			}
		}
	}
	return jsonAnswer(http.StatusOK, status), nil
}

// readMachine answers GET Microsoft.Compute/virtualMachines/{m}.
func (s *Simulator) readMachine(c *call) (answer, *armError) {
	m := s.world.machine(c.path.parentID())
	if m == nil {
		return answer{}, c.notFound(1)
	}
	return jsonAnswer(http.StatusOK, m.view()), nil
}

// listMachines answers GET Microsoft.Compute/virtualMachines of a subscription.
func (s *Simulator) listMachines(c *call) (answer, *armError) {
	var found []*machine
	for _, m := range s.world.machines {
		if strings.EqualFold(m.Subscription, c.path.subscription) {
			found = append(found, m)
		}
	}
	return page(s, c, found, (*machine).view)
}

func (m *machine) view() map[string]any {
	p := map[string]any{"provisioningState": "Succeeded", "timeCreated": time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Format(azureTime)}
	if m.SecurityType != "" {
		p["securityProfile"] = map[string]any{"securityType": m.SecurityType}
	}
	if m.ImagePublisher != "" {
		p["storageProfile"] = map[string]any{"imageReference": map[string]any{"publisher": m.ImagePublisher, "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2", "version": "latest"}}
	}
	return map[string]any{
		"id": m.ID(), "name": m.Name, "type": "Microsoft.Compute/virtualMachines", "location": m.Location,
		"tags": tagsOf(m.Tags), "properties": p,
	}
}
