package flow

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	sources "azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// ProtectVM protects a virtual machine with a policy.
// Source: learn.microsoft.com, "Back up an Azure VM using Azure Backup via REST
// API".
type ProtectVM struct {
	// VaultID is the Recovery Services vault, in the machine's region.
	VaultID string `json:"vaultId"`
	// VirtualMachineID names the machine to protect.
	VirtualMachineID string `json:"virtualMachineId"`
	// Policy is the name or resource ID of one of the vault's policies.
	Policy string `json:"policy"`
	// IncludeDisks or ExcludeDisks selects the data disks; neither backs up all.
	IncludeDisks *DataDisks     `json:"includeDisks,omitempty"`
	ExcludeDisks *ExcludedDisks `json:"excludeDisks,omitempty"`
	// FirstBackup, if set, backs the machine up as soon as it is protected.
	FirstBackup *FirstBackup `json:"firstBackup,omitempty"`
}

// ExcludedDisks names data disks by their logical unit numbers.
type ExcludedDisks struct {
	LUNs []int `json:"luns"`
}

// maxMachinesPerPolicy is the number of machines that one policy can protect.
// Source: learn.microsoft.com, "Support matrix for Azure VM backups".
const maxMachinesPerPolicy = 1000

func protectVMParameters() schema.Parameters {
	included := dataDisksFields("includeDisks", "an object: back up only these data disks and the operating system's disk. Default: all disks")
	excluded := schema.Fields{
		"excludeDisks":        {When: "not with `includeDisks`", Meaning: "an object: data disks that are not backed up"},
		"excludeDisks.luns":   {Required: true, Meaning: included["includeDisks.luns"].Meaning, Rule: included["includeDisks.luns"].Rule},
		"excludeDisks.luns[]": included["includeDisks.luns[]"],
	}
	return schema.Parameters{
		Type: reflect.TypeFor[ProtectVM](),
		Fields: included.With(excluded).With(schema.Fields{
			"vaultId":          {Required: true, Rule: vaultRule(), Meaning: "resource ID of the Recovery Services vault, which is in the machine's region"},
			"virtualMachineId": {Required: true, Rule: machineRule(), Meaning: "resource ID of the virtual machine"},
			"policy":           {Required: true, Rule: policyRule(), Meaning: "name of one of the vault's policies, or its resource ID. It must be for virtual machines; machines with Trusted Launch need an enhanced policy"},
			"firstBackup":      {Meaning: "an object, which may be empty: back up the machine as soon as it is protected"},
			"firstBackup.recoveryPointExpiryTimeInUTC": {
				Meaning: "time after which that backup may be deleted; in the future. Default: Azure's retention of on-demand backups",
			},
		}),
		Rules: schema.Object{"not": schema.Given("includeDisks", "excludeDisks")},
	}
}

func (a azure) checkProtectVM(c *checks, p *ProtectVM) {
	vault := c.vault("vaultId", p.VaultID)
	c.machine("virtualMachineId", p.VirtualMachineID)
	p.Policy = c.policy("policy", p.Policy, vault)
	c.dataDisks("includeDisks", p.IncludeDisks)
	if p.ExcludeDisks != nil {
		c.luns("excludeDisks", p.ExcludeDisks.LUNs)
	}
	if p.IncludeDisks != nil && p.ExcludeDisks != nil {
		c.add("excludeDisks", "is set together with includeDisks", "at most one of them")
	}
	if p.FirstBackup != nil {
		c.expiry("firstBackup.recoveryPointExpiryTimeInUTC", p.FirstBackup.RecoveryPointExpiryTimeInUTC, a.Now())
	}
}

// disks returns the exclusion of disks in the words of the API.
func (p ProtectVM) disks() *recoveryservices.DiskExclusion {
	switch {
	case p.IncludeDisks != nil:
		return &recoveryservices.DiskExclusion{LUNs: p.IncludeDisks.luns(), Included: true}
	case p.ExcludeDisks != nil:
		return &recoveryservices.DiskExclusion{LUNs: lunsOf(p.ExcludeDisks.LUNs)}
	}
	return nil
}

