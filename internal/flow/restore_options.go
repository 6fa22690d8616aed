package flow

import (
	"azbackupflow/internal/schema"
)

// RestoreOptions are the parameters that the restores of all datasources of Backup
// vaults have.
type RestoreOptions struct {
	// Location is the target's region; empty means the datasource's.
	Location string `json:"location,omitempty"`
	// IdentityID is a user-assigned identity of the vault; empty means the vault's
	// system-assigned identity.
	IdentityID string `json:"identityId,omitempty"`
	// RetryFailedJob is how often a job that failed is started again. The default
	// is never: the end of the job is the end of the operation.
	RetryFailedJob int `json:"retryFailedJob,omitempty"`
}

// restoreOptions checks the parameters that all restores have.
func (c *checks) restoreOptions(instanceID string, o RestoreOptions) {
	c.instance("backupInstanceId", instanceID)
	c.identity("identityId", o.IdentityID)
	c.retryFailedJob(o.RetryFailedJob)
}

// restoreFields describe the parameters that all restores have.
func restoreFields() schema.Fields {
	return retryFailedJobFields().With(schema.Fields{
		"backupInstanceId": {Required: true, Meaning: "resource ID of the backup instance", Rule: instanceRule()},
		"location":         {Meaning: "region of the target; default: the datasource's region"},
		"identityId":       identityField(),
	})
}

// recoveryPointFields describe how a recovery point is selected.
func recoveryPointFields() schema.Fields {
	return schema.Fields{
		"recoveryPoint": {
			Required: true, Meaning: "an object with exactly one of `id`, `latest` and `latestBefore`",
			Rule: schema.Object{"oneOf": []schema.Object{schema.Given("id"), schema.Is("latest", true), schema.Given("latestBefore")}},
		},
		"recoveryPoint.id":           {Meaning: "ID or friendly name of the recovery point. It is restored whatever its state", Rule: schema.NotEmpty()},
		"recoveryPoint.latest":       {Meaning: "`true`: the newest usable recovery point in the tier"},
		"recoveryPoint.latestBefore": {Meaning: "the newest usable recovery point in the tier that is not younger than this time"},
	}
}

// onlyAllowedTargets is a part of the introduction of each restore.
const onlyAllowedTargets = "A restore writes data to the target that the request names, so it is off until an operator allows the target: the setting " +
	"`AZBACKUPFLOW_RESTORE_TARGETS` lists "
