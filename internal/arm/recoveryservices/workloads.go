package recoveryservices

import (
	"context"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// Workload is a kind of database on virtual machines, in the words of filters
// and registrations. Answers have other words for it.
type Workload string

// The workloads.
const (
	WorkloadSQL  Workload = "SQLDataBase"
	WorkloadHana Workload = "SAPHanaDatabase"
)

// ItemType returns the protectedItemType of the workload's databases.
func (w Workload) ItemType() string {
	if w == WorkloadHana {
		return ItemSAPHanaDatabase
	}
	return ItemSQLDatabase
}

// ProtectableItem is a virtual machine, a database, or an instance of a database
// server that the vault has discovered. A protected one is not listed.
type ProtectableItem struct {
	ID string
	// ContainerName and ItemName are read from the ID. The name in Azure's answer
	// is not used: that of a virtual machine lacks its prefix vm;.
	ContainerName, ItemName string
	FriendlyName            string
	// MachineID is the virtual machine; empty for databases.
	MachineID string
	// Type is SQLInstance, SQLDataBase, SAPHanaSystem, SAPHanaDatabase and so on.
	Type string
	// Parent is the instance of a database, Server its host name.
	Parent, Server string
	// Protectable is set unless Azure reports that the database cannot be
	// protected; Problem is the reason.
	Protectable bool
	Problem     string
	// AutoProtectable and AutoProtected are for instances.
	AutoProtectable, AutoProtected bool
}

type workloadBody struct {
	ID         string
	Properties struct {
		FriendlyName, VirtualMachineID, ProtectableItemType azjson.Text
		ParentName, ServerName                              azjson.Text
		IsProtectable                                       azjson.Text
		IsAutoProtectable, IsAutoProtected                  azjson.Text
		PreBackupValidation                                 struct{ Status, Code, Message azjson.Text }
	}
}

func (b workloadBody) item() ProtectableItem {
	p := b.Properties
	i := ProtectableItem{
		ID: b.ID, ContainerName: resourceid.NameAfter(b.ID, "protectionContainers"), ItemName: resourceid.NameAfter(b.ID, "protectableItems"),
		FriendlyName: string(p.FriendlyName), MachineID: string(p.VirtualMachineID), Type: string(p.ProtectableItemType),
		Parent: string(p.ParentName), Server: string(p.ServerName),
		Protectable:     !strings.EqualFold(string(p.IsProtectable), "false"),
		AutoProtectable: p.IsAutoProtectable.Bool(), AutoProtected: p.IsAutoProtected.Bool(),
	}
	if s := string(p.PreBackupValidation.Status); s != "" && !strings.EqualFold(s, "Success") {
		i.Problem = string(p.PreBackupValidation.Message)
		if i.Problem == "" {
			i.Problem = string(p.PreBackupValidation.Code)
		}
	}
	return i
}

// ListProtectableMachines lists the virtual machines that the vault has
// discovered and does not protect, all pages.
//
// BackupProtectableItems - List: GET {vault}/backupProtectableItems.
func (c *Client) ListProtectableMachines(ctx context.Context, vault resourceid.VaultID) ([]ProtectableItem, error) {
	return vaultapi.List(ctx, c.api, workloadBody.item, equal("backupManagementType", ManagementAzureIaasVM), vault, "backupProtectableItems")
}

// ListProtectableDatabases lists the instances and the unprotected databases on
// registered virtual machines, all pages.
//
// BackupProtectableItems - List: GET {vault}/backupProtectableItems.
func (c *Client) ListProtectableDatabases(ctx context.Context, vault resourceid.VaultID, w Workload) ([]ProtectableItem, error) {
	filter := all(equal("backupManagementType", ManagementAzureWorkload), equal("workloadType", string(w)))
	return vaultapi.List(ctx, c.api, workloadBody.item, filter, vault, "backupProtectableItems")
}

// RefreshFor makes the vault discover resources of a kind of backup, one of the
// Management constants. The Azure CLI was recorded without a filter for virtual
// machines.
//
// ProtectionContainers - Refresh: POST {vault}/backupFabrics/Azure/refreshContainers.
// It is done when the Location answers 204.
func (c *Client) RefreshFor(ctx context.Context, vault resourceid.VaultID, management string) (lro.Submission, error) {
	filter := ""
	if management != ManagementAzureIaasVM {
		filter = equal("backupManagementType", management)
	}
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodPost, Filter: filter}, vault, "backupFabrics", fabric, "refreshContainers")
}

