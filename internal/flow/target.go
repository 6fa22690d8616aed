package flow

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	sources "azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// Target names a protected item or a backup instance; exactly one field is set.
type Target struct {
	// ItemID is a protected item of a Recovery Services vault.
	ItemID string `json:"itemId,omitempty"`
	// FileShare names a protected file share by its names.
	FileShare *FileShare `json:"fileShare,omitempty"`
	// BackupInstanceID is a backup instance of a Backup vault.
	BackupInstanceID string `json:"backupInstanceId,omitempty"`
}

// FileShare names a protected file share.
type FileShare struct {
	VaultID          string `json:"vaultId"`
	StorageAccountID string `json:"storageAccountId"`
	Name             string `json:"name"`
}

// vault returns the vault of the file share.
func (f FileShare) vault() (resourceid.VaultID, error) {
	vault, err := resourceid.ParseVaultID(f.VaultID, resourceid.RecoveryServicesVault)
	if err != nil {
		return vault, unreadable(err)
	}
	return vault, nil
}

// targetFields describe a Target.
func targetFields() schema.Fields {
	return schema.Fields{
		"itemId": {
			When: "this, `fileShare` or `backupInstanceId`", Rule: itemRule(), Items: []schema.ItemKind{schema.MachineItem, schema.DatabaseItem},
			Meaning: "resource ID of a protected item of a Recovery Services vault. `az backup item list` lists them",
		},
		"fileShare":                  {When: "this, `itemId` or `backupInstanceId`", Meaning: "an object: a protected file share by its names"},
		"fileShare.vaultId":          {Required: true, Meaning: "resource ID of the Recovery Services vault", Rule: vaultRule()},
		"fileShare.storageAccountId": {Required: true, Meaning: "resource ID of the storage account", Rule: storageAccountRule()},
		"fileShare.name":             {Required: true, Meaning: "name of the file share", Rule: fileShareRule()},
		"backupInstanceId": {
			When: "this, `itemId` or `fileShare`", Rule: instanceRule(),
			Meaning: "resource ID of a backup instance of a Backup vault. `az dataprotection backup-instance list` lists them",
		},
	}
}

func oneTarget() []schema.Object { return schema.Each("itemId", "fileShare", "backupInstanceId") }

// target checks that exactly one valid target is named.
func (c *checks) target(t Target) {
	given := 0
	if t.ItemID != "" {
		given++
		if _, err := recoveryservices.ParseItemID(t.ItemID); err != nil {
			c.add("itemId", err.Error(), wantItem)
		}
	}
	if t.FileShare != nil {
		given++
		c.vault("fileShare.vaultId", t.FileShare.VaultID)
		c.storageAccount("fileShare.storageAccountId", t.FileShare.StorageAccountID)
		c.fileShare("fileShare.name", t.FileShare.Name)
	}
	if t.BackupInstanceID != "" {
		given++
		c.instance("backupInstanceId", t.BackupInstanceID)
	}
	switch {
	case given == 0:
		c.add("itemId", "is missing, and so are fileShare and backupInstanceId", "exactly one of itemId, fileShare and backupInstanceId")
	case given > 1:
		c.add("itemId", "is not the only target", "exactly one of itemId, fileShare and backupInstanceId")
	}
}

// checkTarget checks parameters that are a Target and nothing else.
func checkTarget(c *checks, t *Target) { c.target(*t) }

func targetParameters() schema.Parameters {
	return schema.Parameters{Type: reflect.TypeFor[Target](), Fields: targetFields(), Rules: schema.Object{"oneOf": oneTarget()}}
}

// findTargetStep returns the first step of flows on a Target.
func (a azure) findTargetStep(f run) step.Step {
	return step.Step{
		Name: "find-item", Effect: step.Read, Run: f, Calls: []string{"BackupProtectedItems_List"},
		Asks: "for a file share by name, lists the vault's protected file shares",
		Then: "a share that is not protected is rejected. A backup instance continues with `read-instance`",
	}
}

