package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// ProtectFileShare asks for a file share to be put under a policy.
// Source: learn.microsoft.com, "Backup Azure file share using Azure Backup via
// REST API".
type ProtectFileShare struct {
	// VaultID is the Recovery Services vault. Its subscription and resource
	// group may be others than the storage account's.
	VaultID string `json:"vaultId"`
	// StorageAccountID and FileShare say what to protect.
	StorageAccountID string `json:"storageAccountId"`
	FileShare        string `json:"fileShare"`
	// Policy is the name of one of the vault's policies, or its resource id.
	Policy string `json:"policy"`
	// FirstBackup, where given, backs the share up as soon as it is protected.
	FirstBackup *FirstBackup `json:"firstBackup,omitempty"`
}

// FirstBackup says how the first backup is made.
type FirstBackup struct {
	// RecoveryPointExpiryTimeInUTC is when the backup may be deleted; without
	// it Azure keeps it as long as it keeps on-demand backups.
	RecoveryPointExpiryTimeInUTC *time.Time `json:"recoveryPointExpiryTimeInUTC,omitempty"`
}

func (a azure) checkProtectFileShare(raw json.RawMessage) (json.RawMessage, error) {
	var p ProtectFileShare
	if err := step.Decode(raw, &p, "parameters"); err != nil {
		return nil, err
	}
	var c checks
	vault := c.vault("vaultId", p.VaultID)
	c.storageAccount("storageAccountId", p.StorageAccountID)
	c.fileShare("fileShare", p.FileShare)
	p.Policy = c.policy("policy", p.Policy, vault)
	if p.FirstBackup != nil {
		c.expiry("firstBackup.recoveryPointExpiryTimeInUTC", p.FirstBackup.RecoveryPointExpiryTimeInUTC, a.Now())
	}
	return c.done(p)
}

func (a azure) protectFileShare() step.Flow {
	vault := func(c step.Call) (resourceid.VaultID, error) {
		_, s, err := protectParameters(c)
		return s.vault, err
	}
	return step.Flow{
		Name: "protect-file-share", Version: 1, Item: protectedShareKey,
		Summary:  "discover, register, inquire and protect an Azure file share, and back it up if asked",
		Deadline: 24 * time.Hour,
		Priority: operation.PriorityProtect,
		Check:    a.checkProtectFileShare,
		Steps: append([]step.Step{
			{Name: "check-policy", Effect: step.Read, Run: forShare(a.checkPolicy)},
			{Name: "find-item", Effect: step.Read, Run: a.findProtected("find-registration")},
			{Name: "find-registration", Effect: step.Read, Run: forShare(a.findRegistration)},
			{Name: "refresh", Effect: step.Repeatable, Run: forShare(a.refresh)},
			a.awaitOperation("await-refresh", awaited{retry: "refresh", what: "the discovery of storage accounts"}),
			{Name: "find-container", Effect: step.Read, Run: forShare(a.findContainer)},
			{Name: "register", Effect: step.Idempotent, Run: forShare(a.register)},
			a.awaitOperation("await-registration", awaited{retry: "register", gone: "find-registration", what: "the registration of the storage account"}),
			{Name: "inquire", Effect: step.Repeatable, Run: forShare(a.inquire)},
			a.awaitOperation("await-inquiry", awaited{retry: "inquire", what: "the inquiry for file shares"}),
			{Name: "find-share", Effect: step.Read, Run: forShare(a.findProtectable)},
			{Name: "find-item-again", Effect: step.Read, Run: a.findProtected("enable-protection")},
			{Name: "enable-protection", Effect: step.Idempotent, Run: forShare(a.enableProtection)},
			a.awaitOperation("await-protection", awaited{retry: "enable-protection", job: "await-protection-job", gone: "confirm-protection", what: "enabling protection"}),
			awaitJob("await-protection-job", awaitedJob{read: a.serviceJob(vault), retry: "enable-protection"}),
			{Name: "confirm-protection", Effect: step.Read, Run: forShare(a.confirmProtection)},
		}, a.backupSteps(firstBackup)...),
	}
}

