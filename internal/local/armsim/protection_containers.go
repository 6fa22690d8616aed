package armsim

import (
	"net/http"
	"slices"
	"strings"
)

const storageType = "AzureStorage"

// refreshContainers answers POST refreshContainers. When it ends, the vault
// knows the storage accounts of its subscription and location.
func (s *Simulator) refreshContainers(c *call) (answer, *armError) {
	f, err := parseFilter(c, "backupManagementType")
	if err != nil {
		return answer{}, err
	}
	out := s.outcome(operationRefresh, c.vault.Name)
	o := s.start(c, 2, s.config.Durations.Refresh, out, func(*operation) *armError {
		c.vault.discoverMachines(s.world, f)
		if !f.is("backupManagementType", storageType) {
			return nil
		}
		for _, a := range s.world.accounts {
			if c.vault.discovers(a.Subscription) && strings.EqualFold(a.Location, c.vault.Location) {
				c.vault.discovered[a] = true
			}
		}
		return nil
	})
	o.statusQuery = "api-version=" + previewVersion
	return s.accepted(c, o), nil
}

// discoverMachines lets the vault know the virtual machines of its subscription
// and location. Without a filter a refresh finds those that can be protected.
func (v *vault) discoverMachines(w *world, f filter) {
	for _, m := range w.machines {
		if !v.discovers(m.Subscription) || !strings.EqualFold(m.Location, v.Location) {
			continue
		}
		if f.is("backupManagementType", virtualMachine.names().managementType) {
			v.discoveredMachines[m] = true
		}
		if f.is("backupManagementType", sqlDatabase.names().managementType) && len(m.databases) > 0 {
			v.discoveredServers[m] = true
		}
	}
}

// discovers reports whether the vault discovers storage accounts of a
// subscription.
func (v *vault) discovers(subscription string) bool {
	same := func(s string) bool { return strings.EqualFold(s, subscription) }
	return same(v.Subscription) || slices.ContainsFunc(v.OtherSubscriptions, same)
}

// listProtectableContainers answers GET protectableContainers: the discovered
// accounts that are not registered with any vault.
func (s *Simulator) listProtectableContainers(c *call) (answer, *armError) {
	f, err := parseFilter(c, "backupManagementType")
	if err != nil {
		return answer{}, err
	}
	var found []*account
	for _, a := range s.world.accounts {
		if c.vault.discovered[a] && a.vault == nil && f.is("backupManagementType", storageType) {
			found = append(found, a)
		}
	}
	views := make([]map[string]any, 0, len(found))
	for _, a := range found {
		views = append(views, c.vault.protectableContainer(a))
	}
	for _, m := range s.world.machines {
		if c.vault.discoveredServers[m] && c.vault.container(serverContainerName(m)) == nil && f.is("backupManagementType", sqlDatabase.names().managementType) {
			views = append(views, c.vault.protectableServer(m))
		}
	}
	return page(s, c, views, func(v map[string]any) map[string]any { return v })
}

// protectableContainer returns an account as an entry of the list of
// protectable containers.
func (v *vault) protectableContainer(a *account) map[string]any {
	name := storageContainerName(a)
	return map[string]any{
		"id":   v.ID() + "/backupFabrics/Azure/protectableContainers/" + name,
		"name": name,
		"type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectableContainers",
		"properties": map[string]any{
			"friendlyName": a.Name, "backupManagementType": storageType,
			"protectableContainerType": "StorageContainer", "healthStatus": "Healthy",
			"containerId": a.ID(),
		},
	}
}

// protectableServer returns a virtual machine as an entry of the list of
// protectable containers.
func (v *vault) protectableServer(m *machine) map[string]any {
	name := serverContainerName(m)
	return map[string]any{
		"id": v.ID() + "/backupFabrics/Azure/protectableContainers/" + name, "name": name,
		"type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectableContainers",
		"properties": map[string]any{
			"friendlyName": m.Name, "backupManagementType": sqlDatabase.names().managementType,
			"protectableContainerType": "VMAppContainer", "healthStatus": "Healthy", "containerId": m.ID(),
		},
	}
}

// listContainers answers GET backupProtectionContainers.
func (s *Simulator) listContainers(c *call) (answer, *armError) {
	f, err := parseFilter(c, "backupManagementType", "status", "friendlyName", "containerType")
	if err != nil {
		return answer{}, err
	}
	var found []*container
	for _, k := range c.vault.containers {
		if f.is("backupManagementType", k.workload.names().managementType) && f.is("status", "Registered") &&
			f.is("friendlyName", k.friendly) && f.is("containerType", k.containerType()) {
			found = append(found, k)
		}
	}
	return page(s, c, found, func(k *container) map[string]any { return k.view(true) })
}

