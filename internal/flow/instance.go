package flow

import (
	"context"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

const (
	learnedInstance       = "backupInstanceId"
	learnedDatasourceType = "datasourceType"
	learnedLocation       = "location"
)

const wantBackupVault = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.DataProtection/backupVaults/{name}"

// backupVault checks the resource id of a Backup vault.
func (c *checks) backupVault(field, id string) resourceid.VaultID {
	if id == "" {
		c.add(field, "is missing", wantBackupVault)
		return resourceid.VaultID{}
	}
	v, err := resourceid.ParseVaultID(id, resourceid.BackupVault)
	if err != nil {
		c.add(field, err.Error(), wantBackupVault)
	}
	return v
}

// instance checks the resource id of a backup instance.
func (c *checks) instance(field, id string) {
	want := wantBackupVault + "/backupInstances/{name}"
	if id == "" {
		c.add(field, "is missing", want)
		return
	}
	if _, err := dataprotection.ParseInstanceID(id); err != nil {
		c.add(field, err.Error(), want)
	}
}

// server checks the resource id of a PostgreSQL server of one of the types.
func (c *checks) server(field, id string, types ...string) {
	want := "/subscriptions/{id}/resourceGroups/{group}/providers/" + types[0] + "/{name}"
	if id == "" {
		c.add(field, "is missing", want)
		return
	}
	parsed, err := resourceid.Parse(id)
	if err == nil && parsed.SubscriptionID != "" && parsed.ResourceGroupName != "" {
		for _, t := range types {
			if strings.EqualFold(parsed.ResourceType.String(), t) {
				return
			}
		}
	}
	c.add(field, fmt.Sprintf("%q is not the resource id of a %s", id, strings.Join(types, " or ")), want)
}

// foundInstance is the backup instance that an earlier step found.
func foundInstance(c step.Call) (dataprotection.InstanceID, error) {
	id, err := dataprotection.ParseInstanceID(c.Operation.Learned[learnedInstance])
	if err != nil {
		return id, fatal("InstanceUnknown", err.Error())
	}
	return id, nil
}

// factsOfInstance is what later steps need to know of an instance.
func factsOfInstance(i dataprotection.Instance) map[string]string {
	return map[string]string{
		learnedInstance: i.ID, learnedDatasourceType: i.DatasourceType, learnedName: i.FriendlyName,
		learnedSource: i.DatasourceID, learnedPolicy: i.PolicyID, learnedLocation: i.DatasourceLocation,
	}
}

// readInstance reads a backup instance that the request named, and refuses one
// that the vault does not have.
func (a azure) readInstance(ctx context.Context, c step.Call, id string) (dataprotection.Instance, error) {
	parsed, err := dataprotection.ParseInstanceID(id)
	if err != nil {
		return dataprotection.Instance{}, fatal("ParametersUnreadable", err.Error())
	}
	instance, err := a.dataProtection(c).GetInstance(ctx, parsed)
	if isNotFound(err) {
		return instance, fatal("NotProtected", "the vault has no such backup instance: "+id,
			"Check parameters.backupInstanceId: `az dataprotection backup-instance list` lists the vault's instances.")
	}
	return instance, err
}

// unusable says why an instance cannot be worked with as it is; nil if it can.
func unusable(i dataprotection.Instance) *operation.Error {
	switch i.CurrentProtectionState {
	case dataprotection.StateSoftDeleted, dataprotection.StateSoftDeleting:
		return fatal("InstanceSoftDeleted", i.FriendlyName+" was deleted from backup and is kept in soft-deleted state",
			"Undelete the backup instance in the vault, or wait until it is purged, then ask again.")
	case dataprotection.StateProtectionStopped, dataprotection.StateBackupSchedulesSuspended, dataprotection.StateRetentionSchedulesSuspended:
		return fatal("ProtectionStopped", "protection of "+i.FriendlyName+" was stopped; its backups are kept",
			"Resume protection with the flow resume-protection, then ask again.")
	}
	return nil
}

// instanceJobs lists the jobs of the instance that was found which began since
// shortly before the time given. whose settles, by a job's details, whether it
// is of what was asked for.
func (a azure) instanceJobs(category string, whose func(context.Context, step.Call, dataprotection.Job) (match, error)) candidates {
	return func(ctx context.Context, c step.Call, since time.Time) ([]candidate, error) {
		id, err := foundInstance(c)
		if err != nil {
			return nil, err
		}
		listed, err := a.dataProtection(c).ListJobs(ctx, id.Vault, dataprotection.JobFilter{
			BackupInstanceID: id.String(), OperationCategory: category, StartedSince: since.Add(-time.Minute),
		})
		if err != nil {
			return nil, err
		}
		var jobs []candidate
		for _, job := range listed {
			is, err := whose(ctx, c, job)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, candidate{name: job.Name, activityID: job.ActivityID, start: job.StartTime, whose: is})
		}
		return jobs, nil
	}
}

// samePolicy says why an instance is not under the policy that was asked for;
// nil if it is.
func samePolicy(i dataprotection.Instance, policyID string) *operation.Error {
	if resourceid.Equal(i.PolicyID, policyID) {
		return nil
	}
	return fatal("ProtectedByAnotherPolicy", fmt.Sprintf("%s is protected already, as %s under the policy %s", i.FriendlyName, i.ID, i.PolicyID),
		"Ask with that policy, or change the instance's policy in the vault yourself: azbackupflow does not change it, because that may shorten how long backups are kept.")
}

// alreadyProtected reports whether an error says that some vault protects the
// datasource.
func alreadyProtected(err *operation.Error) bool {
	return err != nil && (err.Code == azerr.CodeAlreadyProtected || err.Code == azerr.CodeAlreadyHasInstance)
}
