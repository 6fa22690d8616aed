package recoveryservices

import (
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"
)

// DatabaseRestore restores a database of SQL Server or SAP HANA on a virtual
// machine.
type DatabaseRestore struct {
	// ItemType is ItemSQLDatabase or ItemSAPHanaDatabase.
	ItemType string
	// PointInTime restores a time of the log chain; zero restores a recovery point.
	PointInTime time.Time
	// Target is another database, or a directory for files; nil restores into the
	// database itself.
	Target *DatabaseTarget
	// Rehydration is set for a recovery point in the archive tier; not with
	// PointInTime.
	Rehydration *Rehydration
}

// DatabaseTarget is the database or directory that a restore writes to, on a machine that is registered
// with the vault.
type DatabaseTarget struct {
	// SourceMachineID is the machine of the protected database, MachineID that of
	// the target. ContainerID is the resource ID of the target's container.
	SourceMachineID, MachineID, ContainerID string
	Overwrite                               bool
	// Database is the instance and the name, such as MSSQLSERVER/orders2.
	Database string
	// Directory receives the backup as files, in place of a database.
	Directory string
	// Files move the files of a SQL database.
	Files []DatabaseFile
}

// DatabaseFile is a file of a SQL database, and its path in the target.
type DatabaseFile struct {
	// Type is Data or Log.
	Type                   string
	LogicalName            string
	SourcePath, TargetPath string
}

func (r DatabaseRestore) properties(string) (sdk.RestoreRequestClassification, error) {
	how := databaseRecovery{recovery: to.Ptr(restoreOriginal)}
	if r.Target != nil {
		how = r.Target.recovery()
	}
	switch {
	case r.Rehydration != nil && !r.PointInTime.IsZero():
		return nil, errors.New("a time of the log chain cannot be restored with rehydration")
	case r.ItemType == ItemSQLDatabase && r.Rehydration != nil:
		return r.Rehydration.sql(how), nil
	case r.ItemType == ItemSAPHanaDatabase && r.Rehydration != nil:
		return r.Rehydration.hana(how), nil
	case r.ItemType == ItemSQLDatabase:
		return r.sql(how), nil
	case r.ItemType == ItemSAPHanaDatabase && !r.PointInTime.IsZero():
		return &sdk.AzureWorkloadSAPHanaPointInTimeRestoreRequest{
			PointInTime: to.Ptr(r.PointInTime.UTC()), RecoveryType: how.recovery, RecoveryMode: how.mode,
			SourceResourceID: how.source, TargetVirtualMachineID: how.machine, TargetInfo: how.target,
		}, nil
	case r.ItemType == ItemSAPHanaDatabase:
		return &sdk.AzureWorkloadSAPHanaRestoreRequest{
			RecoveryType: how.recovery, RecoveryMode: how.mode,
			SourceResourceID: how.source, TargetVirtualMachineID: how.machine, TargetInfo: how.target,
		}, nil
	}
	return nil, fmt.Errorf("restores of items of type %q are not known", r.ItemType)
}

// sql returns the request for SQL Server, which has two flags of its own.
func (r DatabaseRestore) sql(how databaseRecovery) sdk.RestoreRequestClassification {
	elsewhere, unrecoverable := to.Ptr(true), to.Ptr(false)
	if !r.PointInTime.IsZero() {
		return &sdk.AzureWorkloadSQLPointInTimeRestoreRequest{
			PointInTime: to.Ptr(r.PointInTime.UTC()), RecoveryType: how.recovery, RecoveryMode: how.mode,
			SourceResourceID: how.source, TargetVirtualMachineID: how.machine, TargetInfo: how.target,
			ShouldUseAlternateTargetLocation: elsewhere, IsNonRecoverable: unrecoverable, AlternateDirectoryPaths: how.files,
		}
	}
	return &sdk.AzureWorkloadSQLRestoreRequest{
		RecoveryType: how.recovery, RecoveryMode: how.mode,
		SourceResourceID: how.source, TargetVirtualMachineID: how.machine, TargetInfo: how.target,
		ShouldUseAlternateTargetLocation: elsewhere, IsNonRecoverable: unrecoverable, AlternateDirectoryPaths: how.files,
	}
}

// databaseRecovery holds the fields that SQL Server and SAP HANA share.
type databaseRecovery struct {
	recovery        *sdk.RecoveryType
	mode            *sdk.RecoveryMode
	source, machine *string
	target          *sdk.TargetRestoreInfo
	files           []*sdk.SQLDataDirectoryMapping
}

func (t DatabaseTarget) recovery() databaseRecovery {
	how := databaseRecovery{
		recovery: to.Ptr(restoreAlternate), source: to.Ptr(t.SourceMachineID), machine: to.Ptr(t.MachineID),
		target: &sdk.TargetRestoreInfo{ContainerID: to.Ptr(t.ContainerID), OverwriteOption: to.Ptr(sdk.OverwriteOptionsFailOnConflict)},
	}
	if t.Overwrite {
		how.target.OverwriteOption = to.Ptr(sdk.OverwriteOptionsOverwrite)
	}
	if t.Directory != "" {
		how.mode, how.target.TargetDirectoryForFileRestore = to.Ptr(sdk.RecoveryModeFileRecovery), to.Ptr(t.Directory)
		return how
	}
	how.target.DatabaseName = to.Ptr(t.Database)
	for _, f := range t.Files {
		how.files = append(how.files, &sdk.SQLDataDirectoryMapping{
			MappingType: to.Ptr(sdk.SQLDataDirectoryType(f.Type)), SourceLogicalName: to.Ptr(f.LogicalName),
			SourcePath: to.Ptr(f.SourcePath), TargetPath: to.Ptr(f.TargetPath),
		})
	}
	return how
}
