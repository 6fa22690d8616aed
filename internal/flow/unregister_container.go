package flow

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// UnregisterContainer ends the registration of a storage account, or of a virtual
// machine with databases, with a Recovery Services vault. It deletes no backups.
type UnregisterContainer struct {
	VaultID string `json:"vaultId"`
	// StorageAccountID or VirtualMachineID names what is registered.
	StorageAccountID string `json:"storageAccountId,omitempty"`
	VirtualMachineID string `json:"virtualMachineId,omitempty"`
}

// source returns the resource that is registered.
func (p UnregisterContainer) source() string {
	if p.StorageAccountID != "" {
		return p.StorageAccountID
	}
	return p.VirtualMachineID
}

func checkUnregisterContainer(c *checks, p *UnregisterContainer) {
	c.vault("vaultId", p.VaultID)
	switch {
	case (p.StorageAccountID == "") == (p.VirtualMachineID == ""):
		c.add("storageAccountId", "and virtualMachineId are both set or both missing", "exactly one of them")
	case p.StorageAccountID != "":
		c.storageAccount("storageAccountId", p.StorageAccountID)
	default:
		c.machine("virtualMachineId", p.VirtualMachineID)
	}
}

// unregisterContainer ends a registration. Source: ProtectionContainers -
// Unregister.
func (a azure) unregisterContainer() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "unregister-container", Version: 1,
			Item:     parameterKey(func(p UnregisterContainer) string { return resourceKey(p.source()) }),
			Summary:  "end the registration of a storage account, or of a virtual machine with databases, with a vault",
			Guarded:  true,
			Deadline: 12 * time.Hour,
			Check:    check(checkUnregisterContainer),
			Steps: []step.Step{
				{
					Name: "find-registration", Effect: step.Read, Run: forRegistration(a.findRegisteredContainer), Calls: []string{"BackupProtectionContainers_List"},
					Asks: "lists the vault's registered containers", Then: "a resource that is not registered ends the operation successfully, with a note",
				},
				{
					Name: "find-items", Effect: step.Read, Run: forRegistration(a.findContainersItems), Calls: []string{"BackupProtectedItems_List"},
					Asks: "lists the vault's protected items", Then: "a container that still has items, soft-deleted ones included, is rejected with their names",
				},
				{
					Name: "unregister", Effect: step.Idempotent, Run: forRegistration(a.unregister), Calls: []string{"ProtectionContainers_Unregister"},
					Asks: "ends the registration",
				},
				a.awaitOperation("await-unregistration", operationWait{retry: "unregister", what: "ending the registration"}),
				{
					Name: "confirm-unregistered", Effect: step.Read, Run: forRegistration(a.confirmUnregistered), Calls: []string{"BackupProtectionContainers_List"},
					Asks: "lists the vault's registered containers until it is none of them",
				},
			},
		},
		Role: roles.Delete,
		Parameters: func() schema.Parameters {
			return schema.Parameters{
				Type: reflect.TypeFor[UnregisterContainer](), Rules: schema.Object{"oneOf": schema.Each("storageAccountId", "virtualMachineId")},
				Fields: schema.Fields{
					"vaultId":          {Required: true, Rule: vaultRule(), Meaning: "resource ID of the Recovery Services vault"},
					"storageAccountId": {When: "this or `virtualMachineId`", Rule: storageAccountRule(), Meaning: "resource ID of the storage account"},
					"virtualMachineId": {When: "this or `storageAccountId`", Rule: machineRule(), Meaning: "resource ID of the virtual machine whose databases were protected"},
				},
			}
		},
		Intro: "Ends the registration of a storage account, or of a virtual machine with databases, with a Recovery Services vault, so that another vault can " +
			"protect it. It deletes no backups: a container that has protected items is rejected. Azure's lock on a storage account ends with its registration.",
		Examples: []Example{{
			File: "unregister-container", About: "virtual machine hanavm2", Key: "unregister-hanavm2", Deadline: "PT6H", Labels: team("databases"),
			Parameters: UnregisterContainer{VaultID: exampleVault, VirtualMachineID: exampleMachines + "hanavm2"}, Cost: "a virtual machine",
		}},
	}
}