// protectParameters reads the parameters that Check normalised.
func protectParameters(c step.Call) (p ProtectFileShare, s share, err error) {
	if err := json.Unmarshal(c.Operation.Parameters, &p); err != nil {
		return p, s, fatal("ParametersUnreadable", err.Error())
	}
	vault, err := resourceid.ParseVaultID(p.VaultID, resourceid.RecoveryServicesVault)
	if err != nil {
		return p, s, fatal("ParametersUnreadable", err.Error())
	}
	return p, share{vault: vault, account: p.StorageAccountID, name: p.FileShare}, nil
}

// forShare gives a step the parameters that it works on.
func forShare(run func(context.Context, step.Call, ProtectFileShare, share) (operation.Outcome, error)) func(context.Context, step.Call) (operation.Outcome, error) {
	return func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		p, s, err := protectParameters(c)
		if err != nil {
			return operation.Outcome{}, err
		}
		return run(ctx, c, p, s)
	}
}

// checkPolicy refuses a policy that the vault does not have or that is for
// other things than file shares, before anything is changed.
func (a azure) checkPolicy(ctx context.Context, c step.Call, p ProtectFileShare, s share) (operation.Outcome, error) {
	policy, err := a.recoveryServices(c).GetPolicy(ctx, s.vault, p.Policy)
	if isNotFound(err) {
		return operation.Outcome{}, fatal("PolicyNotFound",
			fmt.Sprintf("vault %s or its policy %s does not exist, or may not be read", s.vault.Name, p.Policy),
			"Check parameters.vaultId and parameters.policy: `az backup policy list` lists the vault's policies.")
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	fits := strings.EqualFold(policy.BackupManagementType, recoveryservices.ManagementAzureStorage) &&
		(policy.WorkloadType == "" || strings.EqualFold(policy.WorkloadType, "AzureFileShare"))
	if !fits {
		return operation.Outcome{}, fatal("PolicyDoesNotFit",
			fmt.Sprintf("policy %s is for %s %s, not for file shares", policy.Name, policy.BackupManagementType, policy.WorkloadType),
			"Name a policy whose workload type is AzureFileShare.")
	}
	return learn(next("policy "+policy.Name+" fits file shares"), map[string]string{learnedPolicy: policy.ID}), nil
}

// findProtected looks whether the vault protects the share already: with this
// policy that is success, with another it is reported and never changed.
// Otherwise the flow goes on with the step named.
func (a azure) findProtected(otherwise string) func(context.Context, step.Call) (operation.Outcome, error) {
	return forShare(func(ctx context.Context, c step.Call, p ProtectFileShare, s share) (operation.Outcome, error) {
		item, found, err := a.findShare(ctx, c, s)
		if err != nil {
			return operation.Outcome{}, err
		}
		if !found {
			return skipTo(otherwise, "the share is not protected yet"), nil
		}
		if err := a.underPolicy(c, item); err != nil {
			return operation.Outcome{}, err
		}
		return protected(p, item, "already protected with policy "+p.Policy), nil
	})
}

// underPolicy says why the item is not what was asked for; nil if it is.
func (a azure) underPolicy(c step.Call, item recoveryservices.ProtectedItem) error {
	if err := usable(item); err != nil {
		return err
	}
	if want := c.Operation.Learned[learnedPolicy]; !resourceid.Equal(item.PolicyID, want) {
		return fatal("ProtectedByAnotherPolicy",
			fmt.Sprintf("%s is protected already, under the policy %s", item.FriendlyName, item.PolicyID),
			"Ask with that policy, or change the item's policy in the vault yourself: azbackupflow does not change it, because that may shorten how long backups are kept.")
	}
	return nil
}

// protected ends the flow, or goes on to the first backup.
func protected(p ProtectFileShare, item recoveryservices.ProtectedItem, note string) operation.Outcome {
	out := skipTo(triggerStep, note)
	if p.FirstBackup == nil {
		out = operation.Outcome{Kind: operation.Finish, Note: note}
	}
	return learn(out, factsOf(item))
}

// findRegistration skips discovery where the storage account is registered
// with the vault already.
func (a azure) findRegistration(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	name := s.account[strings.LastIndexByte(s.account, '/')+1:]
	containers, err := a.recoveryServices(c).ListRegisteredContainers(ctx, s.vault, name)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, container := range containers {
		if resourceid.Equal(container.SourceResourceID, s.account) {
			return learn(skipTo("inquire", "storage account "+name+" is registered already"),
				map[string]string{learnedContainer: container.Name, learnedAccount: container.SourceResourceID}), nil
		}
	}
	return next("storage account " + name + " is not registered yet"), nil
}

func (a azure) refresh(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	submitted, err := a.recoveryServices(c).RefreshContainers(ctx, s.vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "the vault looks for storage accounts"), nil
}

// findContainer reads the container's name from the vault's list.
func (a azure) findContainer(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	containers, err := a.recoveryServices(c).ListProtectableContainers(ctx, s.vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, container := range containers {
		if resourceid.Equal(container.ContainerID, s.account) {
			return learn(next("the vault has found storage account "+container.FriendlyName),
				map[string]string{learnedContainer: container.Name, learnedAccount: container.ContainerID}), nil
		}
	}
	return backTo("find-registration", notYet("StorageAccountNotDiscovered",
		fmt.Sprintf("vault %s does not list %s among the storage accounts that it can protect", s.vault.Name, s.account),
		"Check that the storage account exists, is in the vault's region, and is not registered with another vault.")), nil
}

func (a azure) register(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	submitted, err := a.recoveryServices(c).RegisterStorageAccount(ctx, s.vault, c.Operation.Learned[learnedContainer], c.Operation.Learned[learnedAccount])
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "the storage account is being registered"), nil
}

func (a azure) inquire(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	submitted, err := a.recoveryServices(c).Inquire(ctx, s.vault, c.Operation.Learned[learnedContainer])
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "the vault looks for file shares of the storage account"), nil
}

