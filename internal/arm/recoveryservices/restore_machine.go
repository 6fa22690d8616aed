package recoveryservices

import (
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"
)

// MachineRestore restores a virtual machine: its disks, as a new machine, or
// into the machine itself.
type MachineRestore struct {
	// SourceResourceID is the protected virtual machine.
	SourceResourceID string
	// Region is the vault's region.
	Region string
	// StagingAccountID is a storage account in the vault's region. Azure writes
	// its template and configuration there.
	StagingAccountID string
	// TargetResourceGroupID is the resource group of the managed disks or of the
	// new machine. Without it, a restore of disks copies VHD files into the
	// staging account, which takes much longer.
	TargetResourceGroupID string
	// New is the machine to create.
	New *NewMachine
	// ReplaceDisks replaces the disks of the machine itself.
	ReplaceDisks bool
	// DiskLUNs are the data disks to restore: nil restores all disks, an empty
	// list only the operating system's disk.
	DiskLUNs []int32
	// Zones are the availability zones of the restored machine or disks.
	Zones []string
	// Rehydration is set for a recovery point in the archive tier.
	Rehydration *Rehydration
}

// NewMachine is a virtual machine that a restore creates.
type NewMachine struct{ MachineID, VirtualNetworkID, SubnetID string }

func (r MachineRestore) properties(recoveryPoint string) (sdk.RestoreRequestClassification, error) {
	if r.New != nil && r.ReplaceDisks {
		return nil, errors.New("a restore of a virtual machine either creates a machine or replaces disks")
	}
	p := &sdk.IaasVMRestoreRequest{
		RecoveryPointID: to.Ptr(recoveryPoint), RecoveryType: to.Ptr(restoreDisks),
		SourceResourceID: to.Ptr(r.SourceResourceID), StorageAccountID: to.Ptr(r.StagingAccountID), Region: to.Ptr(r.Region),
		CreateNewCloudService: to.Ptr(false), OriginalStorageAccountOption: to.Ptr(false),
	}
	if r.TargetResourceGroupID != "" {
		p.TargetResourceGroupID = to.Ptr(r.TargetResourceGroupID)
	}
	if r.DiskLUNs != nil {
		p.RestoreDiskLunList = to.SliceOfPtrs(r.DiskLUNs...)
	}
	if len(r.Zones) > 0 {
		p.Zones = to.SliceOfPtrs(r.Zones...)
	}
	switch {
	case r.ReplaceDisks:
		p.RecoveryType = to.Ptr(restoreOriginal)
	case r.New != nil:
		p.RecoveryType = to.Ptr(restoreAlternate)
		p.TargetVirtualMachineID = to.Ptr(r.New.MachineID)
		p.VirtualNetworkID, p.SubnetID = to.Ptr(r.New.VirtualNetworkID), to.Ptr(r.New.SubnetID)
	}
	if r.Rehydration != nil {
		return r.Rehydration.machine(p), nil
	}
	return p, nil
}
