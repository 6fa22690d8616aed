package armsim

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// listProtectedItems answers GET backupProtectedItems.
func (s *Simulator) listProtectedItems(c *call) (answer, *armError) {
	f, err := parseFilter(c, "backupManagementType", "itemType", "policyName", "containerName", "friendlyName", "fabricName")
	if err != nil {
		return answer{}, err
	}
	var found []*item
	for _, k := range c.vault.containers {
		for _, i := range k.items {
			names := i.workload.names()
			if f.is("backupManagementType", names.managementType) && f.is("itemType", names.workloadType) &&
				f.is("policyName", i.policy) && f.is("containerName", k.name) && f.is("friendlyName", i.friendly) {
				found = append(found, i)
			}
		}
	}
	return page(s, c, found, s.itemView)
}

// findItem returns the container and the item that the path names.
func (c *call) findItem() (*container, *item) {
	k := c.vault.container(c.path.names[2])
	if k == nil {
		return nil, nil
	}
	return k, k.item(c.path.names[3])
}

// readItem answers GET protectedItems/{i}.
func (s *Simulator) readItem(c *call) (answer, *armError) {
	_, i := c.findItem()
	if i == nil {
		return answer{}, itemNotFound()
	}
	return jsonAnswer(http.StatusOK, s.itemView(i)), nil
}

// protection is the body of PUT protectedItems/{i}.
type protection struct {
	Properties *struct {
		ProtectedItemType string `json:"protectedItemType"`
		SourceResourceID  string `json:"sourceResourceId"`
		PolicyID          string `json:"policyId"`
		ProtectionState   string `json:"protectionState"`
		IsRehydrate       bool   `json:"isRehydrate"`
	} `json:"properties"`
}

// protectItem answers PUT protectedItems/{i}. As in Azure, it changes the
// policy of an item that another policy protects, and accepts a share that the
// vault has not inquired. The operation for such a share fails later: users of
// the Terraform provider saw the PUT accepted and the reads fail. With the
// protectionState ProtectionStopped it stops the protection and keeps the data.
func (s *Simulator) protectItem(c *call) (answer, *armError) {
	var b protection
	if err := c.decode(&b); err != nil {
		return answer{}, err
	}
	k, existing := c.findItem()
	if k == nil {
		k = c.vault.machineContainer(c.path.names[2])
	}
	if k == nil {
		return answer{}, invalidInput("containerName", "the container %q is not registered with the vault", c.path.names[2])
	}
	if existing != nil && b.Properties != nil && b.Properties.IsRehydrate {
		return s.undeleteItem(c, b, existing)
	}
	if existing != nil && !existing.purge.IsZero() {
		return answer{}, invalidInput("protectedItemName", "the item is soft-deleted; undelete it first") // a choice
	}
	if b.Properties != nil && b.Properties.ProtectionState != "" {
		return s.stopItem(c, b, existing)
	}
	policy, err := k.checkProtection(b, existing)
	if err != nil {
		return answer{}, err
	}
	var j *job
	var out *Outcome
	target, protect := existing, func() { existing.resume(policy) }
	if target == nil {
		target, protect = k.newItem(c.path.names[3], policy)
	}
	if target != nil {
		out = s.outcome(operationProtect, target.friendly, c.path.names[3])
		if out.operationError() == nil {
			j = s.startJob(c, operationProtect, target, s.config.Durations.Protect, out, func(time.Time) { protect() })
			j.policy = policy
		}
	}
	o := s.start(c, 4, s.config.Durations.Protect, out, func(o *operation) *armError {
		if target == nil {
			return itemNotFound()
		}
		if i := k.item(c.path.names[3]); i != nil {
			o.result = func() any { return s.itemView(i) }
		}
		o.job = j
		return nil
	})
	return s.accepted(c, o), nil
}

// newItem returns the item that a PUT creates, for its job: the job names the
// item before the vault lists it. protect then adds it. It returns nil for an
// item that the vault does not know.
func (k *container) newItem(name, policy string) (target *item, protect func()) {
	if sh := k.inquiredShare(name); sh != nil {
		return &item{container: k, friendly: sh.name, policy: policy, workload: fileShare, share: sh}, func() { k.protect(sh, policy) }
	}
	if d := k.database(name); d != nil {
		i := k.newDatabaseItem(d, policy)
		return i, func() {
			if known := k.item(name); known != nil {
				known.resume(policy)
				return
			}
			k.items = append(k.items, i)
		}
	}
	if k.workload == virtualMachine && strings.EqualFold("vm;"+strings.TrimPrefix(k.name, "IaasVMContainer;"), name) {
		return &item{container: k, friendly: k.friendly, policy: policy, workload: virtualMachine}, func() { k.protectMachine(policy) }
	}
	return nil, nil
}

// checkProtection checks the body of a PUT and returns the name of the policy.
func (k *container) checkProtection(b protection, existing *item) (string, *armError) {
	kind := k.workload
	if existing != nil {
		kind = existing.workload
	}
	names := kind.names()
	if err := k.checkSource(b, kind); err != nil {
		return "", err
	}
	p := b.Properties
	for _, policy := range k.vault.Policies {
		if !strings.EqualFold(p.PolicyID, k.vault.policyID(policy.Name)) {
			continue
		}
		if !strings.EqualFold(policy.BackupManagementType, names.managementType) || !strings.EqualFold(policy.WorkLoadType, names.workloadType) {
			return "", invalidInput("properties.policyId", "the policy %q is for %s %s", policy.Name, policy.BackupManagementType, policy.WorkLoadType)
		}
		return policy.Name, nil
	}
	return "", invalidInput("properties.policyId", "the vault has no policy %q", p.PolicyID)
}