// findProtectable reads the item's name from the vault's list. A share that
// was made after the last inquiry is not there: inquire again.
func (a azure) findProtectable(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	shares, err := a.recoveryServices(c).ListProtectableFileShares(ctx, s.vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, found := range shares {
		if strings.EqualFold(found.FriendlyName, s.name) && resourceid.Equal(found.ParentContainerFabricID, s.account) {
			return learn(next("the vault has found the file share as "+found.Name), map[string]string{
				learnedItemName: found.Name, learnedContainer: found.ContainerName, learnedAccount: found.ParentContainerFabricID,
			}), nil
		}
	}
	return backTo("find-item", notYet("FileShareNotVisible",
		fmt.Sprintf("vault %s does not see file share %s of %s yet", s.vault.Name, s.name, s.account),
		"Check that the file share exists and that the vault may reach the storage account.")), nil
}

func (a azure) enableProtection(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	known := c.Operation.Learned
	submitted, err := a.recoveryServices(c).ProtectFileShare(ctx, s.vault, known[learnedContainer], known[learnedItemName], known[learnedAccount], known[learnedPolicy])
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "protection is being enabled"), nil
}

// confirmProtection reads the item: done means that the vault says so.
func (a azure) confirmProtection(ctx context.Context, c step.Call, p ProtectFileShare, s share) (operation.Outcome, error) {
	item, found, err := a.findShare(ctx, c, s)
	if err != nil {
		return operation.Outcome{}, err
	}
	if !found {
		return operation.Outcome{}, notYet("ItemNotVisible", "protection was enabled, but the vault does not list the item yet")
	}
	if err := a.underPolicy(c, item); err != nil {
		return operation.Outcome{}, err
	}
	return protected(p, item, "protected with policy "+p.Policy), nil
}

// firstBackup is the body of the first backup.
func firstBackup(c step.Call) (recoveryservices.BackupRequest, error) {
	p, _, err := protectParameters(c)
	if err != nil {
		return recoveryservices.BackupRequest{}, err
	}
	r := recoveryservices.BackupRequest{ObjectType: recoveryservices.BackupAzureFileShare}
	if p.FirstBackup != nil && p.FirstBackup.RecoveryPointExpiryTimeInUTC != nil {
		r.RecoveryPointExpiryTimeInUTC = *p.FirstBackup.RecoveryPointExpiryTimeInUTC
	}
	return r, nil
}
