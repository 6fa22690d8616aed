package flow

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// ProtectFileShare protects a file share with a policy.
// Source: learn.microsoft.com, "Backup Azure file share using Azure Backup via
// REST API".
type ProtectFileShare struct {
	// VaultID is the Recovery Services vault. It may be in another subscription
	// and resource group than the storage account.
	VaultID string `json:"vaultId"`
	// StorageAccountID and FileShare name what to protect.
	StorageAccountID string `json:"storageAccountId"`
	FileShare        string `json:"fileShare"`
	// Policy is the name or resource ID of one of the vault's policies.
	Policy string `json:"policy"`
	// FirstBackup, if set, backs the share up as soon as it is protected.
	FirstBackup *FirstBackup `json:"firstBackup,omitempty"`
}

// FirstBackup holds the options of the first backup.
type FirstBackup struct {
	// RecoveryPointExpiryTimeInUTC is the time after which the backup may be
	// deleted; nil keeps it for Azure's retention of on-demand backups.
	RecoveryPointExpiryTimeInUTC *time.Time `json:"recoveryPointExpiryTimeInUTC,omitempty"`
}

func (a azure) checkProtectFileShare(c *checks, p *ProtectFileShare) {
	vault := c.vault("vaultId", p.VaultID)
	c.storageAccount("storageAccountId", p.StorageAccountID)
	c.fileShare("fileShare", p.FileShare)
	p.Policy = c.policy("policy", p.Policy, vault)
	if p.FirstBackup != nil {
		c.expiry("firstBackup.recoveryPointExpiryTimeInUTC", p.FirstBackup.RecoveryPointExpiryTimeInUTC, a.Now())
	}
}

func protectFileShareParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[ProtectFileShare](),
		Fields: schema.Fields{
			"vaultId": {
				Required: true, Rule: vaultRule(),
				Meaning: "resource ID of the Recovery Services vault. It may be in another subscription or resource group than the storage account",
			},
			"storageAccountId": {Required: true, Meaning: "resource ID of the storage account", Rule: storageAccountRule()},
			"fileShare":        {Required: true, Meaning: "name of the file share", Rule: fileShareRule()},
			"policy":           {Required: true, Meaning: "name of one of the vault's policies, or its resource ID. It must be for Azure file shares", Rule: policyRule()},
			"firstBackup":      {Meaning: "an object, which may be empty: back up the share as soon as it is protected"},
			"firstBackup.recoveryPointExpiryTimeInUTC": {
				Meaning: "time after which that backup may be deleted; in the future. Default: Azure's retention of on-demand backups",
			},
		},
	}
}

func (a azure) protectFileShare() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "protect-file-share", Version: 1,
			Item:     parameterKey(func(p ProtectFileShare) string { return shareKey(p.StorageAccountID, p.FileShare) }),
			Summary:  "discover, register, inquire and protect an Azure file share, and back it up if requested",
			Deadline: 24 * time.Hour,
			Priority: operation.PriorityProtect,
			Check:    check(a.checkProtectFileShare),
			Steps:    append(a.protectFileShareSteps(), withFirstBackup(a.backupSteps(firstBackup)...)...),
		},
		Role:       roles.Protect,
		Parameters: protectFileShareParameters,
		Intro: "Protects an Azure file share with a policy of a Recovery Services vault, and backs it up if requested. It continues from any " +
			"state: steps that are already done are skipped. It is done when the vault lists the share as protected with that policy and, with " +
			"a first backup, when the backup's job has completed.",
		Notes: "The steps from `trigger-backup` on run only with `firstBackup`.",
		Examples: []Example{{
			File: "protect-file-share", About: "file share testshare", Key: "protect-testshare", Deadline: "PT6H", Labels: team("files"),
			Parameters: ProtectFileShare{
				VaultID: exampleVault, StorageAccountID: exampleAccount, FileShare: "testshare", Policy: "schedule1", FirstBackup: &FirstBackup{},
			},
			Cost: "a share whose storage account the vault does not know yet, with its first backup",
		}},
	}
}

