package dataprotection

import (
	"encoding/json"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/operation"
)

// Values of currentProtectionState. Azure sends BackupsSuspended, which its
// description lacks; BackupSchedulesSuspended of the description was never seen.
const (
	StateInvalid                     = "Invalid"
	StateNotProtected                = "NotProtected"
	StateConfiguringProtection       = "ConfiguringProtection"
	StateConfiguringProtectionFailed = "ConfiguringProtectionFailed"
	StateProtectionConfigured        = "ProtectionConfigured"
	StateProtectionError             = "ProtectionError"
	StateProtectionStopped           = "ProtectionStopped"
	StateBackupsSuspended            = "BackupsSuspended"
	StateBackupSchedulesSuspended    = "BackupSchedulesSuspended"
	StateRetentionSchedulesSuspended = "RetentionSchedulesSuspended"
	StateUpdatingProtection          = "UpdatingProtection"
	StateSoftDeleting                = "SoftDeleting"
	StateSoftDeleted                 = "SoftDeleted"
)

// Instance is a backup instance: one datasource that the vault protects.
type Instance struct {
	ID           string
	Name         string
	FriendlyName string
	// DatasourceID is the resource ID of the server or database. DatasourceSetID
	// is the resource ID of a database's server.
	DatasourceID       string
	DatasourceSetID    string
	DatasourceType     string
	DatasourceLocation string
	PolicyID           string
	// Containers are the blob containers that are backed up to the vault; empty for
	// other instances.
	Containers []string
	// CurrentProtectionState is one of the State constants. Only this field shows
	// whether the instance is protected: after a PUT that Succeeded, it is
	// ConfiguringProtection for some time.
	CurrentProtectionState string
	// ProtectionStatus is its older, less precise form.
	ProtectionStatus string
	// ProvisioningState is the state of the resource, not of its protection.
	ProvisioningState string
	// ProtectionStatusError and ProtectionError are why the protection failed;
	// nil if it did not.
	ProtectionStatusError *operation.Error
	ProtectionError       *operation.Error
}

// Failure returns why the instance is not protected; nil if Azure reports no
// error. The newer field takes precedence.
func (i Instance) Failure() *operation.Error {
	if i.ProtectionError != nil {
		return i.ProtectionError
	}
	return i.ProtectionStatusError
}

// DeletedInstance is a soft-deleted backup instance.
type DeletedInstance struct {
	Instance
	// DeletionTime is when the instance was deleted. ScheduledPurgeTime is when
	// Azure deletes it permanently. BillingEndDate is when its billing ends. They
	// are zero if Azure does not report them.
	DeletionTime       time.Time
	ScheduledPurgeTime time.Time
	BillingEndDate     time.Time
}

type instanceBody struct {
	ID         string
	Name       string
	Properties struct {
		FriendlyName      azjson.Text
		DataSourceInfo    datasourceBody
		DataSourceSetInfo datasourceBody
		PolicyInfo        struct {
			PolicyID         azjson.Text
			PolicyParameters struct {
				BackupDatasourceParametersList []struct{ ContainersList []string }
			}
		}
		ProtectionStatus struct {
			Status       azjson.Text
			ErrorDetails json.RawMessage
		}
		CurrentProtectionState azjson.Text
		ProtectionErrorDetails json.RawMessage
		ProvisioningState      azjson.Text
		DeletionInfo           struct {
			DeletionTime       azjson.Time
			ScheduledPurgeTime azjson.Time
			BillingEndDate     azjson.Time
		}
	}
}

type datasourceBody struct {
	// Azure sends both resourceID and resourceId; decoding ignores the casing.
	ResourceID       azjson.Text
	DatasourceType   azjson.Text
	ResourceLocation azjson.Text
}

func (b instanceBody) instance() Instance {
	p := b.Properties
	var containers []string
	for _, parameters := range p.PolicyInfo.PolicyParameters.BackupDatasourceParametersList {
		containers = append(containers, parameters.ContainersList...)
	}
	return Instance{
		ID: b.ID, Name: b.Name,
		FriendlyName:           string(p.FriendlyName),
		DatasourceID:           string(p.DataSourceInfo.ResourceID),
		DatasourceSetID:        string(p.DataSourceSetInfo.ResourceID),
		DatasourceType:         string(p.DataSourceInfo.DatasourceType),
		DatasourceLocation:     string(p.DataSourceInfo.ResourceLocation),
		PolicyID:               string(p.PolicyInfo.PolicyID),
		Containers:             containers,
		CurrentProtectionState: string(p.CurrentProtectionState),
		ProtectionStatus:       string(p.ProtectionStatus.Status),
		ProvisioningState:      string(p.ProvisioningState),
		ProtectionStatusError:  azerr.FailureIn(p.ProtectionStatus.ErrorDetails),
		ProtectionError:        azerr.FailureIn(p.ProtectionErrorDetails),
	}
}

func (b instanceBody) deleted() DeletedInstance {
	d := b.Properties.DeletionInfo
	return DeletedInstance{
		Instance: b.instance(), DeletionTime: d.DeletionTime.Time, ScheduledPurgeTime: d.ScheduledPurgeTime.Time,
		BillingEndDate: d.BillingEndDate.Time,
	}
}
