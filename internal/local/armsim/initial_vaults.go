package armsim

import "fmt"

// World lists the resources that exist in the simulated Azure at the start.
type World struct {
	Vaults          []Vault
	StorageAccounts []StorageAccount
	VirtualMachines []VirtualMachine
	Databases       []Database

	BackupVaults         []BackupVault
	FlexibleServers      []FlexibleServer
	SingleServers        []SingleServer
	Resources            []Resource
	ProtectedDatasources []ProtectedDatasource
}

// Vault is a Recovery Services vault.
type Vault struct {
	Subscription, ResourceGroup, Name string
	// Location is a region such as "westeurope". A vault discovers the storage
	// accounts of its own subscription and location.
	Location string
	// OtherSubscriptions are further subscriptions whose storage accounts the
	// vault discovers. Their place in the same lists is a choice: no recording
	// shows a backup across subscriptions.
	OtherSubscriptions []string
	Policies           []Policy
	// Immutability is Disabled (if empty), Unlocked or Locked. Unlocked and Locked
	// vaults reject the deletion of backup data.
	Immutability string
	// SoftDelete is Disabled (if empty), Enabled or AlwaysON.
	SoftDelete string
	// SoftDeleteDays is the retention of a deleted item in days; 14 if 0.
	SoftDeleteDays int
	// ResourceGuard turns on multi-user authorization: the vault rejects deleting
	// and stopping protection.
	ResourceGuard bool
}

// Policy is a backup policy: a name and the workload that it applies to.
type Policy struct {
	Name string
	// BackupManagementType is AzureStorage, AzureIaasVM or AzureWorkload.
	BackupManagementType string
	// WorkLoadType is AzureFileShare, VM (which policies of AzureIaasVM leave
	// out of their answers), SQLDataBase or SAPHanaDatabase.
	WorkLoadType string
	// Enhanced is set for enhanced policies of virtual machines (policyType V2).
	Enhanced bool
	// Days is the daily retention in days; 30 if 0.
	Days int
}

// StorageAccount is a storage account with its file shares and containers.
type StorageAccount struct {
	Subscription, ResourceGroup, Name, Location string
	Tags                                        map[string]string
	Shares                                      []Share
	BlobContainers                              []BlobContainer
	// RegisteredWith is the ARM ID of the vault that the account is registered
	// with; empty if not registered.
	RegisteredWith string
	// Hierarchical means that the account has a hierarchical namespace (Data Lake
	// Storage Gen2).
	Hierarchical bool
}

// Share is an Azure file share.
type Share struct {
	Name string
	// PlainItemName names the item azurefileshare;<name>, as on the Learn page.
	// The default is the current form, azurefileshare;<64 hex digits>.
	PlainItemName bool
	// Policy is the policy that already protects the share, in the vault that the
	// account is registered with; empty if unprotected.
	Policy string
	// Empty is set for a share without files: its restore restores none.
	Empty bool
	// Past describes the earlier backups of a protected share; nil means a backup at the start.
	Past *Past
}

// VirtualMachine is a virtual machine, protected or not.
type VirtualMachine struct {
	Subscription, ResourceGroup, Name, Location string
	Tags                                        map[string]string
	// SecurityType is such as TrustedLaunch; empty for none. ImagePublisher is the
	// publisher of the marketplace image; empty for an image of one's own.
	SecurityType, ImagePublisher string
	// DataDisks is the number of data disks that its restores make.
	DataDisks int
	// Servers are the database servers on the machine. RegisteredWith is the ARM ID
	// of the vault that the machine is registered with for its databases.
	Servers        []DatabaseServer
	RegisteredWith string
	// Vault is the ARM ID of the vault that protects the machine, Policy the name
	// of one of its policies; empty if it is not protected.
	Vault, Policy string
	// Past describes the earlier backups of a protected machine; nil means a backup at the start.
	Past *Past
	// ProtectedElsewhere is the ARM ID of a vault outside of the simulator that
	// protects the machine.
	ProtectedElsewhere string
}

// DatabaseServer is an instance of SQL Server or a system of SAP HANA with its
// databases.
type DatabaseServer struct {
	// Type is SQLDataBase or SAPHanaDatabase.
	Type, Instance string
	Databases      []string
}

// Database is a database on a virtual machine that a vault already protects.
type Database struct {
	// Subscription, ResourceGroup and Server identify the machine of the database.
	Subscription, ResourceGroup, Server string
	// Type is SQLDataBase or SAPHanaDatabase.
	Type string
	// Instance is the SQL instance or the HANA system, such as MSSQLSERVER.
	Instance, Name string
	// Vault is the ARM ID of the vault, Policy the name of one of its policies.
	Vault, Policy string
}

// ID returns the ARM ID of the vault.
func (v Vault) ID() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.RecoveryServices/vaults/%s",
		v.Subscription, v.ResourceGroup, v.Name)
}

// ID returns the ARM ID of the storage account.
func (a StorageAccount) ID() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Storage/storageAccounts/%s",
		a.Subscription, a.ResourceGroup, a.Name)
}

// AddFileShares adds storage accounts load0000, load0001, … to the
// subscription and location of the first vault, in resource group load, each
// with shares share0000, share0001, …. It returns the ARM IDs of the
// accounts. With a policy, the accounts are registered with that vault and the
// policy protects all shares. Without a policy, the accounts are not even
// discovered. A world without vaults is not changed.
func (w *World) AddFileShares(accounts, sharesEach int, policy string) []string {
	if len(w.Vaults) == 0 {
		return nil
	}
	v := w.Vaults[0]
	ids := make([]string, 0, accounts)
	for n := range accounts {
		a := StorageAccount{
			Subscription: v.Subscription, ResourceGroup: "load", Name: fmt.Sprintf("load%04d", n), Location: v.Location,
		}
		if policy != "" {
			a.RegisteredWith = v.ID()
		}
		for m := range sharesEach {
			a.Shares = append(a.Shares, Share{Name: fmt.Sprintf("share%04d", m), Policy: policy})
		}
		w.StorageAccounts = append(w.StorageAccounts, a)
		ids = append(ids, a.ID())
	}
	return ids
}
