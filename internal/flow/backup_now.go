package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// BackupNow asks for an on-demand backup of an item that a Recovery Services
// vault protects (a file share, an IaaS virtual machine, or an SQL or SAP HANA
// database), or of a backup instance of a Backup vault (PostgreSQL).
// Source: learn.microsoft.com, "Backups - Trigger".
type BackupNow struct {
	Target
	// Rule is for backup instances.
	Rule *BackupRule `json:"rule,omitempty"`

	// BackupType is Full, Differential, Log, CopyOnlyFull, Incremental,
	// SnapshotFull or SnapshotCopyOnlyFull. Databases need it, nothing else
	// has it.
	BackupType string `json:"backupType,omitempty"`
	// EnableCompression is for databases.
	EnableCompression *bool `json:"enableCompression,omitempty"`
	// RecoveryPointExpiryTimeInUTC is when the backup may be deleted.
	RecoveryPointExpiryTimeInUTC *time.Time `json:"recoveryPointExpiryTimeInUTC,omitempty"`
	// ETag, Location and Tags go into the request as they are.
	ETag     string            `json:"eTag,omitempty"`
	Location string            `json:"location,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
}

// FileShare names a protected file share by what a person knows.
type FileShare struct {
	VaultID          string `json:"vaultId"`
	StorageAccountID string `json:"storageAccountId"`
	Name             string `json:"name"`
}

// backupTypes are those of the API that can be asked for; the API's own list
// also has Invalid, which cannot.
func backupTypes() []string {
	return []string{"Full", "Differential", "Log", "CopyOnlyFull", "Incremental", "SnapshotFull", "SnapshotCopyOnlyFull"}
}

const wantItem = wantVault + "/backupFabrics/Azure/protectionContainers/{container}/protectedItems/{item}"

func (a azure) checkBackupNow(raw json.RawMessage) (json.RawMessage, error) {
	var p BackupNow
	if err := step.Decode(raw, &p, "parameters"); err != nil {
		return nil, err
	}
	var c checks
	c.target(p.Target)
	if (p.FileShare != nil || p.BackupInstanceID != "") && (p.BackupType != "" || p.EnableCompression != nil) {
		c.add("backupType", "or enableCompression is given for no database", "neither: they are for databases, named by itemId")
	}
	if p.BackupInstanceID == "" && p.Rule != nil {
		c.add("rule", "is given for no backup instance", "nothing: rules are for backupInstanceId")
	}
	if p.BackupInstanceID != "" && (p.RecoveryPointExpiryTimeInUTC != nil || p.ETag != "" || p.Location != "" || len(p.Tags) > 0) {
		c.add("backupInstanceId", "is given with fields that are for items of a Recovery Services vault", "rule beside it, and nothing else")
	}
	if p.BackupType != "" && !slices.Contains(backupTypes(), p.BackupType) {
		c.add("backupType", fmt.Sprintf("%q cannot be asked for", p.BackupType), "one of "+strings.Join(backupTypes(), ", "))
	}
	c.expiry("recoveryPointExpiryTimeInUTC", p.RecoveryPointExpiryTimeInUTC, a.Now())
	return c.done(p)
}

func (a azure) backupNow() step.Flow {
	return step.Flow{
		Name: "backup-now", Version: 1, Item: targetKey,
		Summary:  "back up a protected file share, virtual machine, database or PostgreSQL server, to the job's end",
		Deadline: 48 * time.Hour,
		Priority: operation.PriorityBackup,
		Check:    a.checkBackupNow,
		Steps: append([]step.Step{
			{Name: "find-item", Effect: step.Read, Run: a.findNamedItem},
			{Name: "read-item", Effect: step.Read, Run: a.readItem},
		}, append(a.backupSteps(onDemand), a.instanceBackupSteps()...)...),
	}
}

func backupParameters(c step.Call) (p BackupNow, err error) {
	if err := json.Unmarshal(c.Operation.Parameters, &p); err != nil {
		return p, fatal("ParametersUnreadable", err.Error())
	}
	return p, nil
}

// findNamedItem finds the item of a file share by its name; an item that was
// given by id needs no finding.
func (a azure) findNamedItem(ctx context.Context, c step.Call) (operation.Outcome, error) {
	p, err := backupParameters(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	return a.find(ctx, c, p.Target)
}

// readItem reads what the item is, so that the request's body fits it.
func (a azure) readItem(ctx context.Context, c step.Call) (operation.Outcome, error) {
	p, err := backupParameters(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := usable(item); err != nil {
		return operation.Outcome{}, err
	}
	kind, known := objectType(item.Type)
	switch {
	case !known:
		return operation.Outcome{}, fatal("ItemTypeUnknown", fmt.Sprintf("%s is a %s, which has no on-demand backup here", item.FriendlyName, item.Type))
	case kind == recoveryservices.BackupAzureWorkload && p.BackupType == "":
		return operation.Outcome{}, fatal("BackupTypeMissing", "parameters.backupType is missing: "+item.FriendlyName+" is a database",
			"Ask again with one of "+strings.Join(backupTypes(), ", ")+".")
	case kind != recoveryservices.BackupAzureWorkload && (p.BackupType != "" || p.EnableCompression != nil):
		return operation.Outcome{}, fatal("BackupTypeDoesNotFit", fmt.Sprintf("parameters.backupType and enableCompression are for databases; %s is a %s", item.FriendlyName, item.Type),
			"Ask again without them.")
	}
	facts := factsOf(item)
	// The id is kept as it was given or listed: only its casing differs.
	delete(facts, learnedItem)
	return learn(next(fmt.Sprintf("%s is a %s", item.FriendlyName, item.Type)), facts), nil
}

// objectType gives the kind of backup request that fits a kind of item.
func objectType(itemType string) (kind string, ok bool) {
	switch itemType {
	case recoveryservices.ItemAzureFileShare:
		return recoveryservices.BackupAzureFileShare, true
	case recoveryservices.ItemVirtualMachine, recoveryservices.ItemClassicVirtualMachine, recoveryservices.ItemIaaSVM:
		return recoveryservices.BackupIaasVM, true
	case recoveryservices.ItemSQLDatabase, recoveryservices.ItemSAPHanaDatabase, recoveryservices.ItemSAPHanaDBInstance,
		recoveryservices.ItemSAPAseDatabase, recoveryservices.ItemAzureVMWorkload:
		return recoveryservices.BackupAzureWorkload, true
	}
	return "", false
}

// onDemand is the body of the backup that was asked for.
func onDemand(c step.Call) (recoveryservices.BackupRequest, error) {
	p, err := backupParameters(c)
	if err != nil {
		return recoveryservices.BackupRequest{}, err
	}
	kind, ok := objectType(c.Operation.Learned[learnedItemType])
	if !ok {
		return recoveryservices.BackupRequest{}, fatal("ItemTypeUnknown", "the item's type was not learned")
	}
	r := recoveryservices.BackupRequest{
		ObjectType: kind, BackupType: p.BackupType, EnableCompression: p.EnableCompression,
		ETag: p.ETag, Location: p.Location, Tags: p.Tags,
	}
	if p.RecoveryPointExpiryTimeInUTC != nil {
		r.RecoveryPointExpiryTimeInUTC = *p.RecoveryPointExpiryTimeInUTC
	}
	return r, nil
}