func (a azure) protectVM() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "protect-vm", Version: 1,
			Item:     parameterKey(func(p ProtectVM) string { return resourceKey(p.VirtualMachineID) }),
			Summary:  "discover and protect a virtual machine, and back it up if requested",
			Deadline: 48 * time.Hour,
			Priority: operation.PriorityProtect,
			Check:    check(a.checkProtectVM),
			Steps:    append(a.protectVMSteps(), withFirstBackup(a.backupSteps(firstMachineBackup)...)...),
		},
		Role:       roles.Protect,
		Parameters: protectVMParameters,
		Intro: "Protects a virtual machine with a policy of a Recovery Services vault, and backs it up if requested. It is done when the vault lists " +
			"the machine as protected with that policy and, with a first backup, when the backup's job has completed. A machine that is soft-deleted, or that " +
			"another vault or another policy protects, is reported and not changed.",
		Notes: "The vault discovers machines only if it does not list the machine yet. The steps from `trigger-backup` on run only with `firstBackup`. " +
			"Disks are named by their logical unit numbers (LUN), which the portal shows with the machine's disks.",
		Examples: []Example{{
			File: "protect-vm", About: "virtual machine vm2", Key: "protect-vm2", Deadline: "P1D", Labels: team("machines"),
			Parameters: ProtectVM{VaultID: exampleVault, VirtualMachineID: exampleMachines + "vm2", Policy: "DefaultPolicy", ExcludeDisks: &ExcludedDisks{LUNs: []int{1}}},
			Cost:       "a virtual machine that the vault does not know yet",
		}},
	}
}

func (a azure) protectVMSteps() []step.Step {
	return []step.Step{
		{
			Name: "check-policy", Effect: step.Read, Run: forVault(a.checkMachinePolicy), Calls: []string{"ProtectionPolicies_Get"},
			Asks: "reads the policy", Then: "a policy that does not exist, is not for virtual machines or is full is rejected before anything is changed",
		},
		{
			Name: "check-machine", Effect: step.Read, Run: forVault(a.checkMachine), Calls: []string{"VirtualMachines_Get", "Vaults_Get"},
			Asks: "reads the virtual machine and the vault", Then: "a machine in another region, or one that needs an enhanced policy, is rejected",
		},
		{
			Name: "find-item", Effect: step.Read, Run: a.findProtectedMachine("find-machine"), Calls: []string{"BackupProtectedItems_List"},
			Asks: "lists the vault's protected virtual machines of this name",
			Then: "protected with this policy: done, or on to the first backup. Protected with another policy, stopped or soft-deleted: reported, never changed",
		},
		{
			Name: "find-machine", Effect: step.Read, Run: forVault(a.findMachine("refresh")), Calls: []string{"BackupProtectableItems_List"},
			Asks: "lists the machines that can be protected", Then: "a listed machine continues with `find-item-again`. Its names are read from the list's IDs, never composed",
		},
		{
			Name: "refresh", Effect: step.Repeatable, Run: forVault(a.refreshMachines), Calls: []string{"ProtectionContainers_Refresh"},
			Asks: "lets the vault discover virtual machines",
		},
		a.awaitOperation("await-refresh", operationWait{retry: "refresh", what: "the discovery of virtual machines"}),
		{
			Name: "find-discovered", Effect: step.Read, Run: forVault(a.findMachine("find-elsewhere")), Calls: []string{"BackupProtectableItems_List"},
			Asks: "lists the machines that can be protected", Then: "a listed machine continues with `find-item-again`",
		},
		{
			Name: "find-elsewhere", Effect: step.Read, Run: forVault(a.findElsewhere), Calls: []string{"BackupStatus_Get"},
			Asks: "reads which vault protects the machine", Then: "a machine that another vault protects is rejected, with that vault's ID. Otherwise the vault discovers again",
		},
		{
			Name: "find-item-again", Effect: step.Read, Run: a.findProtectedMachine("enable-protection"), Calls: []string{"BackupProtectedItems_List"},
			Asks: "lists the vault's protected virtual machines of this name", Then: "someone may have protected the machine in the meantime",
		},
		{
			Name: "enable-protection", Effect: step.Idempotent, Run: forVault(a.enableMachine), Calls: []string{"ProtectedItems_CreateOrUpdate"},
			Asks: "writes the protected item with the policy",
		},
		a.awaitOperation("await-protection", operationWait{
			retry: "enable-protection", undiscovered: "refresh", job: "await-protection-job", gone: "confirm-protection", what: "enabling protection",
		}),
		awaitJob("await-protection-job", jobWait{reader: a.serviceJob(requestedVault[ProtectVM]), retry: "enable-protection", undiscovered: "refresh"}),
		{
			Name: "confirm-protection", Effect: step.Read, Run: forVault(a.confirmMachine), Calls: []string{"BackupProtectedItems_List"},
			Asks: "lists the vault's protected virtual machines of this name until the machine is one of them",
		},
	}
}

func (p ProtectVM) recoveryVault() string { return p.VaultID }