// readContainer answers GET protectionContainers/{c}.
func (s *Simulator) readContainer(c *call) (answer, *armError) {
	k := c.vault.container(c.path.names[2])
	if k == nil {
		return answer{}, &armError{ // a choice
			status: http.StatusNotFound, code: "BMSUserErrorContainerObjectNotFound", target: "containerName",
			message: "The container '" + c.path.names[2] + "' is not registered with the vault.",
		}
	}
	return jsonAnswer(http.StatusOK, k.view(true)), nil
}

// registration is the body of PUT protectionContainers/{c}.
type registration struct {
	Properties *struct {
		ContainerType        string `json:"containerType"`
		BackupManagementType string `json:"backupManagementType"`
		SourceResourceID     string `json:"sourceResourceId"`
		WorkloadType         string `json:"workloadType"`
	} `json:"properties"`
}

// registerContainer answers PUT protectionContainers/{c}.
func (s *Simulator) registerContainer(c *call) (answer, *armError) {
	var b registration
	if err := c.decode(&b); err != nil {
		return answer{}, err
	}
	if b.Properties != nil && b.Properties.ContainerType == "VMAppContainer" {
		return s.registerServer(c, b)
	}
	a, err := s.accountToRegister(c)
	if err != nil {
		return answer{}, err
	}
	out := s.outcome(operationRegister, a.Name, storageContainerName(a))
	o := s.start(c, 3, s.config.Durations.Register, out, func(o *operation) *armError {
		if a.vault != nil && a.vault != c.vault {
			return registeredElsewhere(a)
		}
		k := c.vault.register(a)
		o.result = func() any { return k.view(false) }
		return nil
	})
	o.statusQuery = "api-version=" + previewVersion
	return s.accepted(c, o), nil
}

// registerServer registers a database server. Recorded: it takes minutes, and
// Azure inquires the server by itself.
func (s *Simulator) registerServer(c *call, b registration) (answer, *armError) {
	m, kind := s.world.machine(b.Properties.SourceResourceID), sqlDatabase
	switch p := b.Properties; {
	case p.BackupManagementType != sqlDatabase.names().managementType:
		return answer{}, invalidInput("properties.backupManagementType", "%q is not AzureWorkload", p.BackupManagementType)
	case p.WorkloadType == hanaDatabase.names().workloadType:
		kind = hanaDatabase
	case p.WorkloadType != sqlDatabase.names().workloadType:
		return answer{}, invalidInput("properties.workloadType", "%q is neither SQLDataBase nor SAPHanaDatabase", p.WorkloadType)
	}
	if m == nil || !strings.EqualFold(serverContainerName(m), c.path.names[2]) {
		return answer{}, invalidInput("properties.sourceResourceId", "%q is not the machine of %q", b.Properties.SourceResourceID, c.path.names[2])
	}
	if !c.vault.discoveredServers[m] && c.vault.container(serverContainerName(m)) == nil {
		return answer{}, invalidInput("containerName", "the vault has not discovered %q; refresh its containers", c.path.names[2])
	}
	out := s.outcome(operationRegister, m.Name, serverContainerName(m))
	o := s.start(c, 3, s.config.Durations.RegisterServer, out, func(o *operation) *armError {
		k := c.vault.registerServer(m, kind)
		o.result = func() any { return k.view(false) }
		return nil
	})
	o.statusQuery = "api-version=" + previewVersion
	return s.accepted(c, o), nil
}

// accountToRegister checks the body of a registration.
func (s *Simulator) accountToRegister(c *call) (*account, *armError) {
	var b registration
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	switch p := b.Properties; {
	case p == nil:
		return nil, invalidInput("properties", "they are missing")
	case p.ContainerType != "StorageContainer":
		return nil, invalidInput("properties.containerType", "%q is not StorageContainer, the only supported type", p.ContainerType)
	case p.BackupManagementType != storageType:
		return nil, invalidInput("properties.backupManagementType", "%q is not AzureStorage", p.BackupManagementType)
	}
	a, missing := s.world.account(b.Properties.SourceResourceID)
	if missing != nil {
		return nil, invalidInput("properties.sourceResourceId", "%s", missing.Error())
	}
	if !strings.EqualFold(storageContainerName(a), c.path.names[2]) {
		return nil, invalidInput("containerName", "%q is not the container of storage account %q", c.path.names[2], a.ID())
	}
	if a.vault != nil && a.vault != c.vault {
		return nil, registeredElsewhere(a)
	}
	if !c.vault.discovered[a] {
		return nil, invalidInput("containerName", "the vault has not discovered %q; refresh its containers", c.path.names[2])
	}
	return a, nil
}