// forRegistration passes a step the parameters that it works on.
func forRegistration(f func(context.Context, step.Call, UnregisterContainer, resourceid.VaultID) (operation.Outcome, error)) run {
	return with(func(ctx context.Context, c step.Call, p UnregisterContainer) (operation.Outcome, error) {
		vault, err := resourceid.ParseVaultID(p.VaultID, resourceid.RecoveryServicesVault)
		if err != nil {
			return operation.Outcome{}, unreadable(err)
		}
		return f(ctx, c, p, vault)
	})
}

// registeredContainer returns the vault's container of the resource.
func (a azure) registeredContainer(ctx context.Context, c step.Call, p UnregisterContainer, vault resourceid.VaultID) (found recoveryservices.Container, ok bool, err error) {
	var containers []recoveryservices.Container
	if p.StorageAccountID != "" {
		containers, err = a.recoveryServices(c).ListRegisteredContainers(ctx, vault, resourceid.LastName(p.StorageAccountID))
	} else {
		containers, err = a.recoveryServices(c).ListRegisteredWorkloadContainers(ctx, vault)
	}
	if err != nil {
		return found, false, err
	}
	for _, container := range containers {
		if resourceid.Equal(container.SourceResourceID, p.source()) {
			return container, true, nil
		}
	}
	return found, false, nil
}

func (a azure) findRegisteredContainer(ctx context.Context, c step.Call, p UnregisterContainer, vault resourceid.VaultID) (operation.Outcome, error) {
	container, found, err := a.registeredContainer(ctx, c, p, vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	if !found {
		return finish(p.source() + " is not registered with vault " + vault.Name), nil
	}
	return learn(next("registered as "+container.Name), map[string]string{learnedContainer: container.Name}), nil
}

// findContainersItems rejects a container with items. Azure keeps soft-deleted
// items in the list.
func (a azure) findContainersItems(ctx context.Context, c step.Call, p UnregisterContainer, vault resourceid.VaultID) (operation.Outcome, error) {
	kinds := []string{"AzureFileShare"}
	if p.VirtualMachineID != "" {
		kinds = []string{string(recoveryservices.WorkloadSQL), string(recoveryservices.WorkloadHana)}
	}
	var names []string
	for _, kind := range kinds {
		items, err := a.recoveryServices(c).ListProtectedItems(ctx, vault, kind)
		if err != nil {
			return operation.Outcome{}, err
		}
		for _, i := range items {
			if !strings.EqualFold(i.ContainerName, c.Operation.Learned[learnedContainer]) {
				continue
			}
			name := i.FriendlyName
			if i.SoftDeleted {
				name += " (soft-deleted" + purgedOn(purgeOf(i, c.Now)) + ")"
			}
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		return operation.Outcome{}, fatal("ContainerHasItems", fmt.Sprintf("%s still has protected items: %s", c.Operation.Learned[learnedContainer], strings.Join(names, ", ")),
			"Delete them with the flow delete-protection, and wait until Azure has purged those that are soft-deleted. Then send the request again.")
	}
	return next("the container has no protected items"), nil
}

func (a azure) unregister(ctx context.Context, c step.Call, _ UnregisterContainer, vault resourceid.VaultID) (operation.Outcome, error) {
	submitted, err := a.recoveryServices(c).UnregisterContainer(ctx, vault, c.Operation.Learned[learnedContainer])
	return accepted(submitted, err, "the registration is being ended")
}

func (a azure) confirmUnregistered(ctx context.Context, c step.Call, p UnregisterContainer, vault resourceid.VaultID) (operation.Outcome, error) {
	_, found, err := a.registeredContainer(ctx, c, p, vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	if found {
		return waitAtJobPace("the vault still lists the container"), nil
	}
	return finish("the registration has ended"), nil
}