// protectFileShareSteps returns the steps up to the protection of the share.
func (a azure) protectFileShareSteps() []step.Step {
	return []step.Step{
		{
			Name: "check-policy", Effect: step.Read, Run: forShare(a.checkPolicy), Calls: []string{"ProtectionPolicies_Get"},
			Asks: "reads the policy", Then: "a policy that does not exist or is not for file shares is rejected before anything is changed",
		},
		{
			Name: "find-item", Effect: step.Read, Run: a.findProtected("find-registration"), Calls: []string{"BackupProtectedItems_List"},
			Asks: "lists the vault's protected file shares",
			Then: "protected with this policy: done, or on to the first backup. Protected with another policy: reported, never changed",
		},
		{
			Name: "find-registration", Effect: step.Read, Run: forShare(a.findRegistration), Calls: []string{"BackupProtectionContainers_List"},
			Asks: "lists the vault's registered storage accounts", Then: "a registered account continues with `inquire`",
		},
		{
			Name: "refresh", Effect: step.Repeatable, Run: forShare(a.refresh), Calls: []string{"ProtectionContainers_Refresh"},
			Asks: "lets the vault discover storage accounts",
		},
		a.awaitOperation("await-refresh", operationWait{retry: "refresh", what: "the discovery of storage accounts"}),
		{
			Name: "find-container", Effect: step.Read, Run: forShare(a.findContainer), Calls: []string{"ProtectableContainers_List"},
			Asks: "lists the storage accounts that can be registered",
			Then: "the container's name is read from the list, never composed. An account that is not listed goes back to `find-registration`",
		},
		{
			Name: "register", Effect: step.Idempotent, Run: forShare(a.register), Calls: []string{"ProtectionContainers_Register"},
			Asks: "registers the storage account with the vault",
		},
		a.awaitRegistration(),
		{
			Name: "inquire", Effect: step.Repeatable, Run: forShare(a.inquire), Calls: []string{"ProtectionContainers_Inquire"},
			Asks: "lets the vault discover the account's file shares",
		},
		a.awaitOperation("await-inquiry", operationWait{retry: "inquire", what: "the inquiry for file shares"}),
		{
			Name: "find-share", Effect: step.Read, Run: forShare(a.findProtectable), Calls: []string{"BackupProtectableItems_List"},
			Asks: "lists the file shares that can be protected",
			Then: "the item's name is read from the list; it may be a hash. Name and account must match. A share that is not listed goes back to `find-item`, to inquire again",
		},
		{
			Name: "find-item-again", Effect: step.Read, Run: a.findProtected("enable-protection"), Calls: []string{"BackupProtectedItems_List"},
			Asks: "lists the vault's protected file shares", Then: "someone may have protected the share in the meantime",
		},
		{
			Name: "enable-protection", Effect: step.Idempotent, Run: forShare(a.enableProtection), Calls: []string{"ProtectedItems_CreateOrUpdate"},
			Asks: "writes the protected item with the policy", Then: "a share that the vault does not know goes back to `find-registration`, to inquire and list again",
		},
		a.awaitOperation("await-protection", operationWait{retry: "enable-protection", undiscovered: "find-registration", job: "await-protection-job", gone: "confirm-protection", what: "enabling protection"}),
		awaitJob("await-protection-job", jobWait{reader: a.serviceJob(fileShareVault), retry: "enable-protection", undiscovered: "find-registration"}),
		{
			Name: "confirm-protection", Effect: step.Read, Run: forShare(a.confirmProtection), Calls: []string{"BackupProtectedItems_List"},
			Asks: "lists the vault's protected file shares", Then: "it is done only when the vault lists the share",
		},
	}
}

// share returns the share and its vault.
func (p ProtectFileShare) share() (share, error) {
	vault, err := resourceid.ParseVaultID(p.VaultID, resourceid.RecoveryServicesVault)
	if err != nil {
		return share{}, unreadable(err)
	}
	return share{vault: vault, account: p.StorageAccountID, name: p.FileShare}, nil
}

func fileShareVault(c step.Call) (resourceid.VaultID, error) {
	p, err := parametersOf[ProtectFileShare](c)
	if err != nil {
		return resourceid.VaultID{}, err
	}
	s, err := p.share()
	return s.vault, err
}

// forShare passes a step the parameters that it works on.
func forShare(f func(context.Context, step.Call, ProtectFileShare, share) (operation.Outcome, error)) run {
	return with(func(ctx context.Context, c step.Call, p ProtectFileShare) (operation.Outcome, error) {
		s, err := p.share()
		if err != nil {
			return operation.Outcome{}, err
		}
		return f(ctx, c, p, s)
	})
}

