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
	if azerr.IsNotFound(err) {
		deleted, err := a.dataProtection(c).GetDeletedInstance(ctx, parsed)
		switch {
		case err == nil:
			return instance, instanceSoftDeleted(deleted)
		case !azerr.IsNotFound(err):
			return instance, err
		}
		return instance, fatal(codeNotProtected, "backup instance not found in the vault: "+id,
			"Check parameters.backupInstanceId: `az dataprotection backup-instance list` lists the vault's instances.")
	}
	return instance, err
}

// rejectedInstance returns the error of a flow whose treatment of the instance's
// state is reject; nil for other treatments.
func rejectedInstance(i dataprotection.Instance, by treatment) *operation.Error {
	if by != reject {
		return nil
	}
	switch i.CurrentProtectionState {
	case dataprotection.StateSoftDeleted, dataprotection.StateSoftDeleting:
		return instanceSoftDeleted(dataprotection.DeletedInstance{Instance: i})
	case dataprotection.StateProtectionStopped:
		return protectionStopped(i.FriendlyName)
	case dataprotection.StateBackupsSuspended, dataprotection.StateBackupSchedulesSuspended, dataprotection.StateRetentionSchedulesSuspended:
		return backupsSuspended(i.FriendlyName)
	}
	return final(protectionFailure(i))
}

// instanceSoftDeleted returns the error of a soft-deleted instance.
func instanceSoftDeleted(i dataprotection.DeletedInstance) *operation.Error {
	return fatal(codeInstanceSoftDeleted, "backup instance "+i.Name+" of "+i.FriendlyName+" is soft-deleted"+purgedOn(i.ScheduledPurgeTime),
		"Bring the backup instance back with the flow undelete, with resume set to true. Then send the request again.")
}

// protectionFailure returns why an existing instance is not protected.
func protectionFailure(i dataprotection.Instance) *operation.Error {
	if err := i.Failure(); err != nil {
		return err
	}
	return fatal(codeNotProtected, fmt.Sprintf("backup instance %s is %s; Azure reports no reason", i.Name, i.CurrentProtectionState),
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
		"Request that policy, or change the policy with the flow change-policy, which checks the retention of backups.")
}

// alreadyProtected reports whether an error means that a vault already protects
// the datasource.
func alreadyProtected(err *operation.Error) bool {
	return err != nil && (err.Code == azerr.CodeAlreadyProtected || err.Code == azerr.CodeAlreadyHasInstance || err.Code == azerr.CodeAlreadyInSameVault)
}