// registeredElsewhere returns the documented rejection; its code is a choice.
func registeredElsewhere(a *account) *armError {
	return &armError{
		status: http.StatusBadRequest, code: "UserErrorStorageAccountRegisteredWithAnotherVault",
		message: "The storage account '" + a.Name + "' is already registered with the vault '" + a.vault.Name + "'. Unregister it there first.",
	}
}

// inquire answers POST inquire. When it ends, the vault knows the current file
// shares of the account.
func (s *Simulator) inquire(c *call) (answer, *armError) {
	f, err := parseFilter(c, "backupManagementType", "workloadType")
	if err != nil {
		return answer{}, err
	}
	k := c.vault.container(c.path.names[2])
	if k == nil {
		return answer{}, invalidInput("containerName", "the container %q is not registered with the vault", c.path.names[2])
	}
	out := s.outcome(operationInquire, k.friendly, k.name)
	o := s.start(c, 3, s.config.Durations.Inquire, out, func(*operation) *armError {
		if f.is("workloadType", k.workload.names().workloadType) {
			k.inquireDatabases()
		}
		if k.account == nil || !f.is("workloadType", fileShare.names().workloadType) {
			return nil
		}
		clear(k.inquired)
		for _, sh := range k.account.shares {
			k.inquired[sh] = true
		}
		return nil
	})
	o.statusQuery = "api-version=" + previewVersion
	return s.accepted(c, o), nil
}

// unregisterContainer answers DELETE protectionContainers/{c}.
func (s *Simulator) unregisterContainer(c *call) (answer, *armError) {
	k := c.vault.container(c.path.names[2])
	if k == nil {
		return answer{status: http.StatusNoContent, header: http.Header{}}, nil
	}
	if k.workload == virtualMachine {
		return answer{}, invalidInput("containerName", "the container of a virtual machine is not registered")
	}
	if len(k.items) > 0 {
		return answer{}, &armError{ // a choice
			status: http.StatusBadRequest, code: "BMSUserErrorContainerHasDatasources", target: "containerName",
			message: "The container cannot be unregistered: it has protected items.",
		}
	}
	out := s.outcome(operationUnregister, k.friendly, k.name)
	o := s.start(c, 2, s.config.Durations.Unregister, out, func(*operation) *armError {
		if k.account != nil {
			k.account.vault = nil
		}
		c.vault.containers = slices.DeleteFunc(c.vault.containers, func(other *container) bool { return other == k })
		return nil
	})
	o.statusQuery = "api-version=" + previewVersion
	// Recorded exactly like this: the api-version is inside the value of
	// fabricName.
	o.resultPath = c.path.parentID() + "/backupOperationResults"
	o.resultQuery = "fabricName=Azure%3fapi-version%3d" + c.apiVersion
	return s.accepted(c, o), nil
}

// containerType is from the API documents.
func (k *container) containerType() string {
	switch k.workload {
	case virtualMachine:
		return "Microsoft.Compute/virtualMachines"
	case sqlDatabase, hanaDatabase:
		return "VMAppContainer"
	case fileShare:
	}
	return "StorageContainer"
}

// view returns a container as recorded: the result of a registration has no
// type.
func (k *container) view(typed bool) map[string]any {
	p := map[string]any{
		"sourceResourceId": k.sourceID, "friendlyName": k.friendly,
		"backupManagementType": k.workload.names().managementType,
		"registrationStatus":   "Registered", "healthStatus": "Healthy",
		"containerType": k.containerType(),
	}
	if k.workload == fileShare {
		p["protectedItemCount"] = len(k.items)
		p["acquireStorageAccountLock"] = "Acquire"
		p["protectableObjectType"] = "StorageContainer"
	}
	v := map[string]any{
		"id":   k.vault.ID() + "/backupFabrics/Azure/protectionContainers/" + k.name,
		"name": k.name, "properties": p,
	}
	if typed {
		v["type"] = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers"
	}
	return v
}