// readPolicy reads a policy of a Recovery Services vault and rejects one that is
// not for the kind of backup and workload.
func (a azure) readPolicy(ctx context.Context, c step.Call, vault resourceid.VaultID, name, management, workload, what string) (recoveryservices.Policy, error) {
	policy, err := a.recoveryServices(c).GetPolicy(ctx, vault, name)
	if azerr.IsNotFound(err) {
		return policy, fatal("PolicyNotFound", fmt.Sprintf("policy %q not found in vault %q, or not readable", name, vault.Name),
			"Check parameters.vaultId and parameters.policy: `az backup policy list` lists the vault's policies.")
	}
	if err != nil {
		return policy, err
	}
	if !strings.EqualFold(policy.BackupManagementType, management) || policy.WorkloadType != "" && !strings.EqualFold(policy.WorkloadType, workload) {
		return policy, fatal("PolicyDoesNotFit", fmt.Sprintf("policy %s is for %s %s, not for %s", policy.Name, policy.BackupManagementType, policy.WorkloadType, what),
			"Name a policy of the vault that is for "+what+".")
	}
	return policy, nil
}

// learnedEnhanced is set if the policy is an enhanced one.
const learnedEnhanced = "policyIsEnhanced"

func (a azure) checkMachinePolicy(ctx context.Context, c step.Call, p ProtectVM, vault resourceid.VaultID) (operation.Outcome, error) {
	policy, err := a.readPolicy(ctx, c, vault, p.Policy, recoveryservices.ManagementAzureIaasVM, "VM", "virtual machines")
	if err != nil {
		return operation.Outcome{}, err
	}
	if policy.ItemCount >= maxMachinesPerPolicy {
		return operation.Outcome{}, fatal("PolicyFull", fmt.Sprintf("policy %s protects %d items; Azure allows %d virtual machines for each policy", policy.Name, policy.ItemCount, maxMachinesPerPolicy),
			"Name another policy of the vault.")
	}
	facts := map[string]string{learnedPolicy: policy.ID}
	if policy.Enhanced {
		facts[learnedEnhanced] = "true"
	}
	return learn(next("policy "+policy.Name+" fits virtual machines"), facts), nil
}