// ListProtectableWorkloadContainers lists the virtual machines that can be
// registered for the backup of databases, all pages.
//
// ProtectableContainers - List: GET {vault}/backupFabrics/Azure/protectableContainers.
func (c *Client) ListProtectableWorkloadContainers(ctx context.Context, vault resourceid.VaultID) ([]ProtectableContainer, error) {
	return vaultapi.List(ctx, c.api, protectableContainerBody.container, equal("backupManagementType", ManagementAzureWorkload),
		vault, "backupFabrics", fabric, "protectableContainers")
}

// ListRegisteredWorkloadContainers lists the virtual machines that are registered
// for the backup of databases, all pages.
//
// BackupProtectionContainers - List: GET {vault}/backupProtectionContainers.
func (c *Client) ListRegisteredWorkloadContainers(ctx context.Context, vault resourceid.VaultID) ([]Container, error) {
	filter := all(equal("backupManagementType", ManagementAzureWorkload), equal("status", Registered))
	return vaultapi.List(ctx, c.api, containerBody.container, filter, vault, "backupProtectionContainers")
}

// RegisterMachine registers a virtual machine for the backup of its databases.
// container is a name that ListProtectableWorkloadContainers returned. Azure
// inquires the machine by itself, which takes minutes.
//
// ProtectionContainers - Register: PUT {vault}/backupFabrics/Azure/protectionContainers/{container}
// with an AzureVMAppContainerProtectionContainer. It is done when the Location
// answers 200.
func (c *Client) RegisterMachine(ctx context.Context, vault resourceid.VaultID, container, machineID string, w Workload) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPut,
		Body: sdk.ProtectionContainerResource{Properties: &sdk.AzureVMAppContainerProtectionContainer{
			BackupManagementType: to.Ptr(sdk.BackupManagementTypeAzureWorkload),
			SourceResourceID:     to.Ptr(machineID), WorkloadType: to.Ptr(sdk.WorkloadType(w)),
		}},
	}, vault, "backupFabrics", fabric, "protectionContainers", container)
}

// InquireDatabases makes the vault discover the databases of a registered virtual
// machine.
//
// ProtectionContainers - Inquire: POST {container}/inquire with a filter and no
// body. It is done when the Location answers 204.
func (c *Client) InquireDatabases(ctx context.Context, vault resourceid.VaultID, container string, w Workload) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPost, Filter: equal("workloadType", string(w)),
	}, vault, "backupFabrics", fabric, "protectionContainers", container, "inquire")
}

// UnregisterContainer ends the registration of a storage account or virtual
// machine with the vault. Azure rejects it while the container has items.
//
// ProtectionContainers - Unregister: DELETE {vault}/backupFabrics/Azure/protectionContainers/{container}.
// It is done when the Location answers 204.
func (c *Client) UnregisterContainer(ctx context.Context, vault resourceid.VaultID, container string) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodDelete}, vault, "backupFabrics", fabric, "protectionContainers", container)
}

// Instance is an instance of a database server, with its directories.
type Instance struct {
	Name        string
	Directories []DataDirectory
}

type instanceBody struct {
	Properties struct {
		FriendlyName       azjson.Text
		DataDirectoryPaths []directoryBody
	}
}

func (b instanceBody) instance() Instance {
	i := Instance{Name: string(b.Properties.FriendlyName)}
	for _, d := range b.Properties.DataDirectoryPaths {
		i.Directories = append(i.Directories, d.directory())
	}
	return i
}

// ListSQLInstances lists the SQL Server instances of a registered virtual
// machine with their directories, all pages.
//
// BackupWorkloadItems - List: GET {container}/items.
func (c *Client) ListSQLInstances(ctx context.Context, vault resourceid.VaultID, container string) ([]Instance, error) {
	filter := all(equal("backupManagementType", ManagementAzureWorkload), equal("workloadItemType", "SQLInstance"))
	return vaultapi.List(ctx, c.api, instanceBody.instance, filter, vault, "backupFabrics", fabric, "protectionContainers", container, "items")
}