// readItemStep returns the step that reads the protected item of a Target.
func (a azure) readItemStep() step.Step {
	return step.Step{Name: "read-item", Effect: step.Read, Run: a.readTarget, Calls: []string{"ProtectedItems_Get"}, Asks: "reads the protected item"}
}

// readInstanceStep returns the step that reads the backup instance of a Target.
func (a azure) readInstanceStep() step.Step {
	return step.Step{
		Name: "read-instance", Effect: step.Read, Run: with(a.readTargetInstance), Asks: "reads the backup instance",
		Calls: []string{"BackupInstances_Get", "DeletedBackupInstances_Get"}, Then: "one that is soft-deleted is rejected, with its purge date",
	}
}

// findTarget finds the protected item of a file share by name. A target that is
// named by its ID is not looked up.
func (a azure) findTarget(ctx context.Context, c step.Call, t Target) (operation.Outcome, error) {
	if t.BackupInstanceID != "" {
		return skipTo("read-instance", "the request names the backup instance by its ID"), nil
	}
	if t.FileShare == nil {
		return learn(next("the request names the item by its ID"), map[string]string{learnedItem: t.ItemID}), nil
	}
	vault, err := t.FileShare.vault()
	if err != nil {
		return operation.Outcome{}, err
	}
	item, found, err := a.findShare(ctx, c, share{vault: vault, account: t.FileShare.StorageAccountID, name: t.FileShare.Name})
	if err != nil {
		return operation.Outcome{}, err
	}
	if !found {
		return operation.Outcome{}, fatal(codeNotProtected,
			fmt.Sprintf("vault %s does not protect file share %s of %s", vault.Name, t.FileShare.Name, t.FileShare.StorageAccountID),
			"Protect the share first, with the flow protect-file-share.")
	}
	return learn(next("the vault protects the share as "+item.Name), factsOf(item)), nil
}

// readTarget records the state of the item, so that later steps can tell whether
// it is still the same.
func (a azure) readTarget(ctx context.Context, c step.Call) (operation.Outcome, error) {
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	facts := factsOf(item)
	delete(facts, learnedItem)
	facts[learnedReadAt] = c.Now.UTC().Format(time.RFC3339Nano)
	if id := excludedResource(item); id != "" {
		facts[learnedExcluded] = id
	}
	return learn(next(item.FriendlyName+" is "+item.ProtectionState), facts), nil
}

// excludedResource returns the ID by which automatic protection knows the item;
// empty if it is the item's source.
func excludedResource(item recoveryservices.ProtectedItem) string {
	switch item.Type {
	case recoveryservices.ItemAzureFileShare:
		return shareResource(item.SourceResourceID, item.FriendlyName)
	case recoveryservices.ItemSQLDatabase, recoveryservices.ItemSAPHanaDatabase:
		workload := recoveryservices.WorkloadSQL
		if item.Type == recoveryservices.ItemSAPHanaDatabase {
			workload = recoveryservices.WorkloadHana
		}
		return sources.Database{MachineID: item.SourceResourceID, Workload: string(workload), Instance: item.Parent, Name: item.FriendlyName}.ID()
	}
	return ""
}

// readTargetInstance records the state of the backup instance.
func (a azure) readTargetInstance(ctx context.Context, c step.Call, t Target) (operation.Outcome, error) {
	instance, err := a.readInstance(ctx, c, t.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, err
	}
	return learn(next(instance.FriendlyName+" is "+instance.CurrentProtectionState), factsOfInstance(instance)), nil
}

// targetInstance reads the backup instance that an earlier step found.
func (a azure) targetInstance(ctx context.Context, c step.Call) (dataprotection.Instance, dataprotection.InstanceID, error) {
	id, err := foundInstance(c)
	if err != nil {
		return dataprotection.Instance{}, id, err
	}
	instance, err := a.dataProtection(c).GetInstance(ctx, id)
	return instance, id, err
}
