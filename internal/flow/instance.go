package flow

import (
	"context"
	"fmt"

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

// foundInstance returns the backup instance that an earlier step found.
func foundInstance(c step.Call) (dataprotection.InstanceID, error) {
	id, err := dataprotection.ParseInstanceID(c.Operation.Learned[learnedInstance])
	if err != nil {
		return id, fatal("InstanceUnknown", err.Error())
	}
	return id, nil
}

// factsOfInstance returns what later steps need to know of an instance.
func factsOfInstance(i dataprotection.Instance) map[string]string {
	return map[string]string{
		learnedInstance: i.ID, learnedDatasourceType: i.DatasourceType, learnedName: i.FriendlyName,
		learnedSource: i.DatasourceID, learnedPolicy: i.PolicyID, learnedLocation: i.DatasourceLocation,
	}
}

// readInstance reads a backup instance that the request named, and rejects one
// that the vault does not have.
func (a azure) readInstance(ctx context.Context, c step.Call, id string) (dataprotection.Instance, error) {
	parsed, err := dataprotection.ParseInstanceID(id)
	if err != nil {
		return dataprotection.Instance{}, unreadable(err)
	}
	instance, err := a.dataProtection(c).GetInstance(ctx, parsed)
	if isNotFound(err) {
		return instance, fatal("NotProtected", "backup instance not found in the vault: "+id,
			"Check parameters.backupInstanceId: `az dataprotection backup-instance list` lists the vault's instances.")
	}
	return instance, err
}

// unusableInstance returns why an instance cannot be used as it is; nil if it
// can.
func unusableInstance(i dataprotection.Instance) *operation.Error {
	switch i.CurrentProtectionState {
	case dataprotection.StateSoftDeleted, dataprotection.StateSoftDeleting:
		return fatal("InstanceSoftDeleted", i.FriendlyName+" was deleted from backup and is soft-deleted",
			"Undelete the backup instance in the vault, or wait until it is purged. Then send the request again.")
	case dataprotection.StateProtectionStopped, dataprotection.StateBackupSchedulesSuspended, dataprotection.StateRetentionSchedulesSuspended:
		return fatal("ProtectionStopped", "protection of "+i.FriendlyName+" was stopped; its backups are kept",
			"Resume protection with the flow resume-protection. Then send the request again.")
	}
	return nil
}

// protectionFailure returns why an existing instance is not protected.
func protectionFailure(i dataprotection.Instance) *operation.Error {
	if err := i.Failure(); err != nil {
		return err
	}
	return fatal("NotProtected", fmt.Sprintf("backup instance %s is %s; Azure reports no reason", i.Name, i.CurrentProtectionState),
		"Look at the backup instance in the vault.")
}

// otherPolicy returns the error of an instance that is protected by another
// policy than the requested one; nil if it is the same.
func otherPolicy(i dataprotection.Instance, policyID string) *operation.Error {
	if resourceid.Equal(i.PolicyID, policyID) {
		return nil
	}
	return protectedByAnotherPolicy(fmt.Sprintf("%s is already protected, as %s under the policy %s", i.FriendlyName, i.ID, i.PolicyID))
}

func protectedByAnotherPolicy(message string) *operation.Error {
	return fatal("ProtectedByAnotherPolicy", message,
		"Request that policy, or change the policy in the vault. azbackupflow does not change it, because that may shorten the retention of backups.")
}

// alreadyProtected reports whether an error means that a vault already protects
// the datasource.
func alreadyProtected(err *operation.Error) bool {
	return err != nil && (err.Code == azerr.CodeAlreadyProtected || err.Code == azerr.CodeAlreadyHasInstance)
}