// checkSource checks that the body and the path name the same item.
func (k *container) checkSource(b protection, kind workload) *armError {
	switch p := b.Properties; {
	case p == nil:
		return invalidInput("properties", "they are missing")
	case !strings.EqualFold(p.ProtectedItemType, kind.names().itemType):
		return invalidInput("properties.protectedItemType", "%q is not %s", p.ProtectedItemType, kind.names().itemType)
	case p.SourceResourceID == "" && (kind == sqlDatabase || kind == hanaDatabase):
		return nil // as the Azure CLI sends it: the path names the machine
	case !strings.EqualFold(p.SourceResourceID, k.sourceID):
		return invalidInput("properties.sourceResourceId", "%q is not %q", p.SourceResourceID, k.sourceID)
	}
	return nil
}

// inquiredShare returns the share that an item name stands for, if the vault
// knows it.
func (k *container) inquiredShare(name string) *share {
	if k.account == nil {
		return nil
	}
	for _, sh := range k.account.shares {
		if strings.EqualFold("azurefileshare;"+sh.key, name) && k.inquired[sh] {
			return sh
		}
	}
	return nil
}

// unprotectItem answers DELETE protectedItems/{i}. It removes or soft-deletes
// protection and data. Deleting a soft-deleted item has no effect (a choice).
func (s *Simulator) unprotectItem(c *call) (answer, *armError) {
	_, i := c.findItem()
	if i == nil || !i.purge.IsZero() {
		return answer{status: http.StatusNoContent, header: http.Header{}}, nil
	}
	if err := rejectDataLoss(c.vault.Immutability, c.vault.ResourceGuard); err != nil {
		return answer{}, err.plain()
	}
	out := s.outcome(operationUnprotect, i.friendly, i.name)
	var j *job
	if out.operationError() == nil {
		j = s.startJob(c, operationUnprotect, i, s.config.Durations.Unprotect, out, func(at time.Time) { s.removeItem(i, at) })
	}
	o := s.start(c, 1, s.config.Durations.Unprotect, out, func(o *operation) *armError {
		o.job = j
		return nil
	})
	o.statusPath = c.path.parentID() + "/backupOperations" // recorded
	o.resultPath = c.path.parentID() + "/backupOperationResults"
	return s.accepted(c, o), nil
}

// id returns the ARM ID of the item.
func (i *item) id() string {
	k := i.container
	return k.vault.ID() + "/backupFabrics/Azure/protectionContainers/" + k.itemsName + "/protectedItems/" + i.name
}

// itemView returns a protected item: a share as recorded, others as in the
// examples of the API documents.
func (s *Simulator) itemView(i *item) map[string]any {
	k, names := i.container, i.workload.names()
	p := map[string]any{
		"friendlyName": i.friendly, "protectionStatus": "Healthy",
		"protectionState": i.state, "lastBackupStatus": i.lastStatus,
		"protectedItemType": names.itemType, "backupManagementType": names.managementType,
		"workloadType": names.workloadType, "containerName": k.itemsName, "sourceResourceId": k.sourceID,
		"vaultId": s.endpoint + k.vault.ID(), "isArchiveEnabled": false, "softDeleteRetentionPeriod": 0,
	}
	if i.policy != "" {
		p["policyId"], p["policyName"] = k.vault.policyID(i.policy), i.policy
	}
	if !i.purge.IsZero() {
		p["isScheduledForDeferredDelete"] = true
		kept := s.scaled(time.Duration(k.vault.SoftDeleteDays) * 24 * time.Hour)
		p["deferredDeleteTimeInUTC"] = i.purge.Add(-kept).UTC().Format(azureTime) // recorded: the time of the deletion
		p["deferredDeleteTimeRemaining"] = netDuration(max(0, i.purge.Sub(s.config.Now())))
		p["softDeleteRetentionPeriod"] = k.vault.SoftDeleteDays
	}
	if !i.lastBackup.IsZero() {
		p["lastBackupTime"] = i.lastBackup.UTC().Format(azureTime)
	}
	if n := len(i.points); n > 0 {
		p["lastRecoveryPoint"] = i.points[n-1].time.UTC().Format(azureTime)
	}
	switch i.workload {
	case fileShare:
		delete(p, "policyName")
		delete(p, "lastRecoveryPoint")                                                                   // recorded: shares have none
		p["sourceResourceId"] = strings.Replace(k.sourceID, "Microsoft.Storage", "Microsoft.storage", 1) // recorded
	case virtualMachine:
		p["virtualMachineId"], p["healthStatus"] = k.sourceID, "Passed"
		p["containerName"] = strings.TrimPrefix(k.name, "IaasVMContainer;")
	case sqlDatabase, hanaDatabase:
		p["serverName"], p["parentName"], p["parentType"] = i.server, i.parent, "AzureVmWorkloadSQLInstance"
		if i.workload == hanaDatabase {
			p["parentType"] = "AzureVmWorkloadSAPHanaSystem"
		}
	}
	return map[string]any{
		"id": i.id(), "name": i.name, "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
		"properties": p,
	}
}

// netDuration formats a duration in the form of .NET, such as 13.23:59:42.86.
func netDuration(d time.Duration) string {
	const day = 24 * time.Hour
	d, rest := d/day, d%day
	return fmt.Sprintf("%d.%02d:%02d:%05.2f", d, int(rest.Hours()), int(rest.Minutes())%60, (rest % time.Minute).Seconds())
}
