package armsim

import (
	"maps"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

// Values of a backup instance's currentProtectionState.
const (
	configuringProtection = "ConfiguringProtection"
	configuringFailed     = "ConfiguringProtectionFailed"
	protectionConfigured  = "ProtectionConfigured"
	protectionStopped     = "ProtectionStopped"
	updatingProtection    = "UpdatingProtection"
	backupsSuspended      = "BackupsSuspended" // recorded; not in the API documents
	softDeleting          = "SoftDeleting"
	softDeleted           = "SoftDeleted"
	protectionErrorState  = "ProtectionError"
	provisioning          = "Provisioning"
	provisioned           = "Succeeded"
	provisioningFailed    = "Failed"
	defaultRetention      = "default"
)

// instance is a backup instance.
type instance struct {
	vault          *backupVault
	name, friendly string
	source         datasource
	policy         string
	// properties holds dataSourceInfo, dataSourceSetInfo,
	// datasourceAuthCredentials and identityDetails as received.
	properties map[string]any
	// parameters holds policyParameters as received.
	parameters any
	tags       any
	// since is when the instance was protected.
	since               time.Time
	provisioning, state string
	failure             *userError
	points              []*recoveryPoint
	running             *instanceJob
	// version counts the PUTs, so that the work of an older PUT does not change
	// the result of a newer one.
	version int
	// deleting is set while the instance is being deleted.
	deleting bool
	deleted  deletion
}

// deletion describes a soft-deleted instance.
type deletion struct {
	at, purge time.Time
	activity  string
}

// recoveryPoint is a recovery point.
type recoveryPoint struct {
	id, storeID   string
	time          time.Time
	store, policy string
	version       string // version of the server
	friendlyName  string
	// properties and storeDetails replace what the view returns.
	properties, storeDetails map[string]any
}

// id returns the ARM ID of the instance.
func (i *instance) id() string { return i.vault.ID() + "/backupInstances/" + i.name }

// described returns the description of the datasource for an instance that no
// request has created.
func (i *instance) described() map[string]any {
	d := i.source
	info := map[string]any{
		"resourceID": d.id, "resourceUri": d.id, "datasourceType": d.kind.Type, "resourceName": d.name,
		"resourceType": d.kind.ResourceType, "resourceLocation": d.location, "objectType": "Datasource",
	}
	described := map[string]any{"dataSourceInfo": info}
	set := maps.Clone(info)
	set["objectType"] = "DatasourceSet"
	switch d.kind.Set {
	case kinds.NoSet:
		return described
	case kinds.SameSet:
	case kinds.ParentSet:
		maps.Copy(set, map[string]any{"resourceID": d.server, "resourceUri": "", "resourceName": d.serverName, "resourceType": singleServerType})
	}
	described["dataSourceSetInfo"] = set
	return described
}

// view returns the instance as recorded.
func (i *instance) view() map[string]any {
	policy := map[string]any{"policyId": i.vault.policyID(i.policy)}
	if i.parameters != nil {
		policy["policyParameters"] = i.parameters
	}
	p := map[string]any{
		"friendlyName":           i.friendly,
		"policyInfo":             policy,
		"currentProtectionState": i.state, "provisioningState": i.provisioning, "objectType": "BackupInstance",
	}
	maps.Copy(p, i.properties)
	status := map[string]any{"status": i.protectionStatus()}
	if i.failure != nil {
		status["errorDetails"] = i.failure.userFacing()
		p["protectionErrorDetails"] = i.failure.userFacing()
	}
	p["protectionStatus"] = status
	v := map[string]any{
		"id": i.id(), "name": i.name, "type": dataProtection + "/backupVaults/backupInstances", "properties": p,
	}
	if i.tags != nil {
		v["tags"] = i.tags
	}
	return v
}

// protectionStatus returns the older field next to currentProtectionState,
// which has fewer values. Recorded values agree with the newer field; its value
// for a failed state is a choice.
func (i *instance) protectionStatus() string {
	switch i.state {
	case updatingProtection:
		return protectionConfigured
	case protectionErrorState:
		return configuringFailed
	}
	return i.state
}

// deletedView returns a soft-deleted instance, as in the example of the API
// documents.
func (i *instance) deletedView() map[string]any {
	v := i.view()
	p := map[string]any{}
	if before, ok := v["properties"].(map[string]any); ok {
		maps.Copy(p, before)
	}
	p["objectType"] = "DeletedBackupInstance"
	p["deletionInfo"] = map[string]any{
		"deletionTime": i.deleted.at.UTC().Format(azureTime), "scheduledPurgeTime": i.deleted.purge.UTC().Format(azureTime),
		"billingEndDate": i.deleted.purge.UTC().Format(azureTime), "deleteActivityID": i.deleted.activity,
	}
	v["id"] = i.vault.ID() + "/deletedBackupInstances/" + i.name
	v["type"] = dataProtection + "/backupVaults/deletedBackupInstances"
	v["properties"] = p
	return v
}