// checkPolicy rejects a policy that the vault does not have or that is not for
// file shares, before anything is changed.
func (a azure) checkPolicy(ctx context.Context, c step.Call, p ProtectFileShare, s share) (operation.Outcome, error) {
	policy, err := a.recoveryServices(c).GetPolicy(ctx, s.vault, p.Policy)
	if azerr.IsNotFound(err) {
		return operation.Outcome{}, fatal("PolicyNotFound",
			fmt.Sprintf("policy %q not found in vault %q, or not readable", p.Policy, s.vault.Name),
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

// findProtected finds out whether the vault already protects the share: with this
// policy it succeeds, another policy is reported and never changed. An
// unprotected share continues with the step.
func (a azure) findProtected(otherwise string) run {
	return forShare(func(ctx context.Context, c step.Call, p ProtectFileShare, s share) (operation.Outcome, error) {
		item, found, err := a.findShare(ctx, c, s)
		if err != nil {
			return operation.Outcome{}, err
		}
		if !found {
			return skipTo(otherwise, "the share is not protected yet"), nil
		}
		if err := underPolicy(c, item); err != nil {
			return operation.Outcome{}, err
		}
		return protected(p, item, "already protected with policy "+p.Policy), nil
	})
}

// underPolicy returns why the item is not protected as requested; nil if it is.
func underPolicy(c step.Call, item recoveryservices.ProtectedItem) error {
	if err := rejectedItem(item, treatItem(item).protect, c.Now); err != nil {
		return err
	}
	if want := c.Operation.Learned[learnedPolicy]; !resourceid.Equal(item.PolicyID, want) {
		return protectedByAnotherPolicy(fmt.Sprintf("%s is already protected, under the policy %s", item.FriendlyName, item.PolicyID))
	}
	return nil
}

// protected finishes the flow, or continues with the first backup.
func protected(p ProtectFileShare, item recoveryservices.ProtectedItem, note string) operation.Outcome {
	out := skipTo(triggerStep, note)
	if p.FirstBackup == nil {
		out = finish(note)
	}
	return learn(out, factsOf(item))
}

func (a azure) refresh(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	submitted, err := a.recoveryServices(c).RefreshContainers(ctx, s.vault)
	return accepted(submitted, err, "the vault discovers storage accounts")
}

// findContainer reads the container's name from the vault's list.
func (a azure) findContainer(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	containers, err := a.recoveryServices(c).ListProtectableContainers(ctx, s.vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, container := range containers {
		if resourceid.Equal(container.ContainerID, s.account) {
			return learn(next("the vault has discovered storage account "+container.FriendlyName),
				map[string]string{learnedContainer: container.Name, learnedAccount: container.ContainerID}), nil
		}
	}
	return backTo("find-registration", notYet("StorageAccountNotDiscovered",
		fmt.Sprintf("vault %s does not list %s as a storage account that it can protect", s.vault.Name, s.account),
		"Check that the storage account exists, is in the vault's region, and is not registered with another vault.")), nil
}

func (a azure) inquire(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	submitted, err := a.recoveryServices(c).Inquire(ctx, s.vault, c.Operation.Learned[learnedContainer])
	return accepted(submitted, err, "the vault discovers the file shares of the storage account")
}

// findProtectable reads the item's name from the vault's list. A share that was
// created after the last inquiry is not in it: the flow inquires again.
func (a azure) findProtectable(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	shares, err := a.recoveryServices(c).ListProtectableFileShares(ctx, s.vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, found := range shares {
		if strings.EqualFold(found.FriendlyName, s.name) && resourceid.Equal(found.ParentContainerFabricID, s.account) {
			return learn(next("the vault has discovered the file share as "+found.Name), map[string]string{
				learnedItemName: found.Name, learnedContainer: found.ContainerName, learnedAccount: found.ParentContainerFabricID,
			}), nil
		}
	}
	return backTo("find-item", notYet("FileShareNotVisible",
		fmt.Sprintf("vault %s does not list file share %s of %s yet", s.vault.Name, s.name, s.account),
		"Check that the file share exists and that the vault can reach the storage account.")), nil
}

func (a azure) enableProtection(ctx context.Context, c step.Call, _ ProtectFileShare, s share) (operation.Outcome, error) {
	facts := c.Operation.Learned
	submitted, err := a.recoveryServices(c).ProtectFileShare(ctx, s.vault, facts[learnedContainer], facts[learnedItemName], facts[learnedAccount], facts[learnedPolicy])
	var known *operation.Error
	if errors.As(err, &known) && known.Code == azerr.CodeDataSourceNotFound {
		return backTo("find-registration", known), nil
	}
	return accepted(submitted, err, "protection is being enabled")
}

// confirmProtection reads the item: it is done only when the vault lists it.
func (a azure) confirmProtection(ctx context.Context, c step.Call, p ProtectFileShare, s share) (operation.Outcome, error) {
	item, found, err := a.findShare(ctx, c, s)
	if err := confirmItem(c, item, found, err); err != nil {
		return operation.Outcome{}, err
	}
	return protected(p, item, "protected with policy "+p.Policy), nil
}

// confirmItem returns an error unless the vault lists the item under the policy of
// the request.
func confirmItem(c step.Call, item recoveryservices.ProtectedItem, found bool, err error) error {
	switch {
	case err != nil:
		return err
	case !found:
		return notYet("ItemNotVisible", "protection was enabled, but the vault does not list the item yet")
	}
	return underPolicy(c, item)
}

// request returns the body of the first backup. b may be nil.
func (b *FirstBackup) request(objectType string) recoveryservices.BackupRequest {
	r := recoveryservices.BackupRequest{ObjectType: objectType}
	if b != nil && b.RecoveryPointExpiryTimeInUTC != nil {
		r.RecoveryPointExpiryTimeInUTC = *b.RecoveryPointExpiryTimeInUTC
	}
	return r
}

// firstBackup returns the body of the first backup.
func firstBackup(c step.Call) (recoveryservices.BackupRequest, error) {
	p, err := parametersOf[ProtectFileShare](c)
	if err != nil {
		return recoveryservices.BackupRequest{}, err
	}
	return p.FirstBackup.request(recoveryservices.BackupAzureFileShare), nil
}
