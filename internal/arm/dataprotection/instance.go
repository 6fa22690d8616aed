package dataprotection

import (
	"encoding/json"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/operation"
)

// Values of currentProtectionState.
const (
	StateNotProtected                = "NotProtected"
	StateConfiguringProtection       = "ConfiguringProtection"
	StateConfiguringProtectionFailed = "ConfiguringProtectionFailed"
	StateProtectionConfigured        = "ProtectionConfigured"
	StateProtectionError             = "ProtectionError"
	StateProtectionStopped           = "ProtectionStopped"
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
	// DatasourceID is the server's or database's resource id, DatasourceSetID
	// that of the server of a database.
	DatasourceID       string
	DatasourceSetID    string
	DatasourceType     string
	DatasourceLocation string
	PolicyID           string
	// CurrentProtectionState is one of the State constants: what the instance
	// is now, and the only thing that says that it is protected. A PUT that
	// Succeeded leaves it at ConfiguringProtection for a while.
	CurrentProtectionState string
	// ProtectionStatus is the older and coarser form of it.
	ProtectionStatus string
	// ProvisioningState is of the resource, not of its protection.
	ProvisioningState string
	// ProtectionStatusError and ProtectionError say what is wrong with the
	// protection; nil when nothing is.
	ProtectionStatusError *operation.Error
	ProtectionError       *operation.Error
}

// Failure is why the instance is not protected, where Azure says so: the newer
// field first. nil when nothing is wrong.
func (i Instance) Failure() *operation.Error {
	if i.ProtectionError != nil {
		return i.ProtectionError
	}
	return i.ProtectionStatusError
}

// DeletedInstance is a soft-deleted backup instance.
type DeletedInstance struct {
	Instance
	// DeletionTime is when it was deleted, ScheduledPurgeTime when it will be
	// gone for good, BillingEndDate until when it is paid for; zero where Azure
	// does not say.
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
		PolicyInfo        struct{ PolicyID azjson.Text }
		ProtectionStatus  struct {
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
	// Read whatever its casing: Azure takes and gives resourceID and resourceId.
	ResourceID       azjson.Text
	DatasourceType   azjson.Text
	ResourceLocation azjson.Text
}

func (b instanceBody) instance() Instance {
	p := b.Properties
	return Instance{
		ID: b.ID, Name: b.Name,
		FriendlyName:           string(p.FriendlyName),
		DatasourceID:           string(p.DataSourceInfo.ResourceID),
		DatasourceSetID:        string(p.DataSourceSetInfo.ResourceID),
		DatasourceType:         string(p.DataSourceInfo.DatasourceType),
		DatasourceLocation:     string(p.DataSourceInfo.ResourceLocation),
		PolicyID:               string(p.PolicyInfo.PolicyID),
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
