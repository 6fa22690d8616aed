package autoprotect

import (
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
)

// Kind is the kind of a resource, as rules name it.
type Kind string

// The kinds that rules can protect.
const (
	FileShare              Kind = "fileShare"
	VirtualMachine         Kind = "virtualMachine"
	SQLDatabase            Kind = "sqlDatabase"
	HanaDatabase           Kind = "hanaDatabase"
	Disk                   Kind = "disk"
	Blobs                  Kind = "blobs"
	DataLake               Kind = "dataLake"
	Cluster                Kind = "cluster"
	MySQLFlexibleServer    Kind = "mysqlFlexibleServer"
	PostgresFlexibleServer Kind = "postgresFlexibleServer"
)

// entry describes everything that differs between the kinds. A new kind is one
// entry of allKinds: rules, events, the sweep and explanations read it.
type entry struct {
	kind Kind
	// what names such resources for people, in the plural.
	what string
	// source is the ARM type whose writes announce such resources, and which is
	// listed to find them.
	source string
	vault  resourceid.VaultType
	// flow protects the resource. idField is its parameter with the resource ID of
	// the source; fixed and defaults are other parameters. A rule may set those of
	// defaults.
	flow, idField   string
	fixed, defaults map[string]any
	// datasource is the datasourceType in a Backup vault.
	datasource string
	// suffix follows the ID of the source in the ID of the resource, if several
	// kinds have one source.
	suffix string
	// accepts reports whether a source has such a resource; nil accepts all.
	accepts func(datasource.Resource) bool
	// shares means that the source is a storage account with file shares.
	shares bool
	// workload is set for databases, which only a vault knows.
	workload recoveryservices.Workload
	// firstBackup means that the flow can start a first backup.
	firstBackup bool
	// builtInPolicy means that Azure Policy has built-in policies that configure
	// the backup of such resources by tag.
	builtInPolicy bool
}

// allKinds returns the table of the kinds.
func allKinds() []entry {
	recovery := []entry{
		{
			kind: FileShare, what: "file shares", source: datasource.TypeStorageAccount, flow: "protect-file-share", idField: "storageAccountId",
			shares: true, firstBackup: true,
		},
		{
			kind: VirtualMachine, what: "virtual machines", source: datasource.TypeVirtualMachine, flow: "protect-vm", idField: "virtualMachineId",
			firstBackup: true, builtInPolicy: true,
		},
		database(SQLDatabase, "SQL Server databases", recoveryservices.WorkloadSQL, "SQL"),
		database(HanaDatabase, "SAP HANA databases", recoveryservices.WorkloadHana, "SAPHana"),
	}
	backup := []entry{
		{kind: Disk, what: "managed disks", flow: "protect-disk", idField: "diskId", datasource: kinds.DatasourceDisk},
		{
			kind: Blobs, what: "blobs of storage accounts", flow: "protect-blobs", idField: "storageAccountId", datasource: kinds.DatasourceBlob,
			suffix: blobService, accepts: func(r datasource.Resource) bool { return !r.Hierarchical },
		},
		{
			kind: DataLake, what: "Data Lake Storage accounts", flow: "protect-blobs", idField: "storageAccountId", datasource: kinds.DatasourceADLS,
			suffix: blobService, accepts: func(r datasource.Resource) bool { return r.Hierarchical }, fixed: map[string]any{"dataLake": true},
		},
		{
			kind: Cluster, what: "AKS clusters", flow: "protect-cluster", idField: "clusterId", datasource: kinds.DatasourceCluster,
			defaults: map[string]any{"friendlyName": "automatic"},
		},
		{kind: MySQLFlexibleServer, what: "MySQL flexible servers", flow: "protect-mysql", idField: "serverId", datasource: kinds.DatasourceMySQL},
		{kind: PostgresFlexibleServer, what: "PostgreSQL flexible servers", flow: "protect-postgres", idField: "serverId", datasource: kinds.DatasourceFlexibleServer},
	}
	for i := range recovery {
		recovery[i].vault = resourceid.RecoveryServicesVault
	}
	for i, e := range backup {
		k, _ := kinds.Find(kinds.All(), e.datasource)
		backup[i].vault, backup[i].source = resourceid.BackupVault, k.SourceType
	}
	return append(recovery, backup...)
}

// blobService follows the ID of a storage account in the ID of its blob service.
const blobService = "/blobServices/default"

func database(kind Kind, what string, workload recoveryservices.Workload, parameter string) entry {
	return entry{
		kind: kind, what: what, source: datasource.TypeVirtualMachine, flow: "protect-database", idField: "virtualMachineId",
		fixed: map[string]any{"workload": parameter}, workload: workload,
	}
}

// defaultKinds are the kinds of rules without a type, by the vault that they name.
// Earlier versions knew no others.
func defaultKinds() map[resourceid.VaultType]Kind {
	return map[resourceid.VaultType]Kind{resourceid.RecoveryServicesVault: FileShare, resourceid.BackupVault: PostgresFlexibleServer}
}

// entry returns the kind's entry of the table; the zero value if it has none.
func (k Kind) entry() entry {
	all := allKinds()
	if at := slices.IndexFunc(all, func(e entry) bool { return e.kind == k }); at >= 0 {
		return all[at]
	}
	return entry{}
}

// usedKinds returns the kinds that the rules protect, dry runs included, in the
// order of the table.
func usedKinds(rules []Rule) []entry {
	return slices.DeleteFunc(allKinds(), func(e entry) bool {
		return !slices.ContainsFunc(rules, func(r Rule) bool { return r.Protect != nil && r.kind() == e.kind })
	})
}

// kindNames returns the names of the kinds that a type of vault protects.
func kindNames(vault resourceid.VaultType) string {
	var names []string
	for _, e := range allKinds() {
		if e.vault == vault {
			names = append(names, string(e.kind))
		}
	}
	return strings.Join(names, ", ")
}