// checkMachine rejects, before anything is changed, what Azure would reject later
// with less clear errors.
func (a azure) checkMachine(ctx context.Context, c step.Call, p ProtectVM, vault resourceid.VaultID) (operation.Outcome, error) {
	machine, err := sources.New(a.client(c)).GetVirtualMachine(ctx, p.VirtualMachineID)
	if azerr.IsNotFound(err) {
		return operation.Outcome{}, fatal("VirtualMachineNotFound", "virtual machine not found: "+p.VirtualMachineID, "Check parameters.virtualMachineId.")
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	read, err := a.recoveryServices(c).GetVault(ctx, vault)
	switch {
	case err != nil:
		return operation.Outcome{}, err
	case !strings.EqualFold(machine.Location, read.Location):
		return operation.Outcome{}, fatal("RegionDoesNotFit", fmt.Sprintf("virtual machine %s is in %s, vault %s in %s", machine.Name, machine.Location, vault.Name, read.Location),
			"Name a vault in the machine's region in parameters.vaultId.")
	case machine.NeedsEnhancedPolicy() && c.Operation.Learned[learnedEnhanced] == "":
		return operation.Outcome{}, fatal("EnhancedPolicyNeeded", fmt.Sprintf("virtual machine %s has the security type %s, which only enhanced policies can protect; policy %s is a standard one", machine.Name, machine.SecurityType, p.Policy),
			"Name an enhanced policy (policy type V2) in parameters.policy.")
	}
	return learn(next("the machine and the vault are in "+machine.Location), map[string]string{learnedLocation: machine.Location}), nil
}

// findVM returns the vault's protected item of the machine.
func (a azure) findVM(ctx context.Context, c step.Call, vault resourceid.VaultID, id string) (item recoveryservices.ProtectedItem, found bool, err error) {
	items, err := a.recoveryServices(c).FindProtectedItems(ctx, vault, recoveryservices.ManagementAzureIaasVM, "VM", resourceid.LastName(id))
	if err != nil {
		return item, false, err
	}
	for _, i := range items {
		if resourceid.Equal(i.SourceResourceID, id) {
			return i, true, nil
		}
	}
	return item, false, nil
}

// findProtectedMachine finds out whether the vault already protects the machine.
func (a azure) findProtectedMachine(otherwise string) run {
	return forVault(func(ctx context.Context, c step.Call, p ProtectVM, vault resourceid.VaultID) (operation.Outcome, error) {
		item, found, err := a.findVM(ctx, c, vault, p.VirtualMachineID)
		if err != nil {
			return operation.Outcome{}, err
		}
		if !found {
			return skipTo(otherwise, "the machine is not protected yet"), nil
		}
		if err := underPolicy(c, item); err != nil {
			return operation.Outcome{}, err
		}
		return machineProtected(p, item, "already protected with policy "+p.Policy), nil
	})
}

// machineProtected finishes the flow, or continues with the first backup.
func machineProtected(p ProtectVM, item recoveryservices.ProtectedItem, note string) operation.Outcome {
	out := skipTo(triggerStep, note)
	if p.FirstBackup == nil {
		out = finish(note)
	}
	return learn(out, factsOf(item))
}

// findMachine reads the machine's names from the vault's list.
func (a azure) findMachine(otherwise string) func(context.Context, step.Call, ProtectVM, resourceid.VaultID) (operation.Outcome, error) {
	return func(ctx context.Context, c step.Call, p ProtectVM, vault resourceid.VaultID) (operation.Outcome, error) {
		machines, err := a.recoveryServices(c).ListProtectableMachines(ctx, vault)
		if err != nil {
			return operation.Outcome{}, err
		}
		for _, m := range machines {
			if resourceid.Equal(m.MachineID, p.VirtualMachineID) {
				return learn(skipTo("find-item-again", "the vault has discovered the machine as "+m.ItemName), map[string]string{
					learnedItemName: m.ItemName, learnedContainer: m.ContainerName, learnedSource: m.MachineID,
				}), nil
			}
		}
		return skipTo(otherwise, "the vault does not list the machine"), nil
	}
}

func (a azure) refreshMachines(ctx context.Context, c step.Call, _ ProtectVM, vault resourceid.VaultID) (operation.Outcome, error) {
	submitted, err := a.recoveryServices(c).RefreshFor(ctx, vault, recoveryservices.ManagementAzureIaasVM)
	return accepted(submitted, err, "the vault discovers virtual machines")
}

// findElsewhere looks for a vault that protects a machine that cannot be
// discovered: a protected machine is in no list of protectable ones.
func (a azure) findElsewhere(ctx context.Context, c step.Call, p ProtectVM, vault resourceid.VaultID) (operation.Outcome, error) {
	machine, err := resourceid.Parse(p.VirtualMachineID)
	if err != nil {
		return operation.Outcome{}, unreadable(err)
	}
	status, err := a.recoveryServices(c).GetMachineStatus(ctx, machine.SubscriptionID, c.Operation.Learned[learnedLocation], p.VirtualMachineID)
	switch {
	case err != nil:
		return operation.Outcome{}, err
	case status.Protected && !resourceid.Equal(status.VaultID, vault.String()):
		return operation.Outcome{}, fatal("ProtectedByAnotherVault", fmt.Sprintf("virtual machine %s is already protected, by vault %s with the policy %s", machine.Name, status.VaultID, status.Policy),
			"To move the protection, first end it there with the flow delete-protection.")
	}
	return backTo("refresh", notYet("VirtualMachineNotDiscovered", fmt.Sprintf("vault %s does not list %s as a virtual machine that it can protect", vault.Name, p.VirtualMachineID),
		"Check that the machine exists, is in the vault's region, and is not protected by another vault.")), nil
}

func (a azure) enableMachine(ctx context.Context, c step.Call, p ProtectVM, vault resourceid.VaultID) (operation.Outcome, error) {
	known := c.Operation.Learned
	submitted, err := a.recoveryServices(c).ProtectMachine(ctx, vault, known[learnedContainer], known[learnedItemName], known[learnedSource], known[learnedPolicy], p.disks())
	return accepted(submitted, err, "protection is being enabled")
}

func (a azure) confirmMachine(ctx context.Context, c step.Call, p ProtectVM, vault resourceid.VaultID) (operation.Outcome, error) {
	item, found, err := a.findVM(ctx, c, vault, p.VirtualMachineID)
	if err := confirmItem(c, item, found, err); err != nil {
		return operation.Outcome{}, err
	}
	return machineProtected(p, item, "protected with policy "+p.Policy), nil
}

// firstMachineBackup returns the body of the first backup.
func firstMachineBackup(c step.Call) (recoveryservices.BackupRequest, error) {
	p, err := parametersOf[ProtectVM](c)
	if err != nil {
		return recoveryservices.BackupRequest{}, err
	}
	return p.FirstBackup.request(recoveryservices.BackupIaasVM), nil
}
